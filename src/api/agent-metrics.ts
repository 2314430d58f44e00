import type { Registry } from "./prom-client.ts";
import { SHED_STEPS } from "../flow/restraint.ts";
import type { Counters, InterfaceTotals, Loss, Stats } from "../flow/types.ts";
import { WATCH_CHANGES } from "../flow/watch-state.ts";
import type { HistoryStatus } from "../history/types.ts";
import { registerHistory } from "./history-metrics.ts";
import { registerCounter, registerGauge, type Sample } from "./instruments.ts";
import type { ApiDeps } from "./types.ts";

/** What one scrape shows: read once, so that its figures belong together. */
export interface Snapshot {
  stats: Stats;
  history: HistoryStatus | null;
  losses: readonly Loss[];
  streamClients: number;
}

const BY_INTERFACE = ["interface", "direction"] as const;

function byInterface(stats: Stats, pick: (totals: InterfaceTotals) => number): Sample[] {
  return stats.interfaces.map((totals) => [
    pick(totals),
    { interface: totals.interface, direction: totals.direction },
  ]);
}

/** Packets and bytes of one class of traffic per interface and direction. */
function registerTraffic(
  registry: Registry,
  snapshot: () => Snapshot,
  prefix: string,
  what: string,
  pick: (totals: InterfaceTotals) => Counters,
): void {
  for (const unit of ["packets", "bytes"] as const) {
    registerCounter(registry, {
      name: `ayaflow_${prefix}${unit}_total`,
      help: `${unit === "packets" ? "Packets" : "Bytes of packets"} ${what}`,
      labelNames: BY_INTERFACE,
      read: () => byInterface(snapshot().stats, (totals) => pick(totals)[unit]),
    });
  }
}

function registerTrafficClasses(registry: Registry, snapshot: () => Snapshot): void {
  const add = (prefix: string, what: string, pick: (totals: InterfaceTotals) => Counters) =>
    registerTraffic(registry, snapshot, prefix, what, pick);
  add("", "seen on the interface", (totals) => totals.seen);
  add("attributed_", "counted on a connection", (totals) => totals.attributed);
  add("overflow_", "not counted on a connection because the table was full", (totals) => totals.overflow);
  add("not_ip_", "that are neither IPv4 nor IPv6", (totals) => totals.notIp);
  add("malformed_", "with an IP header cut short or invalid", (totals) => totals.malformed);
}

/** Each packet once. */
function registerHost(registry: Registry, snapshot: () => Snapshot): void {
  const add = (name: string, what: string, pick: (stats: Stats) => Counters) => {
    for (const unit of ["packets", "bytes"] as const) {
      registerCounter(registry, {
        name: `ayaflow_${name}_${unit}_total`,
        help: `${unit === "packets" ? "Packets" : "Bytes of packets"} ${what}`,
        read: () => [[pick(snapshot().stats)[unit]]],
      });
    }
  };
  add("host", "seen, each once however many interfaces saw it", (stats) => stats.total);
  add("duplicate", "of connections that further interfaces saw again", (stats) => stats.duplicates);
}

function registerFill(registry: Registry, snapshot: () => Snapshot): void {
  const gauge = (name: string, help: string, read: (stats: Stats) => number) =>
    registerGauge(registry, { name, help, read: () => [[read(snapshot().stats)]] });
  gauge(
    "ayaflow_active_connections",
    "Connections in the table that are not closed",
    (stats) => stats.activeConnections,
  );
  gauge("ayaflow_coverage_ratio", "Share of IP packets counted on a connection", (stats) => stats.coverage);
  gauge("ayaflow_table_connections", "Slots of the connection table in use", (stats) => stats.tableUsed);
  gauge("ayaflow_table_size_connections", "Slots of the connection table", (stats) => stats.tableSize);
  gauge("ayaflow_ring_used_bytes", "Event ring buffer not yet read", (stats) => stats.ringUsedBytes);
  gauge("ayaflow_ring_size_bytes", "Size of the event ring buffer", (stats) => stats.ringSizeBytes);
}

/** Use by budget, 0 where there is none. */
const budgetRatio = (use: number, budget: number): number => (budget === 0 ? 0 : use / budget);

function registerRestraint(registry: Registry, snapshot: () => Snapshot): void {
  const state = () => snapshot().stats.restraint;
  registerGauge(registry, {
    name: "ayaflow_shed",
    help: "1 while the agent does not do this to keep to its budget",
    labelNames: ["what"],
    read: () => SHED_STEPS.map((step) => [state().shed.includes(step) ? 1 : 0, { what: step }]),
  });
  registerGauge(registry, {
    name: "ayaflow_budget_ratio",
    help: "The agent's own use by its budget, 0 without a budget",
    labelNames: ["resource"],
    read: () => [
      [budgetRatio(state().cpuPercent, state().cpuBudgetPercent), { resource: "cpu" }],
      [budgetRatio(state().residentBytes, state().memoryBudgetBytes), { resource: "memory" }],
    ],
  });
  registerCounter(registry, {
    name: "ayaflow_shed_steps_total",
    help: "How often the agent shed something to keep to its budget",
    read: () => [[state().stepsTaken]],
  });
}

function registerWatch(registry: Registry, snapshot: () => Snapshot): void {
  const watch = () => snapshot().stats.watch;
  registerGauge(registry, {
    name: "ayaflow_interfaces",
    help: "Interfaces that are watched now",
    read: () => [[watch().interfaces]],
  });
  registerCounter(registry, {
    name: "ayaflow_interface_changes_total",
    help: "What became of interfaces; reattached: somebody took the agent's programs away, packets until then were not seen",
    labelNames: ["change"],
    read: () => WATCH_CHANGES.map((change) => [watch().changes[change], { change }]),
  });
}

/** Registers everything read from the agent and the history; no metric looks at single connections. */
export function registerAgentMetrics(
  registry: Registry,
  version: ApiDeps["version"],
  snapshot: () => Snapshot,
): void {
  registerTrafficClasses(registry, snapshot);
  registerHost(registry, snapshot);
  registerFill(registry, snapshot);
  registerWatch(registry, snapshot);
  registerCounter(registry, {
    name: "ayaflow_lost_total",
    help: "What could not be kept, by stage and reason",
    labelNames: ["stage", "reason"],
    read: () => snapshot().losses.map(({ stage, reason, count }) => [count, { stage, reason }]),
  });
  registerHistory(registry, () => snapshot().history);
  registerRestraint(registry, snapshot);
  registerGauge(registry, {
    name: "ayaflow_stream_clients",
    help: "Open WebSocket streams",
    read: () => [[snapshot().streamClients]],
  });
  registerGauge(registry, {
    name: "ayaflow_build_info",
    help: "Version of the running agent, always 1",
    labelNames: ["version", "commit", "bun_version"],
    read: () => [[1, { ...version, bun_version: Bun.version }]],
  });
}
