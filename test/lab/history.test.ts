import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdir, rm } from "node:fs/promises";
import type { HistoryItem, HistoryPage } from "../../src/history/types.ts";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { type RunningAgent, startAgent } from "./support/agent.ts";
import { type Amount, type LiveAnswer, type StatsAnswer, statsAfter } from "./support/answers.ts";
import { difference } from "./support/counters.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { exec } from "./support/process.ts";
import { replay } from "./support/traffic.ts";
import { waitFor } from "./support/wait.ts";

const TIMEOUT_MS = 120_000;
/** Windows, timeouts and table small enough for everything to happen within seconds. */
const QUICK = ["--connection-timeout", "1", "--aggregation-window", "1"];

/** A capture of `count` packets over `flows` UDP connections from port 20,000 up. */
async function capture(lab: Lab, flows: number, count: number): Promise<string> {
  const file = lab.path(`flows-${flows}.pcap`);
  const packet = (index: number) =>
    frame({
      source: "10.77.0.1",
      destination: "10.77.0.2",
      transport: {
        kind: "udp",
        sourcePort: 20_000 + (index % flows),
        destinationPort: 53,
        payload: pattern(30 + ((index * 11) % 900)),
      },
    });
  await writePcap(
    file,
    Array.from({ length: count }, (_, index) => packet(index)),
  );
  return file;
}

function stored(dbPath: string): Amount {
  using database = new Database(dbPath, { readonly: true });
  const row = database
    .query<Amount, []>(
      "SELECT sum(packets_sent + packets_received) AS packets, sum(bytes_sent + bytes_received) AS bytes FROM rows",
    )
    .get();
  return { packets: row?.packets ?? 0, bytes: row?.bytes ?? 0 };
}

/** Every row, page by page by cursor. */
async function allRows(agent: RunningAgent, query: string): Promise<HistoryItem[]> {
  const items: HistoryItem[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: HistoryPage = await agent.get(
      `/api/history?limit=1000&${query}${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

test(
  "the rows of connections that come and go add up to the interface's counters",
  async () => {
    await using lab = await createLab({ mtu: 65535 });
    const file = await capture(lab, 600, 6000);
    // Three rounds of 600 connections through a table of 1024: slots must be used again.
    await using agent = await startAgent(lab.server, lab.folder, {
      args: [...QUICK, "--max-connections", "1024"],
    });
    const before = await lab.server.counters();
    for (let round = 0; round < 3; round++) {
      await replay(lab.client, file, { packetsPerSecond: 4000 });
      await waitFor(
        async () => (await agent.get<LiveAnswer>("/api/live")).connections.length === 0,
        "connections stay",
      );
    }
    const counted = difference(await lab.server.counters(), before);
    const expected = {
      packets: counted.rxPackets + counted.txPackets,
      bytes: counted.rxBytes + counted.txBytes,
    };
    const stats = await agent.get<StatsAnswer>("/api/stats");
    expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual(expected);
    expect(stats.coverage).toBe(1);
    await waitFor(
      async () => (await agent.get<StatsAnswer>("/api/stats")).history.queued === 0,
      "rows stay queued",
    );
    expect(stored(agent.dbPath)).toEqual(expected);

    const rows = await allRows(agent, "protocol=UDP");
    const times = rows.map((row) => row.timestamp);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(rows.reduce((sum, row) => sum + row.length, 0)).toBe(expected.bytes);
    const one = await allRows(agent, "port=20007&ip=10.77.0.1");
    expect(one.length).toBeGreaterThanOrEqual(3);
    expect(one.reduce((sum, row) => sum + row.packet_count, 0)).toBe(30);
    expect(one[0]).toMatchObject({
      src_ip: "10.77.0.1",
      src_port: 20007,
      dst_port: 53,
      direction: "ingress",
    });
  },
  TIMEOUT_MS,
);

test(
  "a full disk stops history, not the agent; space brings it back",
  async () => {
    await using lab = await createLab({ mtu: 65535 });
    const folder = lab.path("small");
    await mkdir(folder);
    await exec(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
    try {
      const file = await capture(lab, 500, 10_000);
      await using agent = await startAgent(lab.server, lab.folder, {
        args: ["--aggregation-window", "0"],
        dbPath: `${folder}/traffic.db`,
      });
      await exec(["dd", "if=/dev/zero", `of=${folder}/ballast`, "bs=1k", "count=512"], { check: false });
      const health = () => agent.get<{ status: string; reasons: string[] }>("/api/health");
      // More rows than the queue can hold back until there is space again.
      const sent = await replay(lab.client, file, { loop: 15 });
      await waitFor(async () => (await health()).status === "degraded", "health never noticed the full disk");
      const stats = await statsAfter(agent, sent.packets);
      expect(stats.coverage).toBe(1);
      const lost = await waitFor(async () => {
        const { losses } = await agent.get<StatsAnswer>("/api/stats");
        return (
          losses.filter(({ stage }) => stage === "history").reduce((sum, { count }) => sum + count, 0) || null
        );
      }, "no row was counted as lost");
      expect(lost).toBeGreaterThan(0);

      await rm(`${folder}/ballast`);
      const written = (await agent.get<StatsAnswer>("/api/stats")).history.rows_written;
      await waitFor(
        async () => {
          await replay(lab.client, file, { packetsPerSecond: 20_000 });
          return (await agent.get<StatsAnswer>("/api/stats")).history.rows_written > written;
        },
        "history did not resume",
        30_000,
      );
      expect((await agent.stop()).exitCode).toBe(0);
      using database = new Database(agent.dbPath, { readonly: true });
      expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
    } finally {
      await exec(["umount", folder]);
    }
  },
  TIMEOUT_MS,
);
