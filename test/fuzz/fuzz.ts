/**
 * Feeds random input to everything that reads bytes of the network:
 * `bun test/fuzz/fuzz.ts [target...] [--inputs N] [--seconds S] [--seed N] [--first N]`, ten million inputs for each
 * target unless said otherwise. An input that failed is made again by its seed and number: `--seed 1 --first 4711
 * --inputs 1`. Exits with 1 when anything failed.
 */
import { parseArgs } from "node:util";
import { fuzz, type FuzzReport } from "./fuzzing.ts";
import { TARGETS } from "./targets.ts";

const INPUTS = "10000000";
/** Slower inputs are shown. */
const SLOW_MS = 50;
const SHOWN_HEX = 4000;
const KIBIBYTE = 1024;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: "string", default: INPUTS },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
  },
});
const names = TARGETS.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
const numbers = [values.inputs, values.seconds ?? "1", values.seed, values.first].map(Number);
if (unknown.length > 0 || numbers.some((number) => !(number >= 0))) {
  console.error(
    `usage: fuzz.ts [target...] [--inputs N] [--seconds S] [--seed N] [--first N]; targets: ${names.join(", ")}`,
  );
  process.exit(2);
}

function line(...cells: readonly (string | number)[]): string {
  return cells.map((cell, at) => (at === 0 ? String(cell).padEnd(14) : String(cell).padStart(12))).join("");
}

function show(report: FuzzReport): void {
  const { target, inputs, seconds, slowest, failureCount, failures, heap, seed } = report;
  const growth = heap.map((bytes) => `${Math.round(bytes / KIBIBYTE)}`).join("/");
  const slow = `${slowest.ms.toFixed(1)} ms`;
  console.log(line(target, inputs, Math.round(inputs / seconds), slow, failureCount, `  ${growth}`));
  for (const { index, message, hex } of failures) {
    console.log(`  --seed ${seed} --first ${index} --inputs 1: ${message}`);
    console.log(`    ${hex.join(" ").slice(0, SHOWN_HEX)}`);
  }
  if (slowest.ms > SLOW_MS)
    console.log(`  slow is ${slowest.index}: ${slowest.hex.join(" ").slice(0, SHOWN_HEX)}`);
}

console.log(line("target", "inputs", "inputs/s", "slowest", "failures", "  heap KiB at 10/50/100 %"));
const [inputs = 0, seconds, seed = 1, first = 0] = numbers;
const reports = await fuzz({
  targets: positionals.length > 0 ? positionals : names,
  inputs,
  seed,
  first,
  ...(values.seconds === undefined || seconds === undefined ? {} : { seconds }),
  onReport: show,
});
process.exit(reports.some(({ failureCount }) => failureCount > 0) ? 1 : 0);
