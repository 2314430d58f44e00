/**
 * Runs the benchmarks, or those named: `npm run bench`, `npm run bench -- NAME...`. Draws the charts, writes the tables,
 * and ends with every bound. A bound that is missed does not make it fail; a benchmark that does not run does.
 */
import { existsSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { passThrough, ROOT } from "../support/command.ts";
import { drawCharts } from "./charts.ts";
import { writeResults } from "./results.ts";
import type { Report } from "./support/report.ts";
import {
  type Benchmark,
  BENCHMARKS,
  chosen,
  type Outcome,
  reportPath,
  summaryLines,
} from "./support/suite.ts";

/** Of one processor, over the last minute: above it, something else is running. */
const BUSY_LOAD = 0.5;
// One that hangs would keep the others from running.
const TIMEOUT_MS = 10 * 60_000;
const MISUSE = 2;

function tellLoad(): void {
  const [minute = 0] = loadavg();
  console.log(`load average of the last minute: ${minute.toFixed(2)}`);
  if (minute > BUSY_LOAD) {
    console.log("Something else keeps this machine busy: figures from a busy machine are worth less.");
  }
}

async function run(name: Benchmark): Promise<Outcome> {
  console.log(`\n== ${name}`);
  const report = reportPath(name);
  // An older run's figures are not this one's.
  rmSync(report, { force: true });
  const started = performance.now();
  const exitCode = await passThrough([process.execPath, `test/bench/${name}.ts`], TIMEOUT_MS);
  const seconds = (performance.now() - started) / 1000;
  const isThere = existsSync(report);
  if (!isThere) return { name, seconds, exitCode: exitCode === 0 ? 1 : exitCode, bounds: [] };
  const { bounds } = (await Bun.file(report).json()) as Report;
  return { name, seconds, exitCode, bounds };
}

const { benchmarks, unknown } = chosen(process.argv.slice(2));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(", ")}; there are: ${BENCHMARKS.join(", ")}`);
  process.exit(MISUSE);
}
if (process.getuid?.() !== 0) {
  console.error(
    "benchmarks make network namespaces and load BPF programs, which only root may do: sudo npm run bench",
  );
  process.exit(1);
}
process.chdir(ROOT);
tellLoad();
const outcomes: Outcome[] = [];
for (const name of benchmarks) outcomes.push(await run(name));
for (const line of await drawCharts()) console.log(line);
console.log(await writeResults());
for (const line of summaryLines(outcomes)) console.log(line);
process.exit(outcomes.every(({ exitCode }) => exitCode === 0) ? 0 : 1);
