import type * as z from "zod";
import { badRequest, type ErrorPosition } from "./errors.ts";

function problemsOf(error: z.ZodError, allowed: readonly string[]): string[] {
  const list = allowed.length === 0 ? "this route takes none" : `allowed are ${allowed.join(", ")}`;
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `unknown parameter "${key}": ${list}`)
      : [`${issue.path.join(".")}: ${issue.message}`],
  );
}

/** Where the filter is wrong, if that is one of the problems. */
function positionOf(error: z.ZodError): ErrorPosition | undefined {
  for (const issue of error.issues) {
    const { at, length } = issue.code === "custom" ? (issue.params ?? {}) : {};
    if (typeof at === "number" && typeof length === "number") {
      return { parameter: issue.path.join("."), at, length };
    }
  }
  return undefined;
}

/** The parameters of a query string (without `?`) as `schema` reads them; throws ApiError 400 naming every problem. */
export function parseQuery<S extends z.ZodObject>(schema: S, query: string): z.output<S> {
  const pairs = [...new URLSearchParams(query)];
  const seen = new Set<string>();
  const twice = new Set(pairs.map(([name]) => name).filter((name) => seen.size === seen.add(name).size));
  const parsed = schema.safeParse(Object.fromEntries(pairs));
  const problems = [...twice].map((name) => `${name}: given more than once`);
  if (!parsed.success) problems.push(...problemsOf(parsed.error, Object.keys(schema.shape)));
  if (!parsed.success) throw badRequest(problems, positionOf(parsed.error));
  if (problems.length > 0) throw badRequest(problems);
  return parsed.data;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** `fields` without those that are undefined. */
export function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
