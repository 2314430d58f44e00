/** Raw mode at the generator's full speed: every packet is a row, or is counted as one that is lost. */
import type { RunningAgent } from "../../lab/support/agent.ts";
import type { StatsAnswer } from "../../lab/support/answers.ts";
import { createLab } from "../../lab/support/lab.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { generate, SMALL_FRAME, writeConnections } from "./generator.ts";
import { type Cost, costOf } from "./process-cost.ts";
import { attach } from "./subjects.ts";

export interface RawLoad {
  connections: number;
  /** Packets a second that the generator reached. */
  achieved: number;
  cost: Cost;
  /** A second, while the load lasted: read out of the ring, and stored. */
  drainedPerSecond: number;
  storedPerSecond: number;
  /** When all was done. */
  seen: number;
  stored: number;
  lost: number;
}

const CONNECTIONS = 10_000;
const DRAIN_MS = 30_000;
/** What makes no row in raw mode, and says so. */
const ROW_LOSSES = ["ring/packet_event", "history/"];

function lostRows({ losses }: StatsAnswer, ...places: readonly string[]): number {
  return losses
    .filter(({ stage, reason }) => places.some((place) => `${stage}/${reason}`.startsWith(place)))
    .reduce((sum, { count }) => sum + count, 0);
}

/** The statistics once nothing waits any more. */
async function settled(agent: RunningAgent): Promise<StatsAnswer> {
  let last: StatsAnswer | undefined;
  return await waitFor(
    async () => {
      last = await agent.get<StatsAnswer>("/api/stats");
      const accounted = last.history.rows_written + lostRows(last, ...ROW_LOSSES);
      return last.history.queued === 0 && accounted === last.total_packets ? last : null;
    },
    () => `stored and lost rows never added up to the packets seen: ${JSON.stringify(last)}`,
    DRAIN_MS,
  );
}

/** Sends for `seconds` whole seconds. Throws when rows and losses do not add up to the packets. */
export async function rawLoad(seconds: number): Promise<RawLoad> {
  await using lab = await createLab();
  const file = await writeConnections(lab.path("raw.pcap"), CONNECTIONS, SMALL_FRAME);
  await using subject = await attach("ours", lab, ["--aggregation-window", "0"]);
  const { agent, pid } = subject;
  if (agent === null) throw new Error("the agent has no API");
  const { cost, result } = await costOf(pid, () => generate(lab.client, { file, amount: { seconds } }));
  const { history, losses, ...rest } = await agent.get<StatsAnswer>("/api/stats");
  const handled = history.rows_written + history.queued + lostRows({ history, losses, ...rest }, "history/");
  const end = await settled(agent);
  return {
    connections: CONNECTIONS,
    achieved: result.perSecond,
    cost,
    drainedPerSecond: handled / cost.seconds,
    storedPerSecond: history.rows_written / cost.seconds,
    seen: end.total_packets,
    stored: end.history.rows_written,
    lost: lostRows(end, ...ROW_LOSSES),
  };
}
