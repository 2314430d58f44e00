import { RCODE_LABELS } from "../inspect/dns-counts.ts";
import { INSPECTED, OUTCOMES } from "../inspect/types.ts";
import { registerCounter, registerGauge } from "./instruments.ts";
import type { Registry } from "./prom-client.ts";
import { type InspectionCounts, PTR_OUTCOMES } from "./types.ts";

/** What there is to count where nothing is looked into. */
export const NO_INSPECTION: InspectionCounts = {
  packets: 0,
  domainsResolved: 0,
  dnsResponses: () => 0,
  dnsUnanswered: 0,
  inspections: () => 0,
  connections: 0,
  memoryBytes: 0,
  memoryLimitBytes: 0,
  addressNames: 0,
  ptrQueries: () => 0,
};

/** One number of deep inspection. */
interface Figure {
  name: string;
  help: string;
  pick: (counts: InspectionCounts) => number;
}

const COUNTERS: readonly Figure[] = [
  {
    name: "ayaflow_deep_inspect_packets_total",
    help: "Payload events processed by deep inspection",
    pick: (counts) => counts.packets,
  },
  {
    name: "ayaflow_domains_resolved_total",
    help: "Domain names learned for connections",
    pick: (counts) => counts.domainsResolved,
  },
  {
    name: "ayaflow_dns_unanswered_total",
    help: "DNS questions that nobody answered",
    pick: (counts) => counts.dnsUnanswered,
  },
];

const GAUGES: readonly Figure[] = [
  {
    name: "ayaflow_inspect_connections",
    help: "Connections being looked into",
    pick: (counts) => counts.connections,
  },
  {
    name: "ayaflow_inspect_memory_bytes",
    help: "Payload held by deep inspection",
    pick: (counts) => counts.memoryBytes,
  },
  {
    name: "ayaflow_inspect_memory_limit_bytes",
    help: "Payload that deep inspection may hold",
    pick: (counts) => counts.memoryLimitBytes,
  },
  {
    name: "ayaflow_address_names",
    help: "Addresses whose name is known from DNS",
    pick: (counts) => counts.addressNames,
  },
];

/** Registers what deep inspection counts; every label is from a fixed set. */
export function registerInspectionMetrics(registry: Registry, counts: () => InspectionCounts): void {
  for (const { name, help, pick } of COUNTERS) {
    registerCounter(registry, { name, help, read: () => [[pick(counts())]] });
  }
  for (const { name, help, pick } of GAUGES) {
    registerGauge(registry, { name, help, read: () => [[pick(counts())]] });
  }
  registerCounter(registry, {
    name: "ayaflow_dns_responses_total",
    help: "DNS answers, by response code",
    labelNames: ["rcode"],
    read: () => RCODE_LABELS.map((rcode) => [counts().dnsResponses(rcode), { rcode }]),
  });
  registerCounter(registry, {
    name: "ayaflow_inspections_total",
    help: "Inspections that ended, by protocol and how",
    labelNames: ["protocol", "outcome"],
    read: () =>
      INSPECTED.flatMap((protocol) =>
        OUTCOMES.map((outcome) => [counts().inspections(protocol, outcome), { protocol, outcome }] as const),
      ),
  });
  registerCounter(registry, {
    name: "ayaflow_ptr_queries_total",
    help: "Reverse lookups of addresses, by outcome",
    labelNames: ["outcome"],
    read: () => PTR_OUTCOMES.map((outcome) => [counts().ptrQueries(outcome), { outcome }]),
  });
}
