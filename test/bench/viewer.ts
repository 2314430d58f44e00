/**
 * The page left open on 5,000 connections that all change, and what that takes of the agent and of the browser:
 * `npm run bench:viewer`, or `bun test/bench/viewer.ts [--minutes N]`.
 */
import { parseArgs } from "node:util";
import { type RunningAgent, startAgent } from "../lab/support/agent.ts";
import { createLab, type Lab } from "../lab/support/lab.ts";
import { generate, SMALL_FRAME, type TrafficFile, writeConnections } from "./support/generator.ts";
import { costOf } from "./support/process-cost.ts";
import { atMost, type Bound, publish, type Table } from "./support/report.ts";
import { type Growth, growthOf } from "./support/growth.ts";
import { churn } from "./support/soak-traffic.ts";
import { type PageUse, Viewer } from "./support/viewer-browser.ts";

const MINUTES = 60;
const SAMPLES = 60;
const CONNECTIONS = 5000;
/** Each connection has a packet a second. */
const PACKETS_PER_SECOND = CONNECTIONS;
/** New ones a second, each with a lookup and a name. */
const VISITS_PER_SECOND = 20;
const ROUND_SECONDS = 30;
const WARM_UP_MS = 15_000;
/** What the agent takes with nobody and with somebody looking is measured in turns of so long. */
const TURN_MS = 30_000;
const TURNS = 3;
/** What opening the page asks for once is over by then: it is left open for long. */
const SETTLE_MS = 15_000;
const MEGABYTE = 1e6;
/** Of the heap: caches of the engine settle slowly. */
const HEAP_GROWTH_BYTES = 1e6;
const GROWTH_SHARE = 0.05;
const CPU_OF_VIEWER = 3;
const VIEWS = ["overview", "connections"] as const;
type View = (typeof VIEWS)[number];

interface Sample extends PageUse {
  minutes: number;
  cpuPercent: number;
}

const FIELDS = ["heap", "nodes", "listeners"] as const;

async function sendUntil(lab: Lab, file: TrafficFile, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await generate(lab.client, { file, amount: { seconds: ROUND_SECONDS }, rate: PACKETS_PER_SECOND });
  }
}

const urlOf = (agent: RunningAgent, view: View) => `${agent.url}/?view=${view}`;

async function cpuOf(agent: RunningAgent, ms: number): Promise<number> {
  const { cost } = await costOf(agent.program.pid, () => Bun.sleep(ms));
  return cost.cpuPercent;
}

interface Turns {
  alone: number[];
  viewed: number[];
}

/** What the agent takes, in turns with nobody and with one viewer of `view`. */
async function compare(agent: RunningAgent, view: View): Promise<Turns> {
  const turns: Turns = { alone: [], viewed: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    turns.alone.push(await cpuOf(agent, TURN_MS));
    await using _viewer = await Viewer.open(urlOf(agent, view), "Connections");
    await Bun.sleep(SETTLE_MS);
    turns.viewed.push(await cpuOf(agent, TURN_MS));
  }
  return turns;
}

const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function costTable(costs: ReadonlyMap<View, Turns>): Table {
  return {
    title: `The agent's own processor time, ${CONNECTIONS} changing connections`,
    columns: ["view", "nobody looks", "one viewer", "more"],
    rows: [...costs].map(([view, { alone, viewed }]) => [
      view,
      `${average(alone).toFixed(2)}%`,
      `${average(viewed).toFixed(2)}%`,
      `${(average(viewed) - average(alone)).toFixed(2)}%`,
    ]),
    note: `Percent of one core, means of ${TURNS} turns of ${TURN_MS / 1000} s each way, ${SETTLE_MS / 1000} s after the page was opened.`,
  };
}

function growthTable(growths: Record<(typeof FIELDS)[number], Growth>): Table {
  const shown = (field: string, value: number) =>
    field === "heap" ? `${(value / MEGABYTE).toFixed(2)} MB` : value.toFixed(0);
  return {
    title: "What the page holds, after a collection",
    columns: ["", "second quarter", "last quarter"],
    rows: FIELDS.map((field) => [
      field,
      shown(field, growths[field].before),
      shown(field, growths[field].after),
    ]),
    note: "Medians of the samples.",
  };
}

function boundsOf(
  costs: ReadonlyMap<View, Turns>,
  growths: Record<(typeof FIELDS)[number], Growth>,
  errors: number,
): Bound[] {
  const cpu = [...costs].map(([view, { alone, viewed }]) =>
    atMost(`processor time for a viewer of ${view}`, average(viewed) - average(alone), CPU_OF_VIEWER, "%", 2),
  );
  const grown = FIELDS.map((field) => {
    const { before, after } = growths[field];
    const limit =
      field === "heap" ? Math.max(HEAP_GROWTH_BYTES, before * GROWTH_SHARE) : before * GROWTH_SHARE;
    const unit = field === "heap" ? MEGABYTE : 1;
    return atMost(
      `growth of ${field}`,
      Math.max(0, after - before) / unit,
      Number((limit / unit).toFixed(2)),
      "",
      2,
    );
  });
  return [...cpu, ...grown, atMost("errors in the console", errors, 0, "", 0)];
}

const { values } = parseArgs({
  options: { minutes: { type: "string", default: String(MINUTES) }, json: { type: "string" } },
});
const totalMs = Number(values.minutes) * 60_000;
if (!(totalMs > 0)) throw new Error(`--minutes: ${values.minutes} is not a time`);

await using lab = await createLab();
await using agent = await startAgent(lab.server, lab.folder, {
  args: ["--deep-inspect", "--connection-timeout", "10"],
});
const file = await writeConnections(lab.path("viewed.pcap"), CONNECTIONS, SMALL_FRAME);
const stop = new AbortController();
const isOver = () => stop.signal.aborted;
const traffic = Promise.all([sendUntil(lab, file, isOver), churn(lab, VISITS_PER_SECOND, isOver)]);
// Rejected meanwhile, it ends the run where it is awaited.
traffic.catch(() => stop.abort());
await Bun.sleep(WARM_UP_MS);

const costs = new Map<View, Turns>();
for (const view of VIEWS) costs.set(view, await compare(agent, view));

const samples: Sample[] = [];
await using viewer = await Viewer.open(urlOf(agent, "connections"), "Connections");
const started = performance.now();
while (samples.length < SAMPLES && !isOver()) {
  const due = started + ((samples.length + 1) / SAMPLES) * totalMs;
  const cpuPercent = await cpuOf(agent, Math.max(0, due - performance.now()));
  const sample = { minutes: (performance.now() - started) / 60_000, cpuPercent, ...(await viewer.use()) };
  samples.push(sample);
  console.log(
    `${sample.minutes.toFixed(1)} min  heap ${(sample.heap / MEGABYTE).toFixed(2)} MB  nodes ${sample.nodes}  ` +
      `listeners ${sample.listeners}  agent ${sample.cpuPercent.toFixed(2)}%`,
  );
}
stop.abort();
await traffic;

const growths = {
  heap: growthOf(samples.map(({ heap }) => heap)),
  nodes: growthOf(samples.map(({ nodes }) => nodes)),
  listeners: growthOf(samples.map(({ listeners }) => listeners)),
};
await publish({
  name: "viewer",
  tables: [costTable(costs), growthTable(growths)],
  bounds: boundsOf(costs, growths, viewer.errors.length),
  figures: {
    minutes: Number(values.minutes),
    samples,
    costs: Object.fromEntries(costs),
    errors: viewer.errors,
  },
});
