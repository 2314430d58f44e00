import { allTests } from "../filter/parameters.ts";
import type { FilterExpression, FilterTest } from "../filter/types.ts";
import { DOMAIN_SOURCES } from "../flow/naming.ts";
import type { AnsweredGroup, QuestionAnswerer } from "./question-types.ts";
import type { DomainOrder, DomainQuery, DomainTotals, DomainTraffic, TrafficSums } from "./types.ts";

/** Groups added up between two turns of the event loop. */
const GROUPS_PER_SLICE = 8192;

function filterOf(query: DomainQuery): FilterExpression | null {
  const tests: FilterTest[] = [
    ...(query.interface === undefined ? [] : [{ kind: "interface", pattern: query.interface } as const]),
    ...(query.source === undefined ? [] : [{ kind: "source", source: query.source } as const]),
  ];
  return allTests(tests);
}

function noTraffic(): TrafficSums {
  return { bytesSent: 0, bytesReceived: 0, packetsSent: 0, packetsReceived: 0 };
}

function addTo(sums: TrafficSums, part: TrafficSums): void {
  sums.bytesSent += part.bytesSent;
  sums.bytesReceived += part.bytesReceived;
  sums.packetsSent += part.packetsSent;
  sums.packetsReceived += part.packetsReceived;
}

function bytesOf(sums: TrafficSums): number {
  return sums.bytesSent + sums.bytesReceived;
}

function sizeOf(sums: TrafficSums, order: DomainOrder): number {
  return order === "bytes" ? bytesOf(sums) : sums.packetsSent + sums.packetsReceived;
}

/** Adds a group by domain and source to its domain; to `unnamed` without one. */
function addGroup(
  domains: Map<string, DomainTraffic>,
  unnamed: TrafficSums,
  { key, sums }: AnsweredGroup,
): void {
  const [domain, source] = key;
  if (typeof domain !== "string") {
    addTo(unnamed, sums);
    return;
  }
  const traffic = domains.get(domain) ?? { domain, ...noTraffic(), sources: {} };
  addTo(traffic, sums);
  const known = DOMAIN_SOURCES.find((each) => each === source);
  if (known !== undefined) traffic.sources[known] = (traffic.sources[known] ?? 0) + bytesOf(sums);
  domains.set(domain, traffic);
}

/** Sums the traffic of a time range by domain. Rejects as `ask` does. */
export async function sumDomains(answerer: QuestionAnswerer, query: DomainQuery): Promise<DomainTotals> {
  const { sinceMs, untilMs, order, signal } = query;
  const answer = await answerer.ask({
    sinceMs,
    untilMs,
    order,
    filter: filterOf(query),
    groupBy: [query.isFolded === true ? "registered_domain" : "domain", "source"],
    limit: Infinity,
    ...(signal === undefined ? {} : { signal }),
  });
  const domains = new Map<string, DomainTraffic>();
  const unnamed = noTraffic();
  for (const [index, group] of answer.groups.entries()) {
    addGroup(domains, unnamed, group);
    if (index % GROUPS_PER_SLICE === GROUPS_PER_SLICE - 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  const sorted = [...domains.values()].sort(
    (a, b) => sizeOf(b, order) - sizeOf(a, order) || (a.domain < b.domain ? -1 : 1),
  );
  const { bytesSent, bytesReceived, packetsSent, packetsReceived } = answer.other.sums;
  const other: TrafficSums = { bytesSent, bytesReceived, packetsSent, packetsReceived };
  for (const traffic of sorted.slice(query.limit)) addTo(other, traffic);
  return {
    domains: sorted.slice(0, query.limit),
    other,
    unnamed,
    rows: answer.total.sums.rows,
    pruned: answer.isPruned,
    sinceMs: answer.sinceMs,
    untilMs: answer.untilMs,
    level: answer.level,
    parts: answer.parts,
    coverage: answer.coverage,
    scanned: answer.scanned,
    notes: answer.notes,
  };
}
