/** One run of load against one subject, and all that is to be known of it. */
import type { RunningAgent } from "../../lab/support/agent.ts";
import { metricSum, type StatsAnswer } from "../../lab/support/answers.ts";
import { difference } from "../../lab/support/counters.ts";
import type { Lab } from "../../lab/support/lab.ts";
import { generate, type Load } from "./generator.ts";
import { memoryUse } from "./memory.ts";
import { eventLoopDelay, type Latencies, probeDuring, type Quantiles } from "./probe.ts";
import { type Cost, costOf, withStatistics } from "./process-cost.ts";
import type { Subject, SubjectName } from "./subjects.ts";

/** What the agent said of a run. */
export interface OwnAccount {
  /** By stage, for those that lost anything. */
  losses: Record<string, number>;
  lost: number;
  coverage: number;
  /** Packets that the interface had and the agent did not put on a connection, or the other way round. */
  miscounted: number;
  eventLoop: Quantiles;
}

export interface LoadRun {
  subject: SubjectName;
  /** Packets a second. */
  achieved: number;
  packets: number;
  cost: Cost;
  rss: number;
  anonymous: number;
  account: OwnAccount | null;
}

const STAGES = ["ring", "table", "inspect", "history"];
/** Of these the kernel's statistics are wanted: the others have no program. */
const WITH_PROGRAMS: readonly SubjectName[] = ["ours", "classic"];

interface Reading {
  stats: StatsAnswer;
  metrics: string;
}

async function read(agent: RunningAgent): Promise<Reading> {
  return { stats: await agent.get<StatsAnswer>("/api/stats"), metrics: await agent.text("/metrics") };
}

function lostAt(stage: string, { metrics }: Reading): number {
  return metricSum(metrics, "ayaflow_lost_total", `stage="${stage}"`);
}

function ownAccount(before: Reading, after: Reading, onInterface: number): OwnAccount {
  const losses = STAGES.map((stage) => [stage, lostAt(stage, after) - lostAt(stage, before)] as const);
  const attributed = after.stats.attributed_packets - before.stats.attributed_packets;
  return {
    losses: Object.fromEntries(losses.filter(([, count]) => count > 0)),
    lost: metricSum(after.metrics, "ayaflow_lost_total") - metricSum(before.metrics, "ayaflow_lost_total"),
    coverage: after.stats.coverage,
    miscounted: Math.abs(attributed - onInterface),
    eventLoop: eventLoopDelay(before.metrics, after.metrics),
  };
}

/** Does `work` between two readings of the agent and of the server's interface. */
export async function accountFor<T>(
  lab: Lab,
  agent: RunningAgent,
  work: () => Promise<T>,
): Promise<{ result: T; account: OwnAccount }> {
  const before = await read(agent);
  const counters = await lab.server.counters();
  const result = await work();
  const counted = difference(await lab.server.counters(), counters);
  const after = await read(agent);
  return { result, account: ownAccount(before, after, counted.rxPackets + counted.txPackets) };
}

/** Sends `load` past a subject and measures what it takes; nobody asks it anything meanwhile. */
export async function loadRun(lab: Lab, subject: Subject, load: Load): Promise<LoadRun> {
  const measure = () => costOf(subject.pid, () => generate(lab.client, load));
  const counted = async () => {
    if (subject.agent === null) return { result: await measure(), account: null };
    return await accountFor(lab, subject.agent, measure);
  };
  const { result, account } = await (WITH_PROGRAMS.includes(subject.name)
    ? withStatistics(counted)
    : counted());
  const { packets, perSecond } = result.result;
  const { rss, anonymous } = memoryUse(subject.pid);
  return { subject: subject.name, achieved: perSecond, packets, cost: result.cost, rss, anonymous, account };
}

/** The same load while a client asks the agent for /metrics and /api/live, which is work for it too. */
export async function latencyRun(lab: Lab, load: Load): Promise<Latencies> {
  return (await probeDuring(lab.server, () => generate(lab.client, load))).latencies;
}
