/** What the benchmarks share: cases timed in turn, medians, tables, and figures as JSON. */
import { parseArgs } from "node:util";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value that a quarter of `values` is at or below: where what disturbs only adds, and often does. */
export function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 4)] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Runs each of `cases` once a round, in another order each time, so that a noisy moment of the machine hits all alike.
 * Returns what they measured, by case and round.
 */
export function inTurn<T>(
  cases: readonly T[],
  rounds: number,
  measure: (one: T, round: number) => number,
): number[][] {
  const measured: number[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < cases.length; turn++) {
      const index = (turn + round) % cases.length;
      const one = cases[index];
      if (one !== undefined) measured[index]?.push(measure(one, round));
    }
  }
  return measured;
}

/** Lines of a table: the first column to the left, numbers to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}

/** Writes `figures` where the command line says `--json FILE`. */
export async function writeFigures(figures: unknown): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: "string" } } });
  if (values.json !== undefined) await Bun.write(values.json, `${JSON.stringify(figures, null, 2)}\n`);
}
