/** A download through a `PathLab`, and the agent's answers about it. */
import { expect } from "bun:test";
import type { RunningAgent } from "./agent.ts";
import type { Amount, StatsAnswer } from "./answers.ts";
import { type Counted, difference, interfaceCounters } from "./counters.ts";
import { LINK, type PathLab } from "./path-lab.ts";
import { SIZED_SERVER } from "./sized-server.ts";
import { waitFor } from "./wait.ts";

export const PORT = 8080;
export const BODY = 200_000;

export interface Point {
  interface: string;
  direction: string;
  packets_sent: number;
  bytes_sent: number;
  packets_received: number;
  bytes_received: number;
}

export interface LiveConnection {
  id: string;
  interface: string;
  observation_points: Point[];
  direction: string;
  domain: string | null;
  domain_source: string | null;
  stats: Omit<Point, "interface" | "direction">;
}

export interface LiveAnswer extends Record<"total_packets" | "total_bytes" | "matched", number> {
  connections: LiveConnection[];
}

export type Stats = StatsAnswer &
  Record<"duplicate_packets" | "attributed_packets", number> & { table: { used: number } };

export const both = ({ rxPackets, txPackets, rxBytes, txBytes }: Counted): Amount => ({
  packets: rxPackets + txPackets,
  bytes: rxBytes + txBytes,
});

export const namesOf = ({ observation_points }: LiveConnection) =>
  observation_points.map((one) => one.interface);

/** A GET of the client's over its own connection. Returns what its interfaces counted of it. */
export async function download(lab: PathLab, links: readonly string[] = [LINK]): Promise<Counted[]> {
  const { namespace } = lab.client;
  const read = () => Promise.all(links.map((link) => interfaceCounters(namespace, link)));
  const before = await read();
  const url = `http://${lab.server.ipv4}:${PORT}/${BODY}`;
  const { stdout } = await namespace.exec(["curl", "--silent", "--show-error", "--max-time", "20", url]);
  expect(stdout.length).toBe(BODY);
  // The last acknowledgement of the end may still be under way.
  await namespace.exec([
    "sh",
    "-c",
    `while ss -Htn state all dport = :${PORT} | grep -vq TIME-WAIT; do sleep 0.01; done`,
  ]);
  const after = await read();
  return after.map((counted, index) => difference(counted, before[index] ?? counted));
}

export async function serve(lab: PathLab): Promise<void> {
  const server = lab.server.namespace.spawn([process.execPath, SIZED_SERVER, String(PORT)]);
  await server.listening("tcp", PORT);
}

/** The only connection there is, once it has `packets`. */
export async function onlyConnection(agent: RunningAgent, packets: number): Promise<LiveConnection> {
  let last: LiveAnswer | undefined;
  const live = await waitFor(
    async () => {
      last = await agent.get<LiveAnswer>(`/api/live?port=${PORT}`);
      const seen = last.connections.reduce(
        (sum, { stats }) => sum + stats.packets_sent + stats.packets_received,
        0,
      );
      return seen >= packets ? last : null;
    },
    () => `no connection of ${packets} packets: ${JSON.stringify(last)}`,
  );
  expect(live.matched).toBe(1);
  const [connection] = live.connections;
  if (connection === undefined) throw new Error("no connection");
  return connection;
}
