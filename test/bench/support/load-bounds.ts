/** What was promised of the agent under load, and what `load` found. */
import type { Capacity } from "./capacity.ts";
import { SMALL_FRAME } from "./generator.ts";
import type { LoadResults } from "./load-report.ts";
import { RATES, rowOf, type SweepRow } from "./rate-sweep.ts";
import { atLeast, atMost, type Bound } from "./report.ts";

const MANY = 10_000;
/** Percent of the generator's speed that must be left, by number of connections. */
const KEPT_PERCENT = [
  [100, 92],
  [MANY, 90],
] as const;
const LIMIT = {
  cpuPercent: 1,
  /** Own CPU by the classic design's. */
  ofClassic: 1 / 20,
  /** Of own CPU, from the lowest rate to the highest, in percentage points: the noise of ten sweeps and a window. */
  growth: 0.5,
  churnLoopMs: 20,
  churnCpuPercent: 25,
  metricsMs: 5,
};

function capacityBounds(capacities: readonly Capacity[]): Bound[] {
  return KEPT_PERCENT.flatMap(([connections, limit]) => {
    const capacity = capacities.find((one) => one.connections === connections);
    if (capacity === undefined) throw new Error(`no capacity was measured with ${connections} connections`);
    const { kept } = capacity;
    const what = `generator's speed kept, ${connections} connections`;
    const tool = Math.max(kept.tcpdump, kept.softflowd);
    return [
      atLeast(what, kept.ours * 100, limit, "%"),
      {
        what: `${what}, tools`,
        limit: "above tcpdump's and softflowd's",
        reached: `${(kept.ours * 100).toFixed(1)}% to ${(tool * 100).toFixed(1)}%`,
        holds: kept.ours > tool,
      },
    ];
  });
}

function loadBounds(rows: readonly SweepRow[]): Bound[] {
  const point = (rate: number | null) => ({ connections: MANY, frameBytes: SMALL_FRAME, rate });
  const top = rowOf(rows, "ours", point(null));
  const slow = rowOf(rows, "ours", point(RATES[0] ?? null));
  const classic = rowOf(rows, "classic", point(null));
  const counted = rows.flatMap(({ account }) => (account === null ? [] : [account]));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const coverage = Math.min(...counted.map((one) => one.coverage));
  return [
    atMost("lost in all runs", sum(counted.map(({ lost }) => lost)), 0, "losses", 0),
    atLeast("coverage in all runs", coverage, 1, "of packets", 6),
    atMost(
      "packets of the interface counted not once, all runs",
      sum(counted.map(({ miscounted }) => miscounted)),
      0,
      "packets",
      0,
    ),
    atMost(
      "own CPU at top speed, 10000 connections",
      top.cost.cpuPercent,
      LIMIT.cpuPercent,
      "% of a core",
      2,
    ),
    atMost(
      "own CPU by the classic design's",
      top.cost.cpuPercent / classic.cost.cpuPercent,
      LIMIT.ofClassic,
      "of it",
      4,
    ),
    atMost(
      "own CPU at top speed above that at the lowest rate",
      top.cost.cpuPercent - slow.cost.cpuPercent,
      LIMIT.growth,
      "percentage points",
      2,
    ),
  ];
}

function churnBounds({ churn }: LoadResults): Bound[] {
  const { account, cost, latencies } = churn;
  return [
    atMost("churn: lost", account.lost, 0, "losses", 0),
    atMost("churn: packets of the interface counted not once", account.miscounted, 0, "packets", 0),
    atMost("churn: event loop delay, p99", account.eventLoop.p99, LIMIT.churnLoopMs, "ms"),
    atMost("churn: own CPU", cost.alone.cpuPercent, LIMIT.churnCpuPercent, "% of a core"),
    atMost("churn: /metrics, median", latencies.metrics.p50, LIMIT.metricsMs, "ms"),
  ];
}

function rawBound({ raw }: LoadResults): Bound {
  return {
    what: "raw mode: every packet is a row or counted as lost",
    limit: `${raw.seen} packets`,
    reached: `${raw.stored} rows + ${raw.lost} counted`,
    holds: raw.stored + raw.lost === raw.seen,
  };
}

/** All bounds. */
export function boundsOf(results: LoadResults): Bound[] {
  return [
    ...capacityBounds(results.capacities),
    ...loadBounds(results.rows),
    ...churnBounds(results),
    rawBound(results),
  ];
}
