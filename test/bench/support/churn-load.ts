/** The agent with a full house that changes: what it takes, loses and answers meanwhile. */
import { metricSum } from "../../lab/support/answers.ts";
import { createLab } from "../../lab/support/lab.ts";
import { CHURN, writeChurn, writeStaying } from "./churn-traffic.ts";
import { generate } from "./generator.ts";
import { accountFor, type OwnAccount } from "./load-run.ts";
import { memoryUse } from "./memory.ts";
import { type Latencies, probeDuring } from "./probe.ts";
import { type Cost, costOf } from "./process-cost.ts";
import { attach } from "./subjects.ts";

export interface ChurnResult {
  /** Packets a second. */
  achieved: number;
  /** Of all the time. */
  account: OwnAccount;
  /** With nobody asking, and with a client that asks. */
  cost: { alone: Cost; asked: Cost };
  latencies: Latencies;
  rss: number;
  anonymous: number;
  /** Slots in use at the end: connections that closed leave when the table is more than half full. */
  tableUsed: number;
}

/** Whole seconds, with nobody asking and with a client. */
export interface ChurnDurations {
  alone: number;
  asked: number;
}

const OPENING_RATE = 100_000;
/** Room for those that stay, those of a second, and those that have closed and are still listed. */
export const CHURN_MAX_CONNECTIONS = 131_072;
/** Churn before anything is measured: the table fills up to where closed connections leave. */
const WARM_UP_SECONDS = 4;

/** CHURN past the agent with history in windows of 10 s. */
export async function churn(durations: ChurnDurations): Promise<ChurnResult> {
  await using lab = await createLab();
  const staying = await writeStaying(lab.path("staying.pcap"));
  let from = 0;
  const part = async (seconds: number) => {
    const file = await writeChurn(lab.path(`churn-${from}.pcap`), from, seconds);
    from += seconds * CHURN.opened;
    return { file, amount: { packets: 1 }, rate: CHURN.packets };
  };
  const [warmUp, alone, asked] = [
    await part(WARM_UP_SECONDS),
    await part(durations.alone),
    await part(durations.asked),
  ];
  const args = ["--max-connections", String(CHURN_MAX_CONNECTIONS), "--aggregation-window", "10"];
  await using subject = await attach("ours", lab, args);
  const { agent, pid } = subject;
  if (agent === null) throw new Error("the agent has no API");
  await generate(lab.client, { file: staying, amount: { packets: 1 }, rate: OPENING_RATE });
  await generate(lab.client, warmUp);
  const { result, account } = await accountFor(lab, agent, async () => {
    const first = await costOf(pid, () => generate(lab.client, alone));
    const second = await probeDuring(lab.server, () => costOf(pid, () => generate(lab.client, asked)));
    return { first, second };
  });
  const { rss, anonymous } = memoryUse(pid);
  return {
    achieved: result.first.result.perSecond,
    account,
    cost: { alone: result.first.cost, asked: result.second.result.cost },
    latencies: result.second.latencies,
    rss,
    anonymous,
    tableUsed: metricSum(await agent.text("/metrics"), "ayaflow_table_connections"),
  };
}
