import * as z from "zod/mini";
import { isInterfacePattern } from "./glob.ts";
import { isCidr, parseListenAddress } from "./network.ts";
import {
  parseBoolean,
  parseDuration,
  parsePercent,
  parseSize,
  parseWholeNumber,
  splitList,
} from "./values.ts";

/** What an option may hold: the check, and the words for "give …" in a message. */
export interface Kind<T> {
  schema: z.ZodMiniType<T>;
  allowed: string;
}

/** `parse` over text; what is not text or not understood stays as it is, for the check after it to reject. */
function fromText(parse: (text: string) => unknown) {
  return z.transform((raw: unknown) => (typeof raw === "string" ? (parse(raw) ?? raw) : raw));
}

const range = (min: number, max: number) => z.int().check(z.gte(min), z.lte(max));

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    schema: z.pipe(fromText(parseWholeNumber), range(min, max)),
    allowed: `a whole number from ${min} to ${max}`,
  };
}

export function seconds(min: number, max: number): Kind<number> {
  return {
    schema: z.pipe(fromText(parseDuration), range(min, max)),
    allowed: `seconds from ${min} to ${max}, or a time such as 45s, 30m, 12h, 7d, 2w, 2y`,
  };
}

export function bytes(min: number, max: number, words: string): Kind<number> {
  return {
    schema: z.pipe(fromText(parseSize), range(min, max)),
    allowed: `bytes or a size such as 500MB, 512MiB, 1GiB, ${words}`,
  };
}

const zeroOr = (min: number, max: number) => (value: number) => value === 0 || (value >= min && value <= max);

/** A limit in percent; 0 is none. */
export function percentLimit(min: number, max: number): Kind<number> {
  return {
    schema: z.pipe(fromText(parsePercent), z.number().check(z.refine(zeroOr(min, max)))),
    allowed: `percent from ${min} to ${max}, such as 5 or 0.5%, or 0 for no limit`,
  };
}

/** A limit in bytes; 0 is none. */
export function bytesLimit(min: number, max: number, words: string): Kind<number> {
  return {
    schema: z.pipe(fromText(parseSize), z.int().check(z.refine(zeroOr(min, max)))),
    allowed: `bytes or a size such as 64MiB, ${words}, or 0 for no limit`,
  };
}

export const flag: Kind<boolean> = {
  // YAML and environments write 1 and 0 for true and false.
  schema: z.pipe(
    z.transform((raw: unknown) =>
      typeof raw === "string" || typeof raw === "number" ? (parseBoolean(String(raw)) ?? raw) : raw,
    ),
    z.boolean(),
  ),
  allowed: "true or false",
};

export function choice<const T extends readonly string[]>(values: T): Kind<T[number]> {
  return {
    schema: z.pipe(
      fromText((text) => text.trim().toLowerCase()),
      z.enum(values),
    ),
    allowed: `one of ${values.join(", ")}`,
  };
}

export const filePath: Kind<string> = {
  schema: z
    .string()
    .check(z.refine((text) => text.trim() !== "" && !text.includes("\0") && !text.endsWith("/"))),
  allowed: "the path of a file",
};

export const optionalFilePath: Kind<string | null> = { ...filePath, schema: z.nullable(filePath.schema) };

/** bun:sqlite would take these for something else than a file. */
const isDatabaseFile = (path: string) => path !== ":memory:" && !path.startsWith("file:");

export const databasePath: Kind<string> = {
  schema: z.pipe(filePath.schema, z.string().check(z.refine(isDatabaseFile))),
  allowed: "the path of a file, for example /var/lib/ayaflow/traffic.db",
};

export const listenAddress: Kind<string> = {
  schema: z.pipe(
    z.transform((raw: unknown) => (typeof raw === "string" ? parseListenAddress(raw) : undefined)),
    z.string(),
  ),
  allowed: "an IPv4 or IPv6 address, for example 127.0.0.1, 0.0.0.0 or ::1",
};

function list(isElement: (text: string) => boolean, least: number): z.ZodMiniType<string[]> {
  const split = (raw: unknown) => (typeof raw === "string" ? splitList(raw) : [raw]);
  return z.pipe(
    z.transform((raw: unknown) => (Array.isArray(raw) ? raw.flatMap(split) : split(raw))),
    z.pipe(
      z.array(z.string().check(z.refine(isElement))).check(z.minLength(least)),
      z.transform((items: string[]) => [...new Set(items)]),
    ),
  );
}

export const interfacePatterns: Kind<string[]> = {
  schema: list(isInterfacePattern, 1),
  allowed:
    "auto, an interface name (at most 15 bytes, no blank, slash, colon or comma) or a glob such as veth*, or several",
};

export const cidrs: Kind<string[]> = {
  schema: list(isCidr, 0),
  allowed: "an IPv4 or IPv6 address or CIDR, for example 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, or several",
};
