/** What of several benchmarks makes one run: their order, and what came of their bounds. */
import { join } from "node:path";
import { tableLines } from "./measure.ts";
import { type Bound, RESULTS } from "./report.ts";

/** In the order in which they run; each is a script of its own beside `all.ts`, and a report in `dist/bench/`. */
export const BENCHMARKS = ["kernel", "load", "raw", "throughput", "history", "footprint"] as const;
export type Benchmark = (typeof BENCHMARKS)[number];

export interface Outcome {
  name: Benchmark;
  seconds: number;
  exitCode: number;
  bounds: readonly Bound[];
}

/** Where the report of a benchmark is. */
export function reportPath(name: string): string {
  return join(RESULTS, `${name}.json`);
}

/** The benchmarks to run, all of them unless some are named, and the names that are none. */
export function chosen(names: readonly string[]): { benchmarks: Benchmark[]; unknown: string[] } {
  const wanted = new Set(names);
  return {
    benchmarks: BENCHMARKS.filter((name) => wanted.size === 0 || wanted.has(name)),
    unknown: names.filter((name) => !BENCHMARKS.some((known) => known === name)),
  };
}

/** The lines that end a run: every bound, how long each benchmark took, and the count. */
export function summaryLines(outcomes: readonly Outcome[]): string[] {
  const bounds = outcomes.flatMap(({ name, bounds: own }) => own.map((bound) => ({ name, ...bound })));
  const holding = bounds.filter(({ holds }) => holds).length;
  const rows = bounds.map(({ name, what, limit, reached, holds }) => [
    `${name}: ${what}`,
    limit,
    reached,
    holds ? "yes" : "NO",
  ]);
  const times = outcomes.map(({ name, seconds, exitCode }) => [
    name,
    seconds.toFixed(0),
    exitCode === 0 ? "ran" : `FAILED, exit code ${exitCode}`,
  ]);
  return [
    "",
    tableLines([["bound", "limit", "reached", "holds"], ...rows]),
    "",
    tableLines([["benchmark", "seconds", ""], ...times]),
    "",
    `${holding} bounds hold, ${bounds.length - holding} do not`,
  ];
}
