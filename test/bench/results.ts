/** Writes every table of the reports in `dist/bench/` to `docs/performance/results.md`: `bun test/bench/results.ts`. */
import { cpus, release, totalmem } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "../support/command.ts";
import { boundsTable, type Report, type Table } from "./support/report.ts";
import { BENCHMARKS, reportPath } from "./support/suite.ts";

const FOLDER = join(ROOT, "docs", "performance");
const GIB = 2 ** 30;

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function tableLines({ title, columns, rows, note }: Table): string[] {
  const rule = columns.map((_, column) => (column === 0 ? "---" : "---:"));
  return [
    `### ${title}`,
    "",
    row(columns),
    row(rule),
    ...rows.map(row),
    "",
    ...(note === undefined ? [] : [`${note.replace(/\.$/, "")}.`, ""]),
  ];
}

function machine(): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / GIB);
  return `${processors.length} × ${processors[0]?.model ?? "unknown processor"}, ${memory} GiB, Linux ${release()}, Bun ${Bun.version}`;
}

/**
 * Writes the tables of those benchmarks in `names` that there is a report of to `docs/performance/FILE`, made by the npm
 * script `script`. Returns a line that says where.
 */
export async function writeTables(
  file: string,
  title: string,
  script: string,
  names: readonly string[],
): Promise<string> {
  const lines = [`# ${title}`, "", `Made by \`npm run ${script}\` on ${machine()}.`, ""];
  for (const name of names) {
    const report = Bun.file(reportPath(name));
    if (!(await report.exists())) continue;
    const { tables, bounds }: Report = await report.json();
    lines.push(`## ${name}`, "", ...tables.flatMap(tableLines));
    if (bounds.length > 0) lines.push(...tableLines(boundsTable(bounds)));
  }
  const path = join(FOLDER, file);
  await Bun.write(path, `${lines.join("\n").trimEnd()}\n`);
  return `tables: ${relative(ROOT, path)}`;
}

/** The tables of `npm run bench` and of the soak. */
export async function writeResults(): Promise<string> {
  return await writeTables("results.md", "Results", "bench", [...BENCHMARKS, "soak"]);
}

if (import.meta.main) console.log(await writeResults());
