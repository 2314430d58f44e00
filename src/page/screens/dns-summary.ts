import { compilePredicate, type Predicate } from "../../filter/predicate.ts";
import type { FilterExpression, FilterSubject } from "../../filter/types.ts";
import { parseAddress } from "../../flow/address.ts";
import type { LookupAnswer } from "../data/answers.ts";

const UDP = 17;
const TCP = 6;
const NO_ADDRESS = new Uint8Array(4);

/** A lookup as a filter sees it: the name asked for is its domain, the DNS server its server. */
function subjectOf(lookup: LookupAnswer): FilterSubject {
  return {
    client: parseAddress(lookup.client) ?? NO_ADDRESS,
    server: parseAddress(lookup.server) ?? NO_ADDRESS,
    clientPort: lookup.client_port,
    serverPort: lookup.server_port,
    protocol: lookup.transport === "tcp" ? TCP : UDP,
    interface: lookup.interface,
    direction: "egress",
    domain: lookup.name.toLowerCase(),
    domainSource: "dns",
    alpn: [],
    ja4: null,
    state: "none",
    bytes: 0,
    packets: 0,
    rttNs: lookup.latency_ms === null ? null : lookup.latency_ms * 1e6,
    retransmits: 0,
    isReversed: false,
  };
}

/** Whether a lookup failed: an answer that is an error, or none. */
export function isFailure({ rcode }: LookupAnswer): boolean {
  return rcode !== "NOERROR";
}

export interface LookupChoice {
  filter: FilterExpression | null;
  sinceMs: number;
  untilMs: number;
  onlyFailures: boolean;
}

/** Those of the lookups that are asked for, in their order. */
export function chooseLookups(lookups: readonly LookupAnswer[], choice: LookupChoice): LookupAnswer[] {
  const matches: Predicate = choice.filter === null ? () => true : compilePredicate(choice.filter);
  return lookups.filter((lookup) => {
    const time = Date.parse(lookup.time);
    if (time < choice.sinceMs || time > choice.untilMs) return false;
    return (!choice.onlyFailures || isFailure(lookup)) && matches(subjectOf(lookup));
  });
}

export interface RcodeCount {
  rcode: string | null;
  count: number;
}

/** How many lookups ended with each response code, most first. */
export function countRcodes(lookups: readonly LookupAnswer[]): RcodeCount[] {
  const counts = new Map<string | null, number>();
  for (const { rcode } of lookups) counts.set(rcode, (counts.get(rcode) ?? 0) + 1);
  return [...counts].map(([rcode, count]) => ({ rcode, count })).toSorted((a, b) => b.count - a.count);
}

const EDGES_MS = [1, 3, 10, 30, 100, 300, 1000];

export interface LatencyBar {
  label: string;
  count: number;
}

/** How many answers came within how long. */
export function latencyBars(lookups: readonly LookupAnswer[]): LatencyBar[] {
  const bars = [...EDGES_MS, Infinity].map((edge) => ({ label: edgeLabel(edge), count: 0 }));
  for (const { latency_ms } of lookups) {
    if (latency_ms === null) continue;
    const index = EDGES_MS.findIndex((edge) => latency_ms < edge);
    const bar = bars[index === -1 ? EDGES_MS.length : index];
    if (bar !== undefined) bar.count++;
  }
  return bars;
}

function edgeLabel(edge: number): string {
  if (edge === Infinity) return "more";
  if (edge >= 1000) return `<${edge / 1000} s`;
  return edge === EDGES_MS[0] ? `<${edge} ms` : `<${edge}`;
}

/** The latency that a share of the answers kept to; null without answers. */
export function latencyAt(lookups: readonly LookupAnswer[], share: number): number | null {
  const latencies = lookups.flatMap(({ latency_ms }) => (latency_ms === null ? [] : [latency_ms]));
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
