import type { Hook } from "../bpf/attach.ts";
import type { DepartedTotals } from "../bpf/departed.ts";
import type { WatchedInterface } from "../bpf/kernel-interfaces.ts";
import { ENUMS } from "../bpf/layout.gen.ts";
import type { EventRing } from "../bpf/ring.ts";
import type { ClassCounters, PerCpuCounters } from "../bpf/totals.ts";
import type { ConnectionView } from "./connections.ts";
import { lossWords } from "./loss-words.ts";
import type { Restraint } from "./restraint.ts";
import { OnceTotals, without } from "./once-totals.ts";
import { NO_POINT } from "./points.ts";
import type { FlowTable } from "./table.ts";
import type {
  AgentView,
  Connection,
  Counters,
  InterfaceTotals,
  LiveQuery,
  Loss,
  Stats,
  SweepChange,
} from "./types.ts";
import type { WatchState } from "./watch-state.ts";

const CLASS = ENUMS.ayaflow_class;
const LOST = ENUMS.ayaflow_lost;
const RATE_SWEEPS = 3;
/** Row of the totals for packets on interfaces that nobody said are watched. */
const UNKNOWN_ROW = 0;
/** A loss makes the agent degraded for so long. */
const DEGRADED_MS = 10_000;
const MAX_CHANGES = 2000;

/** What the kernel counts as lost, in the order of enum ayaflow_lost. */
const KERNEL_LOSSES: { index: number; stage: Loss["stage"]; reason: string }[] = [
  { index: LOST.AYAFLOW_LOST_TABLE_FULL, stage: "table", reason: "full" },
  { index: LOST.AYAFLOW_LOST_INSERT_FAILED, stage: "table", reason: "insert_failed" },
  { index: LOST.AYAFLOW_LOST_RING_OPEN, stage: "ring", reason: "open_event" },
  { index: LOST.AYAFLOW_LOST_RING_PACKET, stage: "ring", reason: "packet_event" },
  { index: LOST.AYAFLOW_LOST_NO_CONNECTION, stage: "history", reason: "no_connection" },
  { index: LOST.AYAFLOW_LOST_RING_PAYLOAD, stage: "ring", reason: "payload_event" },
  { index: LOST.AYAFLOW_LOST_SHED_PACKET, stage: "history", reason: "shed_packet" },
  { index: LOST.AYAFLOW_LOST_SHED_PAYLOAD, stage: "inspect", reason: "shed_payload" },
];

type Watched = Pick<WatchedInterface, "name" | "row" | "hooks">;

const HOOKS: readonly Hook[] = ["ingress", "egress"];

export interface MonitorOptions {
  counters: PerCpuCounters;
  ring: EventRing;
  table: FlowTable;
  view: ConnectionView;
  tableSize: number;
  interfaces(): readonly Watched[];
  /** What interfaces counted that are not watched any more. */
  departed: Pick<DepartedTotals, "read">;
  watch: WatchState;
  /** Takes up what the kernel has opened until now. */
  catchUp(): void;
  /** Losses counted elsewhere (history, inspection). */
  otherLosses(): Loss[];
  restraint: Pick<Restraint, "state" | "reasons">;
  /** Monotonic milliseconds. */
  now(): number;
}

interface Sample {
  at: number;
  total: Counters;
  losses: Loss[];
}

/** The agent's own view of itself: totals straight from the kernel, rates and losses over the last sweeps. */
export class Monitor implements AgentView {
  private readonly startedAt: number;
  private samples: Sample[] = [];
  private readonly once = new OnceTotals();
  private readonly listeners = new Set<(change: SweepChange) => void>();

  constructor(private readonly options: MonitorOptions) {
    this.startedAt = options.now();
  }

  stats(): Stats {
    const { table, ring } = this.options;
    const interfaces = this.interfaces();
    const all = [...interfaces, ...this.departed()];
    const sum = (pick: (one: InterfaceTotals) => Counters) => totalOf(all.map(pick));
    const seen = sum((one) => one.seen);
    const attributed = sum((one) => one.attributed);
    // Known by now: a packet that was seen at two points so far has both its slots taken up.
    this.options.catchUp();
    const once = this.once.update(seen, attributed, table.sums.duplicates());
    const countable = seen.packets - sum((one) => one.notIp).packets;
    return {
      uptimeSeconds: (this.options.now() - this.startedAt) / 1000,
      interfaces,
      ...once,
      ...this.rates(once.total),
      activeConnections: table.active(),
      coverage: countable === 0 ? 1 : attributed.packets / countable,
      losses: this.losses(),
      tableUsed: table.size,
      tableSize: this.options.tableSize,
      ringUsedBytes: ring.usedBytes(),
      ringSizeBytes: ring.sizeBytes,
      restraint: this.options.restraint.state(),
      watch: { interfaces: this.options.interfaces().length, changes: { ...this.options.watch.changes } },
    };
  }

  live(query: LiveQuery): { connections: Connection[]; matched: number } {
    return this.options.view.live(query);
  }

  find(id: string): Connection | null {
    return this.options.view.find(id);
  }

  onSweep(listener: (change: SweepChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  degradedReasons(): string[] {
    const oldest = this.samples[0]?.losses ?? [];
    const before = new Map(oldest.map((loss) => [`${loss.stage}/${loss.reason}`, loss.count]));
    const losing = this.losses()
      .filter((loss) => loss.count > (before.get(`${loss.stage}/${loss.reason}`) ?? 0))
      .map(lossWords);
    return [...this.options.watch.reasons(), ...this.options.restraint.reasons(), ...losing];
  }

  /** `open` events that found the ring full, since start. */
  lostOpens(): number {
    return this.options.counters.loss(LOST.AYAFLOW_LOST_RING_OPEN);
  }

  /** Whether anyone wants each sweep's changes. */
  get watched(): boolean {
    return this.listeners.size > 0;
  }

  /** Called once a sweep, after the table's. `opened` and `updated` are slots. */
  swept(opened: number[], updated: number[], retired: Connection[]): void {
    const stats = this.watched ? this.stats() : null;
    this.sample();
    if (stats === null) return;
    const { points } = this.options.table;
    // Some may have been retired since they were found.
    const primaries = (slots: number[]) =>
      [...new Set(slots.map((slot) => points.primary(slot)))].filter((primary) => primary !== NO_POINT);
    const records = (of: number[]) =>
      of.slice(0, MAX_CHANGES).map((primary) => this.options.view.connection(primary));
    const fresh = primaries(opened);
    const isFresh = new Set(fresh);
    const changed = primaries(updated).filter((primary) => !isFresh.has(primary));
    const change: SweepChange = {
      stats,
      opened: records(fresh),
      updated: records(changed),
      retired: retired.slice(0, MAX_CHANGES),
      truncated: [fresh, changed, retired].some((list) => list.length > MAX_CHANGES),
    };
    for (const listener of this.listeners) listener(change);
  }

  /** Of all there is to know only what is compared later: most sweeps nobody asks for the rest. */
  private sample(): void {
    const { counters, table } = this.options;
    const now = this.options.now();
    const rows = [UNKNOWN_ROW, ...this.options.interfaces().map(({ row }) => row)];
    const seen = totalOf([counters.seen(rows), ...this.departed().map((one) => one.seen)]);
    const total = without(seen, table.duplicates);
    this.samples.push({ at: now, total, losses: this.losses() });
    while (now - (this.samples[0]?.at ?? now) >= DEGRADED_MS) this.samples.shift();
  }

  private interfaces(): InterfaceTotals[] {
    const { counters } = this.options;
    const rows: Watched[] = [
      { name: "unknown", row: UNKNOWN_ROW, hooks: HOOKS },
      ...this.options.interfaces(),
    ];
    return rows.flatMap(({ name, row, hooks }) =>
      hooks
        .map((hook) => interfaceTotals(name, hook, counters.read(row, HOOKS.indexOf(hook))))
        .filter(({ seen }) => row !== UNKNOWN_ROW || seen.packets > 0),
    );
  }

  private departed(): InterfaceTotals[] {
    return HOOKS.map((hook, index) => interfaceTotals("departed", hook, this.options.departed.read(index)));
  }

  private losses(): Loss[] {
    const counts = this.options.counters.losses();
    return [
      ...KERNEL_LOSSES.map(({ index, stage, reason }) => ({ stage, reason, count: counts[index] ?? 0 })),
      ...this.options.otherLosses(),
    ];
  }

  private rates(total: Counters): { packetsPerSecond: number; bytesPerSecond: number } {
    const base = this.samples.at(-RATE_SWEEPS) ?? this.samples[0];
    const seconds = base === undefined ? 0 : (this.options.now() - base.at) / 1000;
    if (base === undefined || seconds <= 0) return { packetsPerSecond: 0, bytesPerSecond: 0 };
    return {
      packetsPerSecond: Math.max(0, total.packets - base.total.packets) / seconds,
      bytesPerSecond: Math.max(0, total.bytes - base.total.bytes) / seconds,
    };
  }
}

function interfaceTotals(name: string, direction: Hook, classes: ClassCounters): InterfaceTotals {
  const of = (index: number) => classes[index] ?? { packets: 0, bytes: 0 };
  return {
    interface: name,
    direction,
    seen: totalOf(classes),
    attributed: of(CLASS.AYAFLOW_ATTRIBUTED),
    overflow: of(CLASS.AYAFLOW_OVERFLOW),
    notIp: of(CLASS.AYAFLOW_NOT_IP),
    malformed: of(CLASS.AYAFLOW_MALFORMED),
  };
}

function totalOf(parts: readonly Counters[]): Counters {
  const sum = { packets: 0, bytes: 0 };
  for (const part of parts) {
    sum.packets += part.packets;
    sum.bytes += part.bytes;
  }
  return sum;
}
