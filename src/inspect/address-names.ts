import type { DnsMessage, DnsRecord } from "./dns-message.ts";
import { TYPE } from "./dns-types.ts";

const CAPACITY = 32_768;
/** Applications keep addresses, and connections stay open, for longer than servers allow. */
const MIN_LIFE_MS = 60_000;
/** By then an address of a hosting provider may well be another customer's. */
const MAX_LIFE_MS = 86_400_000;
/** CNAME and DNAME records that are followed; resolvers give up at about as many. */
const MAX_CHAIN = 16;
const IPV4_BYTES = 4;
/** FNV-1a of 32 bits, and a multiplier of MurmurHash3 for the other bits. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const MIX = 0x85ebca6b;
const LOOPBACK_NETWORK = 127;
/** What multicast DNS is about (RFC 6762 section 3). */
const LOCAL = ".local";

interface Entry {
  interfaceName: string;
  address: Uint8Array;
  name: string;
  expiresMs: number;
  /** Found since it last stood in line to go. */
  isUsed: boolean;
}

/**
 * A hash of 52 bits: a map finds numbers ten times as fast as strings. Whoever makes two addresses share one makes the
 * newer take the place of the older, no more: `isFor` tells them apart.
 */
function hash(interfaceName: string, address: Uint8Array): number {
  let high = FNV_BASIS;
  let low = address.length;
  for (let at = 0; at < interfaceName.length; at++) {
    high = Math.imul(high ^ interfaceName.charCodeAt(at), FNV_PRIME);
  }
  for (let at = 0; at < address.length; at++) {
    const byte = address[at] ?? 0;
    high = Math.imul(high ^ byte, FNV_PRIME);
    low = Math.imul(low ^ byte, MIX);
    low ^= low >>> 13;
  }
  return (high >>> 0) * 0x100000 + (low >>> 12);
}

function isFor(entry: Entry, interfaceName: string, address: Uint8Array): boolean {
  if (entry.interfaceName !== interfaceName || entry.address.length !== address.length) return false;
  for (let at = 0; at < address.length; at++) if (entry.address[at] !== address[at]) return false;
  return true;
}

/** Whether block lists give this address for names they block: the unspecified address and loopback. */
function isNobody(address: Uint8Array): boolean {
  if (address.length === IPV4_BYTES && address[0] === LOOPBACK_NETWORK) return true;
  const last = address.length - 1;
  for (let at = 0; at < last; at++) if (address[at] !== 0) return false;
  const end = address[last] ?? 0;
  return end === 0 || (end === 1 && last >= IPV4_BYTES);
}

/** The name that a record makes of `name`; null if it is not about it (RFC 1034 section 3.6.2, RFC 6672 section 2.2). */
function follow(record: DnsRecord, name: string): string | null {
  if (record.target === null) return null;
  if (record.type === TYPE.DNAME) {
    const suffix = `.${record.name}`;
    return name.endsWith(suffix) ? `${name.slice(0, 1 - suffix.length)}${record.target}` : null;
  }
  const isAlias = record.type === TYPE.CNAME || record.type === TYPE.HTTPS || record.type === TYPE.SVCB;
  return isAlias && record.name === name ? record.target : null;
}

/** All names that the one asked for leads to, itself first. */
function chain(question: string, answers: readonly DnsRecord[]): Set<string> {
  const names = new Set([question]);
  // A set gives what is added to it while it is walked, each name once.
  for (const name of names) {
    for (const record of answers) {
      const next = follow(record, name);
      if (next !== null && names.size < MAX_CHAIN) names.add(next);
    }
  }
  return names;
}

/**
 * The names that addresses were asked for by, per interface: whom a connection is to when nothing in it says so.
 * Bounded; a name that was not used lately goes first.
 */
export class AddressNames {
  private readonly entries = new Map<number, Entry>();
  private evictions = 0;

  constructor(private readonly capacity: number = CAPACITY) {}

  /** Addresses that have a name now. */
  get size(): number {
    return this.entries.size;
  }

  /** Names that made room for others before their time. */
  get evicted(): number {
    return this.evictions;
  }

  /**
   * Takes the addresses of an answer without error, each under the name that was asked for, however many aliases lie
   * between; the newest answer wins. Records that the question does not lead to are left alone: anybody can add them.
   * An answer to no question is one of multicast DNS, whose records stand for themselves, below `.local` only.
   * Time in milliseconds, as in `find`.
   */
  learn(interfaceName: string, message: DnsMessage, nowMs: number): void {
    if (!message.isResponse || message.rcode !== 0) return;
    const [question] = message.questions;
    if (question === undefined) {
      for (const record of message.answers) {
        // RFC 6762 section 10.1: no time to live says goodbye.
        if (record.name.endsWith(LOCAL) && record.ttl > 0)
          this.keep(interfaceName, record.name, record, nowMs);
      }
      return;
    }
    const names = chain(question.name, message.answers);
    for (const record of message.answers) {
      if (names.has(record.name)) this.keep(interfaceName, question.name, record, nowMs);
    }
  }

  /** The name for an address of 4 or 16 bytes on an interface; null where none is known or its time is over. */
  find(interfaceName: string, address: Uint8Array, nowMs: number): string | null {
    const key = hash(interfaceName, address);
    const entry = this.entries.get(key);
    if (entry === undefined || !isFor(entry, interfaceName, address)) return null;
    if (entry.expiresMs <= nowMs) {
      this.entries.delete(key);
      return null;
    }
    entry.isUsed = true;
    return entry.name;
  }

  private keep(interfaceName: string, name: string, record: DnsRecord, nowMs: number): void {
    const expiresMs = nowMs + Math.min(Math.max(record.ttl * 1000, MIN_LIFE_MS), MAX_LIFE_MS);
    const addresses = record.address === null ? [] : [record.address];
    // `_8443._https.example.com` and its like name a service and no host.
    for (const address of name.startsWith("_") ? addresses : [...addresses, ...record.hints]) {
      if (isNobody(address) || name === ".") continue;
      const key = hash(interfaceName, address);
      if (!this.entries.delete(key) && this.entries.size >= this.capacity) this.evict(nowMs);
      this.entries.set(key, { interfaceName, address, name, expiresMs, isUsed: false });
    }
  }

  /** Second chance: a name that was found goes to the end of the line once, which spares find() the bookkeeping. */
  private evict(nowMs: number): void {
    for (const [key, entry] of this.entries) {
      this.entries.delete(key);
      if (!entry.isUsed || entry.expiresMs <= nowMs) {
        if (entry.expiresMs > nowMs) this.evictions++;
        return;
      }
      entry.isUsed = false;
      this.entries.set(key, entry);
    }
  }
}
