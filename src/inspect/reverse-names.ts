import { formatAddress } from "../flow/address.ts";
import { hasReverseName, pointedName } from "./reverse-zone.ts";

const CAPACITY = 16_384;
const MAX_IN_FLIGHT = 16;
const PER_SECOND = 20;
const TTL_MS = 3_600_000;
/** RFC 9520 section 3.2: a failure is remembered for five minutes at most. */
const FAILURE_TTL_MS = 300_000;
const TIMEOUT_MS = 5_000;
/** Addresses that wait to be asked for: those of 100 seconds at the usual rate. */
const MAX_QUEUED = 2_048;
/** Requests that wait for an answer, of all addresses together. */
const MAX_WAITING = 16_384;
/** "No such name" and "no such record", as c-ares and others call them. */
const NONE_CODES: readonly unknown[] = ["ENOTFOUND", "ENODATA", "NXDOMAIN"];

export interface ReverseNamesOptions {
  /** PTR records of an address in text, in presentation form. Rejects with `code` ENOTFOUND when there are none. */
  resolve: (address: string) => Promise<string[]>;
  /** Milliseconds of a clock that never goes back. */
  now: () => number;
  /** Addresses remembered, those least recently requested are forgotten first. */
  capacity?: number;
  /** Queries at a time. */
  maxInFlight?: number;
  /** Queries a second, and at once after a pause. */
  perSecond?: number;
  /** How long an answer is remembered, also that there is no name. */
  ttlMs?: number;
  /** How long it is remembered that nobody answered. */
  failureTtlMs?: number;
  /** After this long a query has failed. */
  timeoutMs?: number;
}

/** How queries ended, and the requests dropped because too many wait; since start. */
export interface ReverseCounts {
  found: number;
  /** No such name or record, or one that names no host. */
  none: number;
  /** No answer in time, or an error of the name server. */
  failed: number;
  limited: number;
}

interface Outcome {
  kind: "found" | "none" | "failed";
  name: string | null;
}

interface Query {
  address: string;
  waiters: ((name: string) => void)[];
  startedMs: number;
}

const FAILED: Outcome = { kind: "failed", name: null };
const NONE: Outcome = { kind: "none", name: null };

function failure(error: unknown): Outcome {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return NONE_CODES.includes(code) ? NONE : FAILED;
}

/** Names of addresses from the reverse zones, asked for in the background: few at a time, each once, never waited for. */
export class ReverseNames {
  readonly counts: ReverseCounts = { found: 0, none: 0, failed: 0, limited: 0 };
  private readonly options: Required<ReverseNamesOptions>;
  /** By address, the least recently requested first. */
  private readonly known = new Map<string, { name: string | null; untilMs: number }>();
  private readonly queued = new Map<string, Query>();
  /** In flight, the oldest first. */
  private readonly asked = new Map<string, Query>();
  private waiting = 0;
  /** Queries that may start now. */
  private allowance: number;
  private allowedMs: number;

  constructor(options: ReverseNamesOptions) {
    this.options = {
      capacity: CAPACITY,
      maxInFlight: MAX_IN_FLIGHT,
      perSecond: PER_SECOND,
      ttlMs: TTL_MS,
      failureTtlMs: FAILURE_TTL_MS,
      timeoutMs: TIMEOUT_MS,
      ...options,
    };
    this.allowance = this.options.perSecond;
    this.allowedMs = this.options.now();
  }

  /**
   * Calls `found` with the name of an address of 4 or 16 bytes: at once when it is known, else when it comes, which can
   * be minutes later; never when there is none. Starts no query itself.
   */
  request(address: Uint8Array, found: (name: string) => void): void {
    if (!hasReverseName(address)) return;
    const text = formatAddress(address);
    const known = this.recall(text);
    if (known !== undefined) {
      if (known !== null) found(known);
      return;
    }
    const query = this.asked.get(text) ?? this.queued.get(text);
    if (this.waiting >= MAX_WAITING || (query === undefined && this.queued.size >= MAX_QUEUED)) {
      this.counts.limited++;
      return;
    }
    this.waiting++;
    if (query === undefined) this.queued.set(text, { address: text, waiters: [found], startedMs: 0 });
    else query.waiters.push(found);
  }

  /** Gives up queries that take too long and starts queued ones. To be called once a second. */
  tick(): void {
    const { now, timeoutMs, maxInFlight } = this.options;
    const nowMs = now();
    for (const query of this.asked.values()) {
      if (nowMs - query.startedMs >= timeoutMs) this.settle(query, FAILED);
    }
    this.allow(nowMs);
    for (const query of this.queued.values()) {
      if (this.asked.size >= maxInFlight || this.allowance < 1) return;
      this.allowance--;
      this.queued.delete(query.address);
      this.asked.set(query.address, query);
      query.startedMs = nowMs;
      void this.ask(query);
    }
  }

  /** Fills the token bucket. */
  private allow(nowMs: number): void {
    const { perSecond } = this.options;
    const earned = ((nowMs - this.allowedMs) * perSecond) / 1000;
    this.allowance = Math.min(perSecond, this.allowance + earned);
    this.allowedMs = nowMs;
  }

  private async ask(query: Query): Promise<void> {
    const outcome = await this.outcome(query.address);
    // Given up meanwhile: its place is another's.
    if (this.asked.get(query.address) !== query) return;
    this.settle(query, outcome);
    this.tick();
  }

  private async outcome(address: string): Promise<Outcome> {
    try {
      const [first = ""] = await this.options.resolve(address);
      const name = pointedName(first);
      return name === null ? NONE : { kind: "found", name };
    } catch (error) {
      return failure(error);
    }
  }

  private settle({ address, waiters }: Query, { kind, name }: Outcome): void {
    const { failureTtlMs, ttlMs, now } = this.options;
    this.asked.delete(address);
    this.waiting -= waiters.length;
    this.counts[kind]++;
    this.remember(address, name, now() + (kind === "failed" ? failureTtlMs : ttlMs));
    if (name !== null) for (const found of waiters) found(name);
  }

  /** The name of an address, null when it is known to have none, undefined when nothing is known. */
  private recall(address: string): string | null | undefined {
    const known = this.known.get(address);
    if (known === undefined) return undefined;
    this.known.delete(address);
    if (known.untilMs <= this.options.now()) return undefined;
    this.known.set(address, known);
    return known.name;
  }

  private remember(address: string, name: string | null, untilMs: number): void {
    this.known.set(address, { name, untilMs });
    const [oldest] = this.known.keys();
    if (this.known.size > this.options.capacity && oldest !== undefined) this.known.delete(oldest);
  }
}
