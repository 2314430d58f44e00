/** Writes every table of the reports in `dist/bench/` to `docs/performance/results.md`: `bun test/bench/results.ts`. */
import { cpus, release, totalmem } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "../support/command.ts";
import { boundsTable, type Report, type Table } from "./support/report.ts";
import { BENCHMARKS, reportPath } from "./support/suite.ts";

const FILE = join(ROOT, "docs", "performance", "results.md");
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

/** Writes the tables of those benchmarks that there is a report of. Returns a line that says where. */
export async function writeResults(): Promise<string> {
  const lines = ["# Results", "", `Made by \`npm run bench\` on ${machine()}.`, ""];
  for (const name of [...BENCHMARKS, "soak"]) {
    const file = Bun.file(reportPath(name));
    if (!(await file.exists())) continue;
    const { tables, bounds }: Report = await file.json();
    lines.push(`## ${name}`, "", ...tables.flatMap(tableLines));
    if (bounds.length > 0) lines.push(...tableLines(boundsTable(bounds)));
  }
  await Bun.write(FILE, `${lines.join("\n").trimEnd()}\n`);
  return `tables: ${relative(ROOT, FILE)}`;
}

if (import.meta.main) console.log(await writeResults());
