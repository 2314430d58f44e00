/** Count once: what crosses several watched interfaces is one connection, and each of its packets counts once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import type { HistoryPage } from "../../src/history/types.ts";
import { startAgent } from "./support/agent.ts";
import { type Amount, metricSum, type StatsAnswer } from "./support/answers.ts";
import { difference } from "./support/counters.ts";
import { VETH } from "./support/lab.ts";
import { BACK, BRIDGE, createPathLab, LINK, SECOND, UPLINK } from "./support/path-lab.ts";
import {
  both,
  download,
  type LiveAnswer,
  onlyConnection,
  PORT,
  serve,
  type Stats,
} from "./support/path-traffic.ts";
import { waitFor } from "./support/wait.ts";

setDefaultTimeout(60_000);

const QUICK = ["--aggregation-window", "1", "--connection-timeout", "2"];

/** What one interface saw by the statistics. */
function seenAt(stats: StatsAnswer, name: string): Amount {
  return stats.interfaces
    .filter((one) => one.interface === name)
    .reduce((sum, one) => ({ packets: sum.packets + one.packets, bytes: sum.bytes + one.bytes }), {
      packets: 0,
      bytes: 0,
    });
}

test.each([
  ["routed", [VETH, BRIDGE, UPLINK]],
  ["bridged", [VETH, UPLINK]],
] as const)("a %s connection is one entry, its packets count once", async (kind, points) => {
  await using lab = await createPathLab(kind);
  await serve(lab);
  const watched = ["--interface", `${BRIDGE},${UPLINK}`];
  await using agent = await startAgent(lab.middle, lab.folder, { args: [...watched, ...QUICK] });
  const [counted] = await download(lab);
  if (counted === undefined) throw new Error("nothing was counted");
  const truth = both(counted);

  const connection = await onlyConnection(agent, truth.packets);
  expect(connection.stats).toMatchObject({
    packets_sent: counted.txPackets,
    bytes_sent: counted.txBytes,
    packets_received: counted.rxPackets,
    bytes_received: counted.rxBytes,
  });
  expect([connection.interface, connection.direction]).toEqual([VETH, "ingress"]);
  expect(connection.observation_points).toEqual(
    points.map((name) => ({
      interface: name,
      direction: name === UPLINK ? "egress" : "ingress",
      packets_sent: counted.txPackets,
      bytes_sent: counted.txBytes,
      packets_received: counted.rxPackets,
      bytes_received: counted.rxBytes,
    })),
  );
  for (const name of points) {
    expect((await agent.get<LiveAnswer>(`/api/live?interface=${name}&port=${PORT}`)).matched).toBe(1);
  }

  const stats = await agent.get<Stats>("/api/stats");
  expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual(truth);
  expect(stats.duplicate_packets).toBe((points.length - 1) * truth.packets);
  expect([stats.coverage, stats.active_connections <= 1]).toEqual([1, true]);
  expect(stats.table.used).toBe(points.length);
  const metrics = await agent.text("/metrics");
  for (const name of points) {
    expect(seenAt(stats, name)).toEqual(truth);
    expect(metricSum(metrics, "ayaflow_packets_total", `interface="${name}"`)).toBe(truth.packets);
  }
  expect(metricSum(metrics, "ayaflow_host_packets_total")).toBe(truth.packets);
  expect(metricSum(metrics, "ayaflow_host_bytes_total")).toBe(truth.bytes);
  expect(metricSum(metrics, "ayaflow_duplicate_packets_total")).toBe((points.length - 1) * truth.packets);

  // Its slots are all given back together, and history has it once.
  await waitFor(
    async () => (await agent.get<Stats>("/api/stats")).table.used === 0,
    "its slots are never given back",
  );
  const page = await waitFor(async () => {
    const found = await agent.get<HistoryPage>(`/api/history?port=${PORT}&interface=${points.at(-1)}`);
    const packets = found.items.reduce((sum, item) => sum + item.packet_count, 0);
    return packets >= truth.packets ? found : null;
  }, "history does not have it");
  expect(page.items.reduce((sum, item) => sum + item.length, 0)).toBe(truth.bytes);
  expect(new Set(page.items.map((item) => item.connection_id)).size).toBe(1);
  for (const item of page.items) {
    expect([item.interface, item.observation_points]).toEqual([VETH, [...points]]);
  }
  const groups = await agent.get<{ groups: { key: object; packets: number }[] }>(
    "/api/history?group_by=interface",
  );
  expect(groups.groups).toMatchObject([{ key: { interface: points.join("/") }, packets: truth.packets }]);
  const after = await agent.get<Stats>("/api/stats");
  expect({ packets: after.total_packets, bytes: after.total_bytes }).toEqual(truth);
});

test("with each side on its own way, the two ways are one connection", async () => {
  await using lab = await createPathLab("asymmetric");
  await serve(lab);
  await using agent = await startAgent(lab.middle, lab.folder, {
    args: ["--interface", BACK, "--aggregation-window", "0"],
  });
  const [there, back] = await download(lab, [LINK, SECOND]);
  const sent = { packets: there?.txPackets ?? 0, bytes: there?.txBytes ?? 0 };
  const received = { packets: back?.rxPackets ?? 0, bytes: back?.rxBytes ?? 0 };
  expect([there?.rxPackets, back?.txPackets]).toEqual([0, 0]);
  const connection = await onlyConnection(agent, sent.packets + received.packets);
  const nothing = { packets: 0, bytes: 0 };
  const point = (name: string, direction: string, out: Amount, into: Amount) => ({
    interface: name,
    direction,
    packets_sent: out.packets,
    bytes_sent: out.bytes,
    packets_received: into.packets,
    bytes_received: into.bytes,
  });
  expect(connection.stats).toMatchObject({
    packets_sent: sent.packets,
    bytes_sent: sent.bytes,
    packets_received: received.packets,
    bytes_received: received.bytes,
  });
  expect(connection.observation_points).toEqual([
    point(VETH, "ingress", sent, nothing),
    // Only answers were seen there, going out.
    point(BACK, "ingress", nothing, received),
  ]);
  const stats = await agent.get<Stats>("/api/stats");
  expect([stats.total_packets, stats.duplicate_packets]).toEqual([sent.packets + received.packets, 0]);
  // Rows of packets: each side's from where it was seen.
  await agent.stop();
  using database = new Database(agent.dbPath, { readonly: true });
  expect(
    database
      .query("SELECT sum(packets_sent) AS sent, sum(bytes_received) AS bytes, count(*) AS packets FROM rows")
      .get(),
  ).toEqual({ sent: sent.packets, bytes: received.bytes, packets: sent.packets + received.packets });
});

test("raw mode keeps each packet once, with the whole path from the first on", async () => {
  await using lab = await createPathLab("routed");
  await serve(lab);
  const args = ["--interface", `${BRIDGE},${UPLINK}`, "--aggregation-window", "0"];
  await using agent = await startAgent(lab.middle, lab.folder, { args });
  const [counted] = await download(lab);
  if (counted === undefined) throw new Error("nothing was counted");
  const { packets, bytes } = both(counted);
  await onlyConnection(agent, packets);
  await agent.stop();
  using database = new Database(agent.dbPath, { readonly: true });
  const rows = database
    .query<{ packets: number; bytes: number; path: string }, []>(
      `SELECT count(*) AS packets, sum(bytes_sent + bytes_received) AS bytes, i.name AS path
       FROM rows AS r JOIN conversations AS c ON c.id = r.conversation_id JOIN interfaces AS i ON i.id = c.interface_id
       GROUP BY i.name`,
    )
    .all();
  expect(rows).toEqual([{ packets, bytes, path: [VETH, BRIDGE, UPLINK].join("/") }]);
});

const ECHO_PORT = 7000;
const ECHO = `await Bun.udpSocket({ hostname: "0.0.0.0", port: ${ECHO_PORT},
  socket: { data: (socket, data, port, address) => void socket.send(data, port, address) } });`;
/** Some sockets at a time, fewer datagrams than a socket's buffer takes: each sends until it has had its answers. */
const ASK = `const [host, sockets, rounds] = process.argv.slice(1);
const ask = () => new Promise(async (done) => {
  let left = Number(rounds);
  const socket = await Bun.udpSocket({ socket: { data: (own) => (--left > 0 ? next(own) : (own.close(), done())) } });
  const next = (own) => own.send("x".repeat(100 + left), ${ECHO_PORT}, host);
  next(socket);
});
const lane = async () => { for (let count = 0; count < Number(sockets) / 20; count++) await ask(); };
await Promise.all(Array.from({ length: 20 }, lane));`;

test("totals of many short connections are exact, never go back, and stay when all slots are given back", async () => {
  await using lab = await createPathLab("routed");
  const echo = lab.server.spawn([process.execPath, "-e", ECHO]);
  await echo.listening("udp", ECHO_PORT);
  // Two rounds of 400 connections at three points through a table of 2048: slots must be used again.
  const args = ["--interface", `${BRIDGE},${UPLINK}`, "--max-connections", "2048", ...QUICK];
  await using agent = await startAgent(lab.middle, lab.folder, { args });
  const before = await lab.client.counters();
  const seen: number[] = [];
  const readStats = async () => {
    const stats = await agent.get<Stats>("/api/stats");
    seen.push(stats.total_packets);
    return stats;
  };
  for (let round = 0; round < 2; round++) {
    const asked = lab.client.exec([process.execPath, "-e", ASK, lab.server.ipv4, "400", "8"]);
    const isDone = asked.then(() => true);
    while (!(await Promise.race([isDone, readStats().then(() => false)])));
    await waitFor(async () => (await readStats()).table.used === 0, "slots are not given back", 30_000);
  }
  const truth = both(difference(await lab.client.counters(), before));
  expect(truth.packets).toBe(2 * 400 * 8 * 2);
  const stats = await readStats();
  expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual(truth);
  expect([stats.attributed_packets, stats.duplicate_packets]).toEqual([truth.packets, 2 * truth.packets]);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(stats.losses.filter(({ count }) => count > 0)).toEqual([]);
  await agent.stop();
  using database = new Database(agent.dbPath, { readonly: true });
  expect(
    database
      .query<Amount, []>(
        "SELECT sum(packets_sent + packets_received) AS packets, sum(bytes_sent + bytes_received) AS bytes FROM rows",
      )
      .get(),
  ).toEqual(truth);
});
