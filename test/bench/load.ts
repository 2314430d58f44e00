/**
 * Load, end to end: `bun test/bench/load.ts [--quick]`. Generators in one namespace, and in the other the agent, the
 * classic design, tcpdump or softflowd: what of the generator's speed is left, what each takes and loses, and the agent
 * with connections that come and go and in raw mode.
 */
import { parseArgs } from "node:util";
import { capacities } from "./support/capacity.ts";
import { churn } from "./support/churn-load.ts";
import { boundsOf } from "./support/load-bounds.ts";
import { figuresOf, tablesOf } from "./support/load-report.ts";
import { sweep } from "./support/rate-sweep.ts";
import { rawLoad } from "./support/raw-load.ts";
import { publish } from "./support/report.ts";

/** Rounds, packets of a run, and whole seconds. */
const FULL = {
  capacity: { rounds: 7, lastRounds: 3, packets: 200_000 },
  // A window of history: that of all connections is written once in it.
  sweep: { ours: 10, classic: 2, tools: 1, latency: 3 },
  churn: { alone: 16, asked: 10 },
  raw: 6,
};
const QUICK: typeof FULL = {
  capacity: { rounds: 3, lastRounds: 1, packets: 150_000 },
  sweep: { ours: 3, classic: 1, tools: 1, latency: 2 },
  churn: { alone: 4, asked: 3 },
  raw: 2,
};

const { values } = parseArgs({ options: { quick: { type: "boolean" } }, strict: false });
const plan = values.quick === true ? QUICK : FULL;
const { rounds, lastRounds, packets } = plan.capacity;

const results = {
  capacities: await capacities([
    { connections: 100, rounds, packets },
    { connections: 10_000, rounds, packets },
    { connections: 50_000, rounds: lastRounds, packets },
  ]),
  rows: await sweep(plan.sweep),
  churn: await churn(plan.churn),
  raw: await rawLoad(plan.raw),
};

await publish({
  name: "load",
  tables: tablesOf(results),
  bounds: boundsOf(results),
  figures: figuresOf(results),
});
