import { Store } from "../state/store.ts";
import type { ErrorAnswer } from "./answers.ts";

/** How it stands between the page and the agent. */
export type Link =
  | { kind: "ok" }
  | { kind: "lost"; sinceMs: number }
  /** The agent wants a token; `wasRefused`: it got one and refused it. */
  | { kind: "token"; wasRefused: boolean }
  | { kind: "forbidden"; message: string };

/** Why a request brought no answer. `gone`: no answer came; `slow`: not in time; `refused`: the agent said why. */
export class RequestFailure extends Error {
  constructor(
    readonly kind: "gone" | "slow" | "refused",
    message: string,
    readonly code: string = kind,
    readonly problems: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface TokenStore {
  get(): string | null;
}

export interface RequestOptions {
  signal: AbortSignal;
  timeoutMs?: number;
  /** Its failing means that the agent is gone, also when it only takes too long. */
  isProbe?: boolean;
}

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** A little over what a question may take in the agent. */
const TIMEOUT_MS = 15_000;
/** The Date header has whole seconds: on average half of one is missing, and only a larger difference tells anything. */
const HALF_SECOND_MS = 500;
const SKEW_MS = 2000;
const OK: Link = { kind: "ok" };

function isErrorAnswer(body: unknown): body is ErrorAnswer {
  return typeof body === "object" && body !== null && "error" in body && typeof body.error === "object";
}

/** Asks the agent's API and keeps an eye on whether it answers. */
export class AgentClient {
  readonly link = new Store<Link>(OK);
  private skewMs = 0;

  constructor(
    private readonly tokens: TokenStore,
    private readonly fetcher: Fetch = (input, init) => fetch(input, init),
    private readonly now: () => number = Date.now,
  ) {}

  /** The agent's clock, in milliseconds since the epoch, as far as its answers tell. */
  agentNow(): number {
    return this.now() + this.skewMs;
  }

  /** GETs JSON. Rejects with RequestFailure, or with the signal's reason when it was aborted. */
  async get<T>(
    path: string,
    { signal, timeoutMs = TIMEOUT_MS, isProbe = false }: RequestOptions,
  ): Promise<T> {
    const token = this.tokens.get();
    const response = await this.send(path, token, signal, timeoutMs, isProbe);
    const body = await this.bodyOf(response, signal);
    this.noteTime(response);
    if (response.ok) {
      this.link.set(OK);
      return body as T;
    }
    throw this.refusal(response.status, body, token);
  }

  private async send(
    path: string,
    token: string | null,
    signal: AbortSignal,
    timeoutMs: number,
    isProbe: boolean,
  ): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const headers: Record<string, string> = { accept: "application/json" };
    if (token !== null) headers["authorization"] = `Bearer ${token}`;
    try {
      return await this.fetcher(path, {
        headers,
        signal: AbortSignal.any([signal, timeout]),
        cache: "no-store",
        credentials: "omit",
      });
    } catch {
      signal.throwIfAborted();
      if (!timeout.aborted || isProbe) this.lose();
      if (timeout.aborted) {
        throw new RequestFailure("slow", `the agent did not answer within ${timeoutMs / 1000} seconds`);
      }
      throw new RequestFailure("gone", "the agent does not answer");
    }
  }

  private async bodyOf(response: Response, signal: AbortSignal): Promise<unknown> {
    try {
      return await response.json();
    } catch {
      signal.throwIfAborted();
      // Something between here and the agent answers in its place, or the answer broke off.
      this.lose();
      throw new RequestFailure("gone", `no answer of the agent's: HTTP ${response.status}`);
    }
  }

  private refusal(status: number, body: unknown, token: string | null): RequestFailure {
    const { code, message, problems } = isErrorAnswer(body)
      ? body.error
      : { code: "unknown", message: `HTTP ${status}`, problems: undefined };
    if (status === 401) this.link.set({ kind: "token", wasRefused: token !== null });
    else if (status === 403) this.link.set({ kind: "forbidden", message });
    else this.link.set(OK);
    return new RequestFailure("refused", message, code, problems ?? []);
  }

  private lose(): void {
    if (this.link.get().kind !== "lost") this.link.set({ kind: "lost", sinceMs: this.now() });
  }

  private noteTime(response: Response): void {
    const date = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(date)) return;
    const skew = date + HALF_SECOND_MS - this.now();
    if (Math.abs(skew - this.skewMs) > SKEW_MS) this.skewMs = Math.abs(skew) > SKEW_MS ? skew : 0;
  }
}
