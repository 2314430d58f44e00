import type * as z from "zod";
import { reasonOf } from "../cli/ask-agent.ts";
import { AyaflowError } from "../errors.ts";
import { errorSchema } from "./answers.ts";

/** A question over history may take the agent this long. */
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;
const UNAUTHORIZED = 401;
const NOT_FOUND = 404;
const BAD_REQUEST = 400;

/** Where a filter is wrong, in UTF-16 units. */
export interface Position {
  at: number;
  length: number;
}

/** Why there is no answer: nobody answers, the token is not taken, the question is wrong, or something else. */
export type Failure = "unreachable" | "unauthorized" | "bad-request" | "not-found" | "other";

export class AskError extends AyaflowError {
  readonly failure: Failure;
  /** Of the filter, where that is what is wrong. */
  readonly position: Position | null;

  constructor(failure: Failure, message: string, position: Position | null = null) {
    super(message);
    this.failure = failure;
    this.position = position;
  }

  /** No question would be answered now. */
  isAbsent(): boolean {
    return this.failure === "unreachable" || this.failure === "unauthorized";
  }
}

export type Parameters = Record<string, string | number>;

/** Asks the agent over HTTP. */
export class AgentClient {
  readonly url: string;
  private readonly headers: Record<string, string>;

  constructor(url: string, token: string | null) {
    this.url = url.replace(/\/+$/, "");
    this.headers = {
      accept: "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  /** The answer to a GET, as the schema has it. Rejects with AskError; with the signal's reason when aborted. */
  async ask<T>(path: string, parameters: Parameters, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(parameters)) query.set(key, String(value));
    const text = query.toString();
    const { status, body } = await this.fetch(`${this.url}${path}${text === "" ? "" : `?${text}`}`, signal);
    if (status !== 200) throw refusal(status, body);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new AskError("other", `the answer to ${path} is not one of an AyaFlow agent of this version`);
  }

  private async fetch(url: string, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    try {
      const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const response = await fetch(url, { headers: this.headers, signal: both, redirect: "error" });
      return { status: response.status, body: await bodyOf(response) };
    } catch (error) {
      signal.throwIfAborted();
      throw new AskError("unreachable", reason(error));
    }
  }
}

/** The body as JSON; null for what is none, or is longer than any answer to what is asked here. */
async function bodyOf(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    return body;
  } catch {
    return null;
  }
}

/** Why a request failed, in a few words. */
function reason(error: unknown): string {
  const isLate = error instanceof DOMException && error.name === "TimeoutError";
  return isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : reasonOf(error);
}

const FAILURES: Record<number, Failure> = {
  [UNAUTHORIZED]: "unauthorized",
  [BAD_REQUEST]: "bad-request",
  [NOT_FOUND]: "not-found",
};

function refusal(status: number, body: unknown): AskError {
  const failure = FAILURES[status] ?? "other";
  const parsed = errorSchema.safeParse(body);
  if (!parsed.success) return new AskError(failure, `HTTP status ${status}`);
  const { message, problems = [], position } = parsed.data.error;
  return new AskError(failure, problems[0] ?? message, position?.parameter === "q" ? position : null);
}
