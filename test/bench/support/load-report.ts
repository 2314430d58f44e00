/** What `load` found, as tables and bounds. */
import type { Capacity } from "./capacity.ts";
import { CHURN } from "./churn-traffic.ts";
import { CHURN_MAX_CONNECTIONS, type ChurnResult } from "./churn-load.ts";
import { FULL_FRAME, SMALL_FRAME } from "./generator.ts";
import type { Quantiles } from "./probe.ts";
import { type Point, RATES, rowOf, type SweepRow } from "./rate-sweep.ts";
import type { RawLoad } from "./raw-load.ts";
import type { Table } from "./report.ts";
import { SUBJECTS } from "./subjects.ts";

/** Everything that was measured. */
export interface LoadResults {
  capacities: readonly Capacity[];
  rows: readonly SweepRow[];
  churn: ChurnResult;
  raw: RawLoad;
}

const MEGABYTE = 1e6;
const NONE = "-";

const percent = (share: number, digits = 1) => `${(share * 100).toFixed(digits)}%`;
const megabytes = (bytes: number) => (bytes / MEGABYTE).toFixed(1);
const whole = (value: number) => Math.round(value).toString();

function milliseconds({ p50, p99 }: Quantiles): string {
  return Number.isNaN(p50) ? NONE : `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function losses(byStage: Record<string, number>): string {
  const entries = Object.entries(byStage);
  return entries.length === 0 ? "0" : entries.map(([stage, count]) => `${stage} ${count}`).join(", ");
}

function capacityTable(capacities: readonly Capacity[]): Table {
  return {
    title: "Packets/s that the generator keeps, frames of 64 bytes, as fast as it goes",
    columns: ["connections", "nothing", ...SUBJECTS, "rounds"],
    rows: capacities.map(({ connections, bare, kept, rounds }) => [
      whole(connections),
      `${whole(bare)}/s`,
      ...SUBJECTS.map((name) => percent(kept[name])),
      whole(rounds),
    ]),
    note: "medians over rounds of what was reached by what was reached with nothing attached in the same round; BPF statistics off",
  };
}

function costRow(row: SweepRow): string[] {
  const { cost, account } = row;
  const perPacket = cost.bpfRuns === 0 ? NONE : (cost.bpfNs / cost.bpfRuns).toFixed(0);
  return [
    row.subject,
    whole(row.achieved),
    cost.cpuPercent.toFixed(2),
    cost.bpfRuns === 0 ? NONE : cost.bpfPercent.toFixed(1),
    perPacket,
    megabytes(row.rss),
    megabytes(row.anonymous),
    account === null ? (row.lost === null ? NONE : whole(row.lost)) : losses(account.losses),
    account === null ? NONE : account.coverage.toString(),
    account === null ? NONE : milliseconds(account.eventLoop),
  ];
}

const COST_COLUMNS = [
  "own CPU, %",
  "BPF, %",
  "BPF, ns/packet",
  "RSS, MB",
  "anonymous, MB",
  "lost",
  "coverage",
  "loop delay p50 / p99, ms",
];

const ofRate = (connections: number, frameBytes: number, rate: number | null): Point => ({
  connections,
  frameBytes,
  rate,
});

function costTable(
  title: string,
  rows: readonly SweepRow[],
  points: readonly Point[],
  name: (point: Point) => string,
): Table {
  return {
    title,
    columns: ["", "subject", "packets/s", ...COST_COLUMNS],
    rows: points.flatMap((point) =>
      SUBJECTS.map((subject) => [name(point), ...costRow(rowOf(rows, subject, point))]),
    ),
    note: "own CPU is user + system time of the process, % of one core; BPF is its programs' time in softirq by the kernel's statistics, which take about 20 ns of each run themselves; drops of tcpdump and softflowd as libpcap counts them",
  };
}

function sweepTables(rows: readonly SweepRow[]): Table[] {
  const byRate = RATES.map((rate) => ofRate(10_000, SMALL_FRAME, rate));
  const byConnections = [100, 10_000, 50_000].map((connections) => ofRate(connections, SMALL_FRAME, null));
  const bySize = [SMALL_FRAME, FULL_FRAME].map((frameBytes) => ofRate(10_000, frameBytes, null));
  return [
    costTable("Load by rate: 10,000 connections, frames of 64 bytes", rows, byRate, ({ rate }) =>
      rate === null ? "top speed" : `${whole(rate)}/s`,
    ),
    costTable(
      "Load by connections: frames of 64 bytes, top speed",
      rows,
      byConnections,
      ({ connections }) => `${connections} connections`,
    ),
    costTable(
      "Load by frame size: 10,000 connections, top speed",
      rows,
      bySize,
      ({ frameBytes }) => `${frameBytes} bytes`,
    ),
  ];
}

function latencyTable({ rows, churn }: LoadResults): Table {
  const ours = rows.flatMap((row) => (row.latencies === null ? [] : [{ row, latencies: row.latencies }]));
  return {
    title: "Answers of the agent under load, p50 / p99 in milliseconds",
    columns: ["", "/metrics", "/api/live", "samples of each"],
    rows: [
      ...ours.map(({ row, latencies }) => [
        `${row.connections} connections, ${row.rate === null ? "top speed" : `${row.rate}/s`}`,
        milliseconds(latencies.metrics),
        milliseconds(latencies.live),
        whole(latencies.samples),
      ]),
      [
        "churn, see there",
        milliseconds(churn.latencies.metrics),
        milliseconds(churn.latencies.live),
        whole(churn.latencies.samples),
      ],
    ],
    note: "runs of their own, as answering is work too; generator, agent and client share the machine's cores",
  };
}

function churnTable({ churn }: LoadResults): Table {
  const { cost, account } = churn;
  return {
    title: `Churn: ${CHURN.live} live connections, ${CHURN.opened} opened and ${CHURN.opened} closed each second`,
    columns: [
      "",
      "packets/s",
      "own CPU, %",
      "own CPU with a client, %",
      "RSS, MB",
      "anonymous, MB",
      "in the table",
      "lost",
      "coverage",
      "loop delay p50 / p99, ms",
    ],
    rows: [
      [
        `${whole(cost.alone.seconds + cost.asked.seconds)} s`,
        whole(churn.achieved),
        cost.alone.cpuPercent.toFixed(1),
        cost.asked.cpuPercent.toFixed(1),
        megabytes(churn.rss),
        megabytes(churn.anonymous),
        whole(churn.tableUsed),
        losses(account.losses),
        account.coverage.toString(),
        milliseconds(account.eventLoop),
      ],
    ],
    note: `--max-connections ${CHURN_MAX_CONNECTIONS}, windows of 10 s; connections that closed leave once the table is half full`,
  };
}

function rawTable({ raw }: LoadResults): Table {
  return {
    title: `Raw mode, ${raw.connections} connections, top speed`,
    columns: ["", "packets/s", "own CPU, %", "drained/s", "stored/s", "packets", "stored", "counted as lost"],
    rows: [
      [
        `${raw.cost.seconds.toFixed(1)} s`,
        whole(raw.achieved),
        raw.cost.cpuPercent.toFixed(1),
        whole(raw.drainedPerSecond),
        whole(raw.storedPerSecond),
        whole(raw.seen),
        whole(raw.stored),
        whole(raw.lost),
      ],
    ],
  };
}

/** All tables, in the order of the document. */
export function tablesOf(results: LoadResults): Table[] {
  return [
    capacityTable(results.capacities),
    ...sweepTables(results.rows),
    latencyTable(results),
    churnTable(results),
    rawTable(results),
  ];
}

/** For charts: one flat object for each subject and point. */
export function figuresOf({ capacities, rows, churn, raw }: LoadResults): unknown {
  return {
    capacity: capacities,
    sweep: rows.map(({ cost, account, ...row }) => ({
      ...row,
      ...cost,
      losses: account?.losses ?? null,
      coverage: account?.coverage ?? null,
      eventLoop: account?.eventLoop ?? null,
    })),
    churn,
    raw,
  };
}
