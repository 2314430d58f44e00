import { parseAddress } from "../flow/address.ts";
import { domainMatcher } from "../flow/domain-pattern.ts";
import { parseNetwork } from "../flow/network.ts";
import type { Lookup } from "./types.ts";

const MAX_LOOKUPS = 4096;
const MAX_BYTES = 4 * 1024 * 1024;
/** Of a lookup apart from its texts, and of each text apart from its characters: about what they take in memory. */
const LOOKUP_BYTES = 240;
const TEXT_BYTES = 24;

/** Which lookups, how many. Absent fields do not filter. */
export interface LookupQuery {
  limit: number;
  /** A name, or `*.example.com` for that name and all below it; lower case. */
  name?: string;
  /** `AAAA`, upper case. */
  type?: string;
  /** `NXDOMAIN`, upper case; null for those that nobody answered. */
  rcode?: string | null;
  /** Client or server: an address or CIDR. */
  ip?: string;
}

function bytesOf({ name, answers }: Lookup): number {
  const texts = [name, ...answers];
  return texts.reduce((bytes, text) => bytes + TEXT_BYTES + text.length, LOOKUP_BYTES);
}

function matcher(query: LookupQuery): (lookup: Lookup) => boolean {
  const isNamed = query.name === undefined ? null : domainMatcher(query.name);
  const network = query.ip === undefined ? null : parseNetwork(query.ip);
  const isWithin = (text: string) => {
    const address = parseAddress(text);
    return address !== null && network?.contains(address) === true;
  };
  return (lookup) =>
    (query.type === undefined || lookup.type === query.type) &&
    (query.rcode === undefined || lookup.rcode === query.rcode) &&
    (isNamed === null || isNamed(lookup.name)) &&
    (network === null || isWithin(lookup.client) || isWithin(lookup.server));
}

/** The last lookups, bounded in number and bytes: the oldest give way. */
export class RecentLookups {
  private readonly ring: (Lookup | undefined)[];
  private first = 0;
  private count = 0;
  private bytes = 0;

  constructor(
    private readonly capacity = MAX_LOOKUPS,
    private readonly maxBytes = MAX_BYTES,
  ) {
    this.ring = Array.from({ length: capacity });
  }

  get size(): number {
    return this.count;
  }

  /** Adds a lookup that is over: answered or given up. */
  add(lookup: Lookup): void {
    if (this.count === this.capacity) this.dropOldest();
    this.ring[(this.first + this.count) % this.capacity] = lookup;
    this.count++;
    this.bytes += bytesOf(lookup);
    while (this.bytes > this.maxBytes) this.dropOldest();
  }

  /** Those that match, the newest question first. @throws AyaflowError when `ip` is neither address nor CIDR. */
  recent(query: LookupQuery): Lookup[] {
    const matches = matcher(query);
    const found: Lookup[] = [];
    for (let index = this.count - 1; index >= 0; index--) {
      const lookup = this.ring[(this.first + index) % this.capacity];
      if (lookup !== undefined && matches(lookup)) found.push(lookup);
    }
    // What nobody answered is added late.
    return found.sort((a, b) => b.timeMs - a.timeMs).slice(0, query.limit);
  }

  private dropOldest(): void {
    const oldest = this.ring[this.first];
    if (oldest === undefined) return;
    this.ring[this.first] = undefined;
    this.first = (this.first + 1) % this.capacity;
    this.count--;
    this.bytes -= bytesOf(oldest);
  }
}
