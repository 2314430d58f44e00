import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { startAgent } from "./support/agent.ts";
import { type LiveAnswer, liveSum, type StatsAnswer, statsAfter } from "./support/answers.ts";
import { difference } from "./support/counters.ts";
import { createLab } from "./support/lab.ts";
import { replay } from "./support/traffic.ts";
import { waitFor } from "./support/wait.ts";

const PACKETS_PER_SECOND = 200_000;
const SECONDS = 10;
const CONNECTIONS = 500;
const TIMEOUT_MS = 120_000;

/** What makes no row in raw mode, and says so. */
const ROW_LOSSES = ["ring/packet_event", "history/"];

function lostRows(stats: StatsAnswer): number {
  return stats.losses
    .filter((loss) => ROW_LOSSES.some((prefix) => `${loss.stage}/${loss.reason}`.startsWith(prefix)))
    .reduce((sum, loss) => sum + loss.count, 0);
}

test(
  `raw mode at ${PACKETS_PER_SECOND} packets/s: rows stored + rows reported lost = packets seen`,
  async () => {
    await using lab = await createLab({ mtu: 65535 });
    const file = lab.path("flows.pcap");
    const frames = Array.from({ length: 10_000 }, (_, index) =>
      frame({
        source: "10.77.0.1",
        destination: "10.77.0.2",
        transport: {
          kind: "udp",
          sourcePort: 20_000 + (index % CONNECTIONS),
          destinationPort: 53,
          payload: pattern(60),
        },
      }),
    );
    await writePcap(file, frames);
    await using agent = await startAgent(lab.server, lab.folder, { args: ["--aggregation-window", "0"] });
    const before = await lab.server.counters();
    const loop = (PACKETS_PER_SECOND * SECONDS) / frames.length;
    const sent = await replay(lab.client, file, { loop, packetsPerSecond: PACKETS_PER_SECOND });
    const counted = difference(await lab.server.counters(), before);
    await statsAfter(agent, sent.packets);
    const expected = {
      packets: counted.rxPackets + counted.txPackets,
      bytes: counted.rxBytes + counted.txBytes,
    };
    expect(liveSum(await agent.get<LiveAnswer>("/api/live?limit=100000"))).toEqual(expected);

    const stats = await waitFor(
      async () => {
        const now = await agent.get<StatsAnswer>("/api/stats");
        return now.history.rows_written + lostRows(now) === now.total_packets && now.history.queued === 0
          ? now
          : null;
      },
      "stored and lost rows never added up to the packets seen",
      30_000,
    );
    expect(stats.total_packets).toBe(expected.packets);
    const lost = lostRows(stats);
    const { exitCode } = await agent.stop();
    expect(exitCode).toBe(0);

    using database = new Database(agent.dbPath, { readonly: true });
    const rows = database.query<{ stored: number }, []>("SELECT count(*) AS stored FROM rows").get();
    expect((rows?.stored ?? 0) + lost).toBe(expected.packets);
    console.log(
      `raw mode: ${expected.packets} packets in ${sent.seconds} s, ${rows?.stored} rows stored, ${lost} lost`,
    );
  },
  TIMEOUT_MS,
);
