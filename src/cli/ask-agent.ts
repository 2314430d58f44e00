import * as z from "zod";
import { AyaflowError, errorMessage, UsageError } from "../errors.ts";
import { escapeControl } from "../log.ts";
import type { AgentTarget } from "./ask-target.ts";

const PROBE_MS = 2000;
/** An agent answers within 10 s, after others that asked before. */
const ANSWER_MS = 60_000;
const MAX_ERROR_BYTES = 64 * 1024;
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const BAD_REQUEST = 400;

export type Parameters = Readonly<Record<string, string>>;

const errorSchema = z.object({
  error: z.object({ message: z.string(), problems: z.array(z.string()).optional() }),
});
const healthSchema = z.object({ status: z.enum(["ok", "degraded"]), active_connections: z.number() });

/** Why nothing came back, in a few words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ConnectionRefused" || code === "ECONNREFUSED") return "connection refused";
  return errorMessage(error).replace(/\. (?:Was there a typo|Is the computer able).*$/s, "");
}

async function request(
  { url, token }: AgentTarget,
  pathAndQuery: string,
  withinMs: number,
): Promise<Response> {
  const controller = new AbortController();
  const late = new Error(`no answer within ${withinMs / 1000} s`);
  const timer = setTimeout(() => controller.abort(late), withinMs);
  try {
    const headers = { accept: "*/*", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
    // A redirect would take the token elsewhere.
    return await fetch(url + pathAndQuery, { headers, signal: controller.signal, redirect: "error" });
  } finally {
    clearTimeout(timer);
  }
}

/** The first of a body, so that what is no agent cannot fill memory. */
async function beginning(response: Response): Promise<string> {
  let bytes = new Uint8Array();
  for await (const chunk of response.body ?? []) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= MAX_ERROR_BYTES) break;
  }
  return Buffer.from(bytes).toString("utf8");
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    const body: unknown = JSON.parse(await beginning(response));
    return body;
  } catch {
    return null;
  }
}

function tokenError({ url, token }: AgentTarget): AyaflowError {
  const what = token === null ? "wants its token" : "does not take this token";
  return new AyaflowError(
    `the agent at ${url} ${what}: give the file with it as --token-file, or the token itself in AYAFLOW_API_TOKEN`,
  );
}

/** What an answer that is not 200 means to who typed the command; null when it is none of an agent. */
async function refusal(agent: AgentTarget, response: Response): Promise<AyaflowError | null> {
  const parsed = errorSchema.safeParse(await jsonOf(response));
  if (!parsed.success) return null;
  if (response.status === UNAUTHORIZED) return tokenError(agent);
  const { message, problems = [message] } = parsed.data.error;
  const lines = problems.map((problem) => escapeControl(`the agent at ${agent.url}: ${problem}`));
  if (response.status === BAD_REQUEST) return new UsageError(lines);
  if (response.status === FORBIDDEN) lines.push("--db FILE reads its database instead");
  return new AyaflowError(lines.join("\n"));
}

/** `no`: with why. `refused`: there is one, but it does not answer us. */
export type Probed = { is: "agent" } | { is: "no"; why: string } | { is: "refused"; error: AyaflowError };

/** Whether an AyaFlow agent answers there. */
export async function probeAgent(agent: AgentTarget): Promise<Probed> {
  try {
    const response = await request(agent, "/api/health", PROBE_MS);
    if (response.ok && healthSchema.safeParse(await jsonOf(response)).success) return { is: "agent" };
    const error = response.ok ? null : await refusal(agent, response);
    return error === null ? { is: "no", why: "something else answers there" } : { is: "refused", error };
  } catch (error) {
    return { is: "no", why: reasonOf(error) };
  }
}

/**
 * The answer of the agent to a GET, 200 always.
 * @throws UsageError for what it does not understand, AyaflowError for what else keeps it from answering.
 */
export async function askAgent(agent: AgentTarget, path: string, parameters: Parameters): Promise<Response> {
  const query = new URLSearchParams(parameters).toString();
  let response: Response;
  try {
    response = await request(agent, query === "" ? path : `${path}?${query}`, ANSWER_MS);
  } catch (error) {
    throw new AyaflowError(
      `no agent answers at ${agent.url}: ${reasonOf(error)}. Is it running? --db FILE reads its database`,
      { cause: error },
    );
  }
  if (response.status === 200) return response;
  const error = await refusal(agent, response);
  throw (
    error ?? new AyaflowError(`${agent.url} is no AyaFlow agent: it answers with status ${response.status}`)
  );
}

/** The body of an answer as `schema` reads it. @throws AyaflowError for anything else. */
export async function readAnswer<T>(response: Response, schema: z.ZodType<T>, place: string): Promise<T> {
  const body: unknown = await response.json().catch(() => null);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new AyaflowError(
    `${place} gave an answer that this version does not know: are both of the same version?`,
  );
}
