/** What every benchmark gives: tables on the screen, and all of it as JSON for the charts and the summary. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../../support/command.ts";
import { tableLines } from "./measure.ts";

export interface Table {
  title: string;
  /** Heads; of each row the first cell is its name. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** What the figures are, in a line. */
  note?: string;
}

/** What was promised, and what was reached. */
export interface Bound {
  what: string;
  /** As `at most 15 ns`. */
  limit: string;
  reached: string;
  holds: boolean;
}

export interface Report {
  /** Name of the benchmark: `kernel` is what `npm run bench -- kernel` runs. */
  name: string;
  tables: readonly Table[];
  bounds: readonly Bound[];
  /** The figures that the tables were made of, for charts and for later comparison. */
  figures: unknown;
}

export const RESULTS = join(ROOT, "dist", "bench");

/** A bound that `value` must not be above. */
export function atMost(what: string, value: number, limit: number, unit: string, digits = 1): Bound {
  return {
    what,
    limit: `at most ${limit} ${unit}`,
    reached: `${value.toFixed(digits)} ${unit}`,
    holds: value <= limit,
  };
}

/** A bound that `value` must not be below. */
export function atLeast(what: string, value: number, limit: number, unit: string, digits = 1): Bound {
  return {
    what,
    limit: `at least ${limit} ${unit}`,
    reached: `${value.toFixed(digits)} ${unit}`,
    holds: value >= limit,
  };
}

export function boundsTable(bounds: readonly Bound[]): Table {
  return {
    title: "Bounds",
    columns: ["", "bound", "reached", "holds"],
    rows: bounds.map(({ what, limit, reached, holds }) => [what, limit, reached, holds ? "yes" : "NO"]),
  };
}

export function printTable({ title, columns, rows, note }: Table): void {
  console.log(`\n${title}`);
  console.log(tableLines([columns, ...rows]));
  if (note !== undefined) console.log(note);
}

/** Prints a report, and writes it to `dist/bench/NAME.json` or where the command line says `--json FILE`. */
export async function publish(report: Report): Promise<void> {
  for (const table of report.tables) printTable(table);
  if (report.bounds.length > 0) printTable(boundsTable(report.bounds));
  const { values } = parseArgs({ options: { json: { type: "string" } }, strict: false });
  const file = typeof values.json === "string" ? values.json : join(RESULTS, `${report.name}.json`);
  await Bun.write(file, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nfigures: ${file}`);
}
