import { type InspectionCounts, type PtrOutcome } from "../api/types.ts";
import type { KernelPayload } from "../bpf/ring.ts";
import type { Config } from "../config/types.ts";
import type { FlowTable } from "../flow/table.ts";
import type { Loss } from "../flow/types.ts";
import { ConnectionNames } from "../inspect/connection-names.ts";
import { DnsCounts } from "../inspect/dns-counts.ts";
import { MEMORY_LIMIT } from "../inspect/inspection-pool.ts";
import { LiveInspection } from "../inspect/live-inspection.ts";
import { LiveReverse } from "../inspect/live-reverse.ts";
import { RecentLookups } from "../inspect/recent-lookups.ts";
import { ReverseNames } from "../inspect/reverse-names.ts";
import { systemResolver } from "../inspect/reverse-zone.ts";
import type { Lookup } from "../inspect/types.ts";

/** What gives connections their names, as far as it was asked for. */
export interface AgentNames {
  names: ConnectionNames;
  /** Null without deep inspection. */
  lookups: RecentLookups | null;
  counts: InspectionCounts;
  payload(payload: KernelPayload): void;
  /** A slot was taken up: a connection, or a further point of one. */
  opened(slot: number): void;
  /** The connection is over: what is known by now is final. */
  retiring(primary: number): void;
  /** Its slots are about to be used again. */
  retired(primary: number): void;
  /** Another slot stands for a connection from now on. */
  replaced(slot: number, heir: number): void;
  /** Called after each sweep. */
  tick(): void;
  losses(): Loss[];
}

export interface NamesDeps {
  table: FlowTable;
  interfaceName: (ifindex: number) => string;
  fromBootNs: (ns: number) => number;
  observeDnsLatency: (seconds: number) => void;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** Puts the parts together that `--deep-inspect` and `--resolve-dns` ask for. */
export function createNames(config: Pick<Config, "deepInspect" | "resolveDns">, deps: NamesDeps): AgentNames {
  const names = new ConnectionNames();
  const recent = new RecentLookups();
  const dns = new DnsCounts();
  const lookup = (one: Lookup) => {
    recent.add(one);
    dns.add(one);
    if (one.latencyMs !== null) deps.observeDnsLatency(one.latencyMs / 1000);
  };
  const { table, interfaceName, fromBootNs, now } = deps;
  const deep = config.deepInspect
    ? new LiveInspection({ table, names, interfaceName, fromBootNs, now, wallMs: Date.now, lookup })
    : null;
  const reverse = config.resolveDns ? new ReverseNames({ resolve: systemResolver(), now }) : null;
  const ptr = reverse === null ? null : new LiveReverse({ table, names, reverse, now });
  return {
    names,
    lookups: deep === null ? null : recent,
    counts: countsOf(names, dns, deep, reverse),
    payload: (payload) => deep?.payload(payload),
    opened(slot) {
      deep?.opened(slot);
      if (table.points.isPrimary(slot)) ptr?.opened(slot);
    },
    retiring: (primary) => deep?.retired(primary),
    retired: (primary) => names.forget(primary),
    replaced(slot, heir) {
      deep?.retired(slot);
      names.move(slot, heir);
    },
    tick() {
      deep?.tick();
      ptr?.tick();
    },
    losses: () => lossesOf(deep),
  };
}

function lossesOf(deep: LiveInspection | null): Loss[] {
  if (deep === null) return [];
  const { pool, lookups } = deep.inspector;
  return [
    { stage: "inspect", reason: "evicted", count: pool.evicted },
    { stage: "inspect", reason: "lookups_evicted", count: lookups.evicted },
    { stage: "inspect", reason: "stale_payload", count: deep.stalePayloads },
  ];
}

function countsOf(
  names: ConnectionNames,
  dns: DnsCounts,
  deep: LiveInspection | null,
  reverse: ReverseNames | null,
): InspectionCounts {
  const inspector = deep?.inspector;
  return {
    get packets() {
      return inspector?.packets ?? 0;
    },
    get domainsResolved() {
      return names.resolved;
    },
    dnsResponses: (rcode) => dns.answered(rcode),
    get dnsUnanswered() {
      return inspector?.lookups.unanswered ?? 0;
    },
    inspections: (protocol, outcome) => inspector?.counters.get(protocol, outcome) ?? 0,
    get connections() {
      return inspector?.pool.size ?? 0;
    },
    get memoryBytes() {
      return inspector?.pool.memory ?? 0;
    },
    memoryLimitBytes: deep === null ? 0 : MEMORY_LIMIT,
    get addressNames() {
      return inspector?.addresses.size ?? 0;
    },
    ptrQueries: (outcome: PtrOutcome) => reverse?.counts[outcome] ?? 0,
  };
}
