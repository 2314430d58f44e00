/**
 * Speed of the parsers and of the way from packet to name: `bun test/bench/inspect.ts [--json FILE]`.
 * Of one thread, without the ring and the tables around it. Every run is checked to find what it has to find.
 */
import { connectionCases } from "./support/connection-cases.ts";
import { inTurn, median, tableLines, writeFigures } from "./support/measure.ts";
import { type ParserCase, parserCases } from "./support/parser-cases.ts";

const ROUNDS = 9;
/** Long enough for the compiler to have done its best. */
const WARM_UP_MS = 300;
const ROUND_MS = 25;

/** Nanoseconds that a run takes, of `runs` of them. */
function time({ name, run, finds }: ParserCase, runs: number): number {
  let wrong = 0;
  const started = Bun.nanoseconds();
  for (let count = 0; count < runs; count++) if (run() !== finds) wrong++;
  const ns = (Bun.nanoseconds() - started) / runs;
  if (wrong > 0) throw new Error(`${name}: found ${run()} in place of ${finds}`);
  return ns;
}

/** Warms a case up and tells how many runs take about as long as a round is. */
function calibrated(one: ParserCase): ParserCase & { runs: number } {
  const ends = performance.now() + WARM_UP_MS;
  let ns = time(one, 1);
  while (performance.now() < ends) ns = time(one, 100);
  return { ...one, runs: Math.max(1, Math.round((ROUND_MS * 1e6) / ns)) };
}

const cases = [...parserCases(), ...connectionCases()].map(calibrated);
const measured = inTurn(cases, ROUNDS, (one) => time(one, one.runs)).map(median);
const unit = measured[0] ?? Number.NaN;
const figures = cases.map(({ name, bytes }, index) => {
  const ns = measured[index] ?? Number.NaN;
  return { name, bytes, perSecond: 1e9 / ns, ns, relative: ns / unit };
});

const head = ["", "bytes", "per second", "ns each", `x ${cases[0]?.name}`];
const lines = figures.map(({ name, bytes, perSecond, ns, relative }) => [
  name,
  bytes === 0 ? "-" : String(bytes),
  Math.round(perSecond).toLocaleString("en"),
  Math.round(ns).toLocaleString("en"),
  relative.toFixed(2),
]);
console.log(tableLines([head, ...lines]));
console.log(`medians of ${ROUNDS} rounds of ${ROUND_MS} ms each, in turn, on one thread`);
await writeFigures(figures);
