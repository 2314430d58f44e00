/** Charts of what the benchmarks found, made of the figures in their reports. */
import type { Capacity } from "./capacity.ts";
import { SMALL_FRAME } from "./generator.ts";
import type { Chart } from "./gnuplot.ts";
import type { QueryTimes } from "./history-queries.ts";
import { caseName } from "./kernel-cases.ts";
import { type Kind, KINDS } from "./kernel-kinds.ts";
import type { MemoryUse } from "./memory.ts";
import type { Cost } from "./process-cost.ts";
import type { Point, SweepRow } from "./rate-sweep.ts";
import { SUBJECTS } from "./subjects.ts";

export interface LoadFigures {
  /** Flat: what a run took stands beside what it was. */
  sweep: readonly (Point & Pick<SweepRow, "subject" | "achieved"> & Pick<Cost, "cpuPercent">)[];
  capacity: readonly Capacity[];
}

export interface KernelFigures {
  cases: readonly { name: string; ns: number }[];
}

export interface FootprintFigures {
  states: readonly { name: string; connections: number; memory: MemoryUse }[];
}

export interface HistoryFigures {
  rows: number;
  queries: readonly QueryTimes[];
}

const MEGABYTE = 1e6;
/** What the logarithmic axis of percent begins with: less is drawn as this. */
const LEAST_PERCENT = 0.01;
const RATE_CONNECTIONS = 10_000;
const LEAST_NS = 1;
const LABELS: Record<(typeof SUBJECTS)[number], string> = {
  ours: "AyaFlow",
  classic: "classic design",
  tcpdump: "tcpdump",
  softflowd: "softflowd",
};

/** The subjects' own processor time as the packet rate grows. */
export function cpuChart({ sweep }: LoadFigures): Chart {
  const rows = sweep.filter(
    ({ connections, frameBytes }) => connections === RATE_CONNECTIONS && frameBytes === SMALL_FRAME,
  );
  return {
    kind: "lines",
    title: `Own CPU time by packet rate, ${RATE_CONNECTIONS.toLocaleString("en")} connections`,
    xLabel: "packets/s that passed",
    yLabel: "% of one core",
    logY: true,
    yRange: `${LEAST_PERCENT}:*`,
    series: SUBJECTS.map((subject) => ({
      name: LABELS[subject],
      points: rows
        .filter((row) => row.subject === subject)
        .map(({ achieved, cpuPercent }) => [achieved, Math.max(LEAST_PERCENT, cpuPercent)] as const)
        .toSorted(([a], [b]) => a - b),
    })),
  };
}

/** What the generator keeps of its speed with each subject attached. */
export function keptChart({ capacity }: LoadFigures): Chart {
  return {
    kind: "bars",
    title: "Packets/s that the sender keeps, with something attached",
    yLabel: "% of the rate with nothing attached",
    yRange: "0:*",
    series: SUBJECTS.map((subject) => LABELS[subject]),
    xLabel: "connections",
    groups: capacity.map(({ connections, kept }) => ({
      name: connections.toLocaleString("en"),
      values: SUBJECTS.map((subject) => kept[subject] * 100),
    })),
  };
}

/** Nanoseconds of a packet in the kernel, ours and the reference's. */
export function kernelChart({ cases }: KernelFigures): Chart {
  const found = (name: string) => {
    const ns = cases.find((one) => one.name === name)?.ns;
    return ns === undefined ? null : Math.max(LEAST_NS, ns);
  };
  const group = (name: string, of: (kind: Kind) => string) => ({
    name,
    values: KINDS.map((kind) => found(of(kind))),
  });
  return {
    kind: "bars",
    title: "Kernel time of a packet, the empty program's taken off",
    yLabel: "ns",
    logY: true,
    yRange: `${LEAST_NS}:*`,
    series: KINDS.map(({ name }) => name),
    groups: [
      group("cached", (kind) => caseName.cached(kind, "off")),
      group("uncached", (kind) => caseName.uncached(kind, "off")),
      group("new", (kind) => caseName.fresh(kind, "off")),
      group("raw mode", (kind) => caseName.raw(kind, "drained")),
      group("classic design", (kind) => caseName.reference(kind, "drained")),
    ],
  };
}

/** What is resident, by what it is, at idle and with connections; of each number of them before any request. */
export function memoryChart({ states }: FootprintFigures): Chart {
  const first = [...Map.groupBy(states, ({ connections }) => connections).values()].flatMap(
    ([one]) => one ?? [],
  );
  return {
    kind: "bars",
    isStacked: true,
    title: "Resident memory by connections",
    yLabel: "MB",
    yRange: "0:*",
    series: ["anonymous", "of files", "shared"],
    xLabel: "connections, all live",
    groups: first.map(({ connections, memory }) => ({
      name: connections === 0 ? "idle" : connections.toLocaleString("en"),
      values: [memory.anonymous, memory.file, memory.shared].map((bytes) => bytes / MEGABYTE),
    })),
  };
}

/** How long questions to history take. */
export function historyChart({ rows, queries }: HistoryFigures): Chart {
  return {
    kind: "rows",
    title: `Time until a page is full, history of ${rows.toLocaleString("en")} rows`,
    xLabel: "ms",
    barName: "median",
    markName: "99th percentile",
    rows: queries.map(({ name, medianMs, p99Ms }) => ({ name, bar: medianMs, mark: p99Ms })),
  };
}
