import type { DnsMessage, DnsQuestion, DnsRecord } from "./dns-message.ts";
import { rcodeName, TYPE, typeName } from "./dns-types.ts";
import type { DnsTransport, Ends, Lookup } from "./types.ts";

const CAPACITY = 8192;
/** The time after which stub resolvers ask again (resolv.conf(5)). */
const TIMEOUT_MS = 5000;
/** How long an incomplete answer waits for the whole one: the fragments of a packet come within milliseconds. */
const HOLD_MS = 1000;
const MAX_HELD = 256;
const MAX_ANSWERS = 16;
const MDNS_PORT = 5353;

/** Who asked whom. */
type Asked = Pick<Lookup, "interface" | "client" | "clientPort" | "server" | "serverPort">;

/** A question without an answer. */
interface Pending {
  lookup: Lookup;
  group: string;
  /** When it was last asked. */
  askedMs: number;
}

/** An answer of which the packet was cut or damaged. */
interface Held {
  lookup: Lookup;
  sinceMs: number;
}

function whoAsked(ends: Ends, isResponse: boolean): Asked {
  const { source, sourcePort, destination, destinationPort } = ends;
  return {
    interface: ends.interface,
    client: isResponse ? destination : source,
    clientPort: isResponse ? destinationPort : sourcePort,
    server: isResponse ? source : destination,
    serverPort: isResponse ? sourcePort : destinationPort,
  };
}

/**
 * What query and answer have in common besides the question. No part can hold a space.
 * LLMNR: whoever answers, the query went to a group (RFC 4795 section 2.1). Multicast DNS: no id (RFC 6762 section 18.1).
 */
function exchangeOf(asked: Asked, transport: DnsTransport, id: number): string {
  const client = `${transport} ${asked.interface} ${asked.client}`;
  if (transport === "mdns") return client;
  if (transport === "llmnr") return `${client} ${asked.clientPort} ${id}`;
  return `${client} ${asked.clientPort} ${asked.server} ${asked.serverPort} ${id}`;
}

function mdnsGroup(interfaceName: string, type: number, name: string): string {
  return `mdns ${interfaceName} ${type} ${name}`;
}

function newLookup(
  asked: Asked,
  transport: DnsTransport,
  { name, type }: DnsQuestion,
  timeMs: number,
): Lookup {
  const none = { rcode: null, latencyMs: null, answers: [], truncated: false };
  return { timeMs, ...asked, transport, name, type: typeName(type), ...none };
}

function answered(
  lookup: Lookup,
  message: DnsMessage,
  records: readonly DnsRecord[],
  latencyMs: number | null,
): Lookup {
  return {
    ...lookup,
    rcode: rcodeName(message.rcode),
    latencyMs,
    answers: records.slice(0, MAX_ANSWERS).map(({ data }) => data),
    truncated: message.truncated || message.isCut,
  };
}

function latency(pending: Pending, timeMs: number): number {
  return Math.max(0, timeMs - pending.askedMs);
}

/**
 * Brings questions and answers together: one lookup for each question asked, when it is answered or has gone unanswered
 * for `timeoutMs`. A question that is repeated before that is one lookup; one repeated after its answer is another, and
 * so is an answer that comes after the timeout.
 * Bounded: past `capacity` questions the one asked longest ago is given up.
 * Times are milliseconds since the epoch; they need not rise.
 */
export class LookupTracker {
  private readonly pending = new Map<string, Pending>();
  /** Keys of pending questions that one message can answer without repeating the question. */
  private readonly groups = new Map<string, Set<string>>();
  private readonly held = new Map<string, Held>();
  /** Keys of questions that were answered, and when: what comes after that is a repetition. */
  private readonly done = new Map<string, number>();
  private readonly onLookup: (lookup: Lookup) => void;
  private readonly capacity: number;
  private readonly timeoutMs: number;
  private unansweredCount = 0;
  private evictedCount = 0;

  constructor(options: { onLookup(lookup: Lookup): void; capacity?: number; timeoutMs?: number }) {
    this.onLookup = (lookup) => options.onLookup(lookup);
    this.capacity = options.capacity ?? CAPACITY;
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Questions that wait for an answer. */
  get size(): number {
    return this.pending.size;
  }

  /**
   * Questions that nobody answered in time. Those to a multicast group are not among them: there, silence is how
   * everybody says no (RFC 6762 section 6, RFC 4795 section 2.3).
   */
  get unanswered(): number {
    return this.unansweredCount;
  }

  /** Questions given up to make room for others. */
  get evicted(): number {
    return this.evictedCount;
  }

  /**
   * Takes in a message that crossed an interface from `ends.source` to `ends.destination`. Returns whether it answers a
   * question that was seen; multicast DNS is spoken without being asked.
   */
  observe(message: DnsMessage, ends: Ends, transport: DnsTransport, timeMs: number): boolean {
    const asked = whoAsked(ends, message.isResponse);
    if (message.isResponse && transport !== "mdns") return this.answer(message, asked, transport, timeMs);
    if (message.isResponse) this.answerGroup(message, asked, timeMs);
    else this.ask(message, asked, transport, timeMs);
    return message.isResponse;
  }

  /** Gives out what has waited long enough at `nowMs`; call it about once a second. */
  expire(nowMs: number): void {
    for (const [key, { askedMs }] of this.pending) {
      if (askedMs + this.timeoutMs > nowMs) break;
      const lookup = this.giveUp(key);
      if (lookup?.transport === "udp" || lookup?.transport === "tcp") this.unansweredCount++;
    }
    for (const [key, { sinceMs }] of this.held) {
      if (sinceMs + HOLD_MS > nowMs) break;
      this.release(key, nowMs);
    }
    for (const [key, sinceMs] of this.done) {
      if (sinceMs + this.timeoutMs > nowMs) break;
      this.done.delete(key);
    }
  }

  /** Gives out everything, as at the end of a file; what was asked too shortly before is no failure. */
  flush(nowMs: number): void {
    this.expire(nowMs);
    for (const key of this.pending.keys()) this.giveUp(key);
    for (const key of this.held.keys()) this.release(key, nowMs);
    this.done.clear();
  }

  private ask(message: DnsMessage, asked: Asked, transport: DnsTransport, timeMs: number): void {
    const exchange = exchangeOf(asked, transport, message.id);
    for (const question of message.questions) {
      const key = `${exchange} ${question.type} ${question.name}`;
      this.release(key, timeMs);
      this.done.delete(key);
      const lookup = this.remove(key)?.lookup ?? newLookup(asked, transport, question, timeMs);
      const isGroup = transport === "mdns";
      const group = isGroup ? mdnsGroup(asked.interface, question.type, question.name) : exchange;
      this.add(key, { lookup, group, askedMs: timeMs });
    }
  }

  private answer(message: DnsMessage, asked: Asked, transport: DnsTransport, timeMs: number): boolean {
    const exchange = exchangeOf(asked, transport, message.id);
    let wasAsked = false;
    for (const question of message.questions) {
      const key = `${exchange} ${question.type} ${question.name}`;
      const pending = this.remove(key);
      if (pending === undefined && this.done.has(key)) continue;
      const known = pending?.lookup ?? this.held.get(key)?.lookup;
      const lookup = known ?? newLookup(asked, transport, question, timeMs);
      const latencyMs = pending === undefined ? lookup.latencyMs : latency(pending, timeMs);
      wasAsked ||= latencyMs !== null;
      this.settle(key, answered(lookup, message, message.answers, latencyMs), message, timeMs);
    }
    if (message.questions.length > 0 || message.isDamaged || message.isCut) return wasAsked;
    // A server that did not understand the query need not repeat it: a bare header answers the only question there is.
    const [key, another] = this.groups.get(exchange) ?? [];
    const pending = key === undefined || another !== undefined ? undefined : this.remove(key);
    if (key === undefined || pending === undefined) return false;
    this.settle(key, answered(pending.lookup, message, [], latency(pending, timeMs)), message, timeMs);
    return true;
  }

  /** RFC 6762 section 6: the records of a multicast response answer whoever asked for them, and questions in it are void. */
  private answerGroup(message: DnsMessage, asked: Asked, timeMs: number): void {
    for (const { name, type } of message.answers) {
      for (const asking of [type, TYPE.ANY]) {
        const keys = this.groups.get(mdnsGroup(asked.interface, asking, name));
        if (keys === undefined) continue;
        const records = message.answers.filter(
          (record) => record.name === name && (asking === TYPE.ANY || record.type === type),
        );
        for (const key of keys) {
          const pending = this.remove(key);
          if (pending === undefined) continue;
          this.finish(key, answered(pending.lookup, message, records, latency(pending, timeMs)), timeMs);
        }
      }
    }
    // Section 6.7: to a client that knows plain DNS only, the response is one of plain DNS.
    if (asked.clientPort !== MDNS_PORT) this.answer(message, asked, "mdns", timeMs);
  }

  /** Gives out an answer, or holds it while a fuller one may come. */
  private settle(key: string, lookup: Lookup, message: DnsMessage, timeMs: number): void {
    const held = this.held.get(key);
    if (!message.isCut && !message.isDamaged) {
      this.held.delete(key);
      this.finish(key, lookup, timeMs);
      return;
    }
    if (held !== undefined && held.lookup.answers.length >= lookup.answers.length) return;
    this.held.set(key, { lookup, sinceMs: held?.sinceMs ?? timeMs });
    if (this.held.size <= MAX_HELD) return;
    for (const oldest of this.held.keys()) {
      this.release(oldest, timeMs);
      return;
    }
  }

  private release(key: string, nowMs: number): void {
    const held = this.held.get(key);
    if (held === undefined) return;
    this.held.delete(key);
    this.finish(key, held.lookup, nowMs);
  }

  private finish(key: string, lookup: Lookup, timeMs: number): void {
    this.done.set(key, timeMs);
    for (const oldest of this.done.keys()) {
      if (this.done.size <= this.capacity) break;
      this.done.delete(oldest);
    }
    this.onLookup(lookup);
  }

  private add(key: string, pending: Pending): void {
    this.pending.set(key, pending);
    const keys = this.groups.get(pending.group);
    if (keys === undefined) this.groups.set(pending.group, new Set([key]));
    else keys.add(key);
    if (this.pending.size <= this.capacity) return;
    for (const oldest of this.pending.keys()) {
      this.giveUp(oldest);
      this.evictedCount++;
      return;
    }
  }

  private remove(key: string): Pending | undefined {
    const pending = this.pending.get(key);
    if (pending === undefined) return undefined;
    this.pending.delete(key);
    const keys = this.groups.get(pending.group);
    keys?.delete(key);
    if (keys?.size === 0) this.groups.delete(pending.group);
    return pending;
  }

  private giveUp(key: string): Lookup | undefined {
    const lookup = this.remove(key)?.lookup;
    if (lookup !== undefined) this.onLookup(lookup);
    return lookup;
  }
}
