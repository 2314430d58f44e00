/**
 * What the compiled agent takes of the machine: memory at idle and with connections, kernel memory, size, and the time
 * until it counts: `bun test/bench/footprint.ts [--quick]`. Memory is read from /proc.
 */
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { BINARY } from "../lab/support/agent.ts";
import { createLab, type Lab, VETH } from "../lab/support/lab.ts";
import type { Program } from "../lab/support/process.ts";
import { waitFor } from "../lab/support/wait.ts";
import { SMALL_FRAME, writeConnections } from "./support/generator.ts";
import { type LockedMemory, lockedMemory } from "./support/locked.ts";
import { median } from "./support/measure.ts";
import { type MemoryUse, memoryUse } from "./support/memory.ts";
import { percentile } from "./support/percentile.ts";
import { atMost, type Bound, publish, type Table } from "./support/report.ts";
import { requestTimes } from "./support/request-times.ts";
import { readyAgent, type StartTime, startTimes } from "./support/start-times.ts";

const MEGABYTE = 1e6;
const MEBIBYTE = 1024 * 1024;
const IDLE_MS = 10_000;
const WINDOW_SECONDS = 10;
/** Two windows of history and what it takes to write the second. */
const BUSY_MS = 2 * WINDOW_SECONDS * 1000 + 4000;
/** Readings of memory in the last of them. */
const READINGS = 21;
const READ_MS = 500;
/** A connection has a packet in so many seconds: in each window. */
const SECONDS_OF_ROUND = 8;
const CONNECTIONS = [1000, 50_000];
const MAX_CONNECTIONS = [1024, 65_536, 1_048_576];
/** tcpreplay would wait between packets in a loop that takes a whole processor. */
const SLEEPING = ["--timer=nano", "--pps-multi=50"];
const STARTS = 9;
const REQUESTS = 50;
const LIMIT = { idleMb: 33, busyMb: 60, anonymousMb: 16, attachedMs: 400, metricsMs: 5 };

interface State {
  name: string;
  /** Live in the table. */
  connections: number;
  memory: MemoryUse;
}

interface Requests {
  path: string;
  connections: number;
  medianMs: number;
  p99Ms: number;
}

const megabytes = (bytes: number) => (bytes / MEGABYTE).toFixed(1);

async function idle(name: string, args: readonly string[], waitMs: number): Promise<State> {
  await using lab = await createLab();
  await using agent = await readyAgent(lab, "idle", args);
  await Bun.sleep(waitMs);
  return { name, connections: 0, memory: await typicalMemory(agent.pid) };
}

/** The reading with the median RSS over the last window of history: garbage grows and goes. */
async function typicalMemory(pid: number): Promise<MemoryUse> {
  const readings: MemoryUse[] = [];
  while (readings.length < READINGS) {
    readings.push(memoryUse(pid));
    await Bun.sleep(READ_MS);
  }
  const middle = readings.toSorted((a, b) => a.rss - b.rss)[readings.length >> 1];
  return middle ?? memoryUse(pid);
}

/** Slots in use, as the agent tells it. */
async function liveConnections(lab: Lab): Promise<number> {
  const { stdout } = await lab.server.exec(["curl", "-sS", "http://127.0.0.1:3000/api/stats"]);
  const stats: { table: { used: number } } = JSON.parse(stdout);
  return stats.table.used;
}

/** The agent with connections that all stay alive, before and after it is asked about them. */
async function busy(connections: number, waitMs: number): Promise<{ states: State[]; requests: Requests[] }> {
  await using lab = await createLab();
  const file = lab.path("connections.pcap");
  await writeConnections(file, connections, SMALL_FRAME);
  await using agent: Program = await readyAgent(lab, "busy", [
    "--aggregation-window",
    String(WINDOW_SECONDS),
  ]);
  const rate = Math.ceil(connections / SECONDS_OF_ROUND);
  const forever = ["--preload-pcap", "--loop=0", `--pps=${rate}`, ...SLEEPING];
  await using sender = lab.client.spawn(["tcpreplay", "-i", VETH, ...forever, file]);
  const label = connections.toLocaleString("en");
  await Bun.sleep(waitMs - READINGS * READ_MS);
  const states: State[] = [
    { name: `${label} connections`, connections, memory: await typicalMemory(agent.pid) },
  ];
  await waitFor(
    async () => (await liveConnections(lab)) === connections && sender.running,
    `the table never had ${label} connections`,
  );
  const requests: Requests[] = [];
  for (const path of ["/api/live", "/metrics"]) await requestTimes(lab.server, path, 1);
  const state = (name: string) => ({ name, connections, memory: memoryUse(agent.pid) });
  states.push(state("... asked once for /api/live and /metrics"));
  for (const path of ["/api/live", "/metrics"]) {
    const times = await requestTimes(lab.server, path, REQUESTS);
    requests.push({ path, connections, medianMs: median(times), p99Ms: percentile(times, 0.99) });
  }
  states.push(state(`... and ${REQUESTS} times each`));
  return { states, requests };
}

interface LockedBy {
  maxConnections: number;
  locked: LockedMemory;
}

/** Kernel memory of an agent for at most so many connections. */
async function lockedFor(maxConnections: number): Promise<LockedBy> {
  await using lab = await createLab();
  const args = ["--max-connections", String(maxConnections)];
  await using agent = await readyAgent(lab, "locked", args);
  return { maxConnections, locked: await lockedMemory(agent.pid) };
}

function memoryTable(states: readonly State[]): Table {
  return {
    title: "Memory of the agent, MB (10^6 bytes)",
    columns: ["", "RSS", "RSS MiB", "anonymous", "file", "shared", "PSS"],
    rows: states.map(({ name, memory }) => [
      name,
      megabytes(memory.rss),
      (memory.rss / MEBIBYTE).toFixed(1),
      ...[memory.anonymous, memory.file, memory.shared, memory.pss].map(megabytes),
    ]),
    note: `Idle: the median of the ${(READINGS * READ_MS) / 1000} s that begin ${IDLE_MS / 1000} s after the start, nothing asked. Connections: all live, after two windows of history.`,
  };
}

function lockedTable(locked: readonly LockedBy[]): Table {
  const columns = locked.map(({ maxConnections }) => maxConnections.toLocaleString("en"));
  const names = locked[0]?.locked.maps.map(({ name }) => name) ?? [];
  const row = (name: string, of: (memory: LockedMemory) => number) => [
    name,
    ...locked.map((one) => megabytes(of(one.locked))),
  ];
  const mapRows = names.map((name) =>
    row(name, ({ maps }) => maps.find((map) => map.name === name)?.bytes ?? Number.NaN),
  );
  return {
    title: "Locked kernel memory by --max-connections, MB",
    columns: ["", ...columns],
    rows: [
      ...mapRows,
      row("programs", ({ programBytes }) => programBytes),
      row("all", ({ mapBytes, programBytes }) => mapBytes + programBytes),
    ],
  };
}

function programTable({ programs }: LockedMemory): Table {
  return {
    title: "Programs, bytes",
    columns: ["", "translated", "JIT", "locked"],
    rows: programs.map(({ name, translated, jited, bytes }) => [
      name,
      ...[translated, jited, bytes].map(String),
    ]),
  };
}

function otherTable(starts: readonly StartTime[], requests: readonly Requests[], binary: number): Table {
  const attached = starts.map(({ attachedMs }) => attachedMs);
  const answered = starts.map(({ answeredMs }) => answeredMs);
  const range = (times: readonly number[]) =>
    `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)}`;
  return {
    title: "Start, requests, size",
    columns: ["", "median", "p99 or range"],
    rows: [
      ["start to attached, ms", median(attached).toFixed(0), range(attached)],
      ["start to the API's first answer, ms", median(answered).toFixed(0), range(answered)],
      ...requests.map(({ path, connections, medianMs, p99Ms }) => [
        `${path} with ${connections.toLocaleString("en")} connections, ms`,
        medianMs.toFixed(2),
        p99Ms.toFixed(2),
      ]),
      ["binary, MB", megabytes(binary), ""],
    ],
    note: `Medians of ${starts.length} starts and of ${REQUESTS} requests.`,
  };
}

function boundsOf(
  states: readonly State[],
  starts: readonly StartTime[],
  requests: readonly Requests[],
): Bound[] {
  const most = Math.max(...CONNECTIONS);
  const [idleState] = states;
  const busyState = states.find(({ connections }) => connections === most);
  const metrics = requests.find(({ path, connections }) => path === "/metrics" && connections === most);
  const label = most.toLocaleString("en");
  const rss = (state: State | undefined) => (state?.memory.rss ?? Number.NaN) / MEGABYTE;
  return [
    atMost("RSS at idle", rss(idleState), LIMIT.idleMb, "MB"),
    atMost(
      "anonymous memory at idle",
      (idleState?.memory.anonymous ?? Number.NaN) / MEGABYTE,
      LIMIT.anonymousMb,
      "MB",
    ),
    atMost(`RSS with ${label} connections`, rss(busyState), LIMIT.busyMb, "MB"),
    atMost(
      "start to attached",
      median(starts.map(({ attachedMs }) => attachedMs)),
      LIMIT.attachedMs,
      "ms",
      0,
    ),
    atMost(`/metrics with ${label} connections`, metrics?.medianMs ?? Number.NaN, LIMIT.metricsMs, "ms", 2),
  ];
}

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, json: { type: "string" } },
});
const [idleMs, busyMs, startCount] = values.quick ? [1000, 12_000, 3] : [IDLE_MS, BUSY_MS, STARTS];

const starts = await startTimes(startCount);
const states = [
  await idle("idle", [], idleMs),
  await idle("idle, --deep-inspect", ["--deep-inspect"], idleMs),
];
const requests: Requests[] = [];
for (const connections of CONNECTIONS) {
  const measured = await busy(connections, busyMs);
  states.push(...measured.states);
  requests.push(...measured.requests);
}
const locked: LockedBy[] = [];
for (const maxConnections of MAX_CONNECTIONS) locked.push(await lockedFor(maxConnections));
const [first] = locked;
if (first === undefined) throw new Error("nothing was measured");
const binaryBytes = statSync(BINARY).size;

await publish({
  name: "footprint",
  tables: [
    memoryTable(states),
    otherTable(starts, requests, binaryBytes),
    lockedTable(locked),
    programTable(first.locked),
  ],
  bounds: boundsOf(states, starts, requests),
  figures: { states, starts, requests, locked, binaryBytes },
});
