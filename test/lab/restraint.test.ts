/** The agent under real load, with less of CPU or memory than it would like. Side by side, as most of it is waiting. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { dnsQuery } from "../support/dns.ts";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { type RunningAgent, startAgent } from "./support/agent.ts";
import { type LiveAnswer, liveSum, metricSum, type StatsAnswer, statsAfter } from "./support/answers.ts";
import { type Counted, difference } from "./support/counters.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { replay } from "./support/traffic.ts";
import { waitFor } from "./support/wait.ts";

setDefaultTimeout(300_000);

/** More than an idle agent takes, less than one that looks at every packet of the load. */
const CPU_BUDGET = 3;
const LOAD_SECONDS = 8;
/** Until the first step: the agent has started, three sweeps have passed. */
const SHED_MS = 20_000;
/** Until all is back: ten seconds for each step, twice as long after each relapse, which a busy machine brings about. */
const BACK_MS = 200_000;
const FRAMES = 10_000;

interface RestrainedStats extends StatsAnswer {
  restraint: {
    cpu_percent: number;
    cpu_budget_percent: number;
    resident_bytes: number;
    memory_budget_bytes: number;
    shed: string[];
  };
}

/** What is shed, and its verb. */
type Words = readonly [noun: string, verb: string];

interface Health {
  status: string;
  reasons: string[];
}

/** UDP datagrams to port 53, as many as there are payloads, from `connections` ports and addresses. */
async function writeLoad(
  lab: Lab,
  connections: number,
  payload: (index: number) => Uint8Array,
  count = FRAMES,
) {
  const file = lab.path("load.pcap");
  const frames = Array.from({ length: count }, (_, index) => {
    const connection = index % connections;
    return frame({
      source: `10.77.1.${connection % 200}`,
      destination: lab.server.ipv4,
      transport: {
        kind: "udp",
        sourcePort: 10_000 + Math.floor(connection / 200),
        destinationPort: 53,
        payload: payload(index),
      },
    });
  });
  await writePcap(file, frames);
  return file;
}

async function startRestrained(lab: Lab, ...args: readonly string[]): Promise<RunningAgent> {
  // What is live stays so: the sums over it are compared.
  return await startAgent(lab.server, lab.folder, { args: ["--connection-timeout", "1h", ...args] });
}

const lossOf = (stats: StatsAnswer, stage: string, reason: string) =>
  stats.losses.find((loss) => loss.stage === stage && loss.reason === reason)?.count ?? 0;

/** The interface's own counters since `before` are what the agent says, in all its answers. */
async function expectExact(
  lab: Lab,
  agent: RunningAgent,
  before: Counted,
  sent: number,
): Promise<RestrainedStats> {
  await statsAfter(agent, sent);
  const counted = difference(await lab.server.counters(), before);
  const expected = {
    packets: counted.rxPackets + counted.txPackets,
    bytes: counted.rxBytes + counted.txBytes,
  };
  const stats = await agent.get<RestrainedStats>("/api/stats");
  expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual(expected);
  expect(liveSum(await agent.get<LiveAnswer>("/api/live?limit=100000"))).toEqual(expected);
  const metrics = await agent.text("/metrics");
  expect(metricSum(metrics, "ayaflow_packets_total")).toBe(expected.packets);
  expect(metricSum(metrics, "ayaflow_bytes_total")).toBe(expected.bytes);
  expect(stats.coverage).toBe(1);
  return stats;
}

/** Log, health, metrics and statistics agree that `what` is shed for CPU. */
async function expectShed(agent: RunningAgent, what: string, [noun, verb]: Words): Promise<void> {
  const use = String.raw`using [\d.]+% of a core, its budget is ${CPU_BUDGET}%: ${noun} ${verb} shed`;
  await agent.program.printed(new RegExp(`WARN.*${use}`), SHED_MS);
  const health = await agent.get<Health>("/api/health");
  expect(health.status).toBe("degraded");
  expect(health.reasons.join("\n")).toMatch(new RegExp(`budget.*: ${noun}.* shed`));
  const metrics = await agent.text("/metrics");
  expect(metricSum(metrics, "ayaflow_shed", `what="${what}"`)).toBe(1);
  expect(metricSum(metrics, "ayaflow_shed_steps_total")).toBeGreaterThan(0);
  const { restraint } = await agent.get<RestrainedStats>("/api/stats");
  expect(restraint.shed[0]).toBe(what);
  expect(restraint.cpu_budget_percent).toBe(CPU_BUDGET);
}

/** The first step is taken back last: then nothing is shed any more. */
async function expectBack(agent: RunningAgent, what: string, [noun, verb]: Words): Promise<void> {
  await agent.program.printed(new RegExp(`INFO.*${noun} ${verb} back`), BACK_MS);
  const health = await agent.get<Health>("/api/health");
  expect(health.reasons.filter((reason) => reason.endsWith("shed"))).toEqual([]);
  const metrics = await agent.text("/metrics");
  expect(metricSum(metrics, "ayaflow_shed", `what="${what}"`)).toBe(0);
}

test.concurrent("raw rows are shed under load and come back; the totals are exact throughout", async () => {
  await using lab = await createLab();
  const file = await writeLoad(lab, 500, () => pattern(60));
  const budget = ["--aggregation-window", "0", "--cpu-budget", String(CPU_BUDGET)];
  await using agent = await startRestrained(lab, ...budget);
  const before = await lab.server.counters();
  const packetsPerSecond = 50_000;
  const loop = (packetsPerSecond * LOAD_SECONDS) / FRAMES;
  const load = replay(lab.client, file, { loop, packetsPerSecond });
  await expectShed(agent, "raw_rows", ["raw rows", "are"]);
  const sent = await load;
  const stats = await expectExact(lab, agent, before, sent.packets);
  expect(lossOf(stats, "history", "shed_packet")).toBeGreaterThan(packetsPerSecond);

  await expectBack(agent, "raw_rows", ["raw rows", "are"]);
  const shed = await agent.get<StatsAnswer>("/api/stats");
  await replay(lab.client, file, { packetsPerSecond: FRAMES });
  const after = await waitFor(async () => {
    const now = await agent.get<StatsAnswer>("/api/stats");
    return now.history.rows_written - shed.history.rows_written >= FRAMES ? now : null;
  }, "rows are not stored again");
  expect(lossOf(after, "history", "shed_packet")).toBe(lossOf(shed, "history", "shed_packet"));
  const lost = after.losses
    .filter(({ stage, reason }) => stage === "history" || reason === "packet_event")
    .reduce((sum, { count }) => sum + count, 0);
  expect(after.history.rows_written + lost).toBe(after.total_packets);
});

test.concurrent("inspection is shed under a flood of DNS and comes back; the totals are exact throughout", async () => {
  await using lab = await createLab();
  const file = await writeLoad(lab, 200, (index) => dnsQuery(`host-${index}.example`, 1, index));
  await using agent = await startRestrained(lab, "--deep-inspect", "--cpu-budget", String(CPU_BUDGET));
  const before = await lab.server.counters();
  const packetsPerSecond = 15_000;
  const loop = (packetsPerSecond * LOAD_SECONDS) / FRAMES;
  const load = replay(lab.client, file, { loop, packetsPerSecond });
  await expectShed(agent, "inspection", ["inspection", "is"]);
  const sent = await load;
  const stats = await expectExact(lab, agent, before, sent.packets);
  expect(lossOf(stats, "inspect", "shed_payload")).toBeGreaterThan(packetsPerSecond);

  await expectBack(agent, "inspection", ["inspection", "is"]);
  const inspected = async () => metricSum(await agent.text("/metrics"), "ayaflow_deep_inspect_packets_total");
  const first = await inspected();
  await replay(lab.client, file, { packetsPerSecond: FRAMES });
  await waitFor(async () => (await inspected()) - first >= FRAMES, "payload is not looked at again");
});

test.concurrent("with less memory than it needs it sheds all that helps, says so, and stays exact", async () => {
  await using lab = await createLab();
  const connections = 60_000;
  const file = await writeLoad(lab, connections, () => pattern(10), connections);
  await using agent = await startRestrained(lab, "--memory-budget", "32MiB", "--max-connections", "100000");
  const before = await lab.server.counters();
  const sent = await replay(lab.client, file, { packetsPerSecond: connections });
  const use = String.raw`using [\d.]+ MiB of memory, its budget is 32 MiB: `;
  await agent.program.printed(new RegExp(`WARN.*${use}history detail is shed`), SHED_MS);
  await agent.program.printed(new RegExp(`WARN.*${use}sweep rate is shed`), SHED_MS);
  const health = await agent.get<Health>("/api/health");
  expect(health.reasons).toEqual([
    expect.stringMatching(new RegExp(`^${use}history detail and sweep rate are shed, and nothing is left`)),
  ]);
  const { restraint } = await expectExact(lab, agent, before, sent.packets);
  expect(restraint).toMatchObject({
    memory_budget_bytes: 32 * 1024 ** 2,
    shed: ["history_detail", "sweep_rate"],
  });
  expect(restraint.resident_bytes).toBeGreaterThan(restraint.memory_budget_bytes);
  expect(metricSum(await agent.text("/metrics"), "ayaflow_budget_ratio", "memory")).toBeGreaterThan(1);
});
