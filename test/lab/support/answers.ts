/** The parts of the API's answers that the lab compares, and sums over them. */
import type { RunningAgent } from "./agent.ts";
import { waitFor } from "./wait.ts";

export interface LiveConnection {
  connection: string;
  client_ip: string;
  client_port: number;
  server_ip: string;
  server_port: number;
  protocol: string;
  state: string;
  direction: string;
  domain: string | null;
  stats: {
    bytes_sent: number;
    bytes_received: number;
    packets_count: number;
    packets_sent: number;
    packets_received: number;
    bytes_per_second: number;
    rtt_ms: number | null;
    retransmits_sent: number;
    retransmits_received: number;
    out_of_order_sent: number;
    out_of_order_received: number;
  };
}

export interface LiveAnswer {
  connections: LiveConnection[];
  total_packets: number;
  total_bytes: number;
}

export interface StatsAnswer {
  total_packets: number;
  total_bytes: number;
  active_connections: number;
  packets_per_second: number;
  bytes_per_second: number;
  coverage: number;
  attributed_packets: number;
  interfaces: {
    interface: string;
    direction: string;
    packets: number;
    bytes: number;
    overflow_packets: number;
    overflow_bytes: number;
  }[];
  losses: { stage: string; reason: string; count: number }[];
  history: { rows_written: number; queued: number };
}

export interface Amount {
  packets: number;
  bytes: number;
}

export function liveSum(live: LiveAnswer): Amount {
  return live.connections.reduce(
    (sum, { stats }) => ({
      packets: sum.packets + stats.packets_count,
      bytes: sum.bytes + stats.bytes_sent + stats.bytes_received,
    }),
    { packets: 0, bytes: 0 },
  );
}

/** Sum of a metric over its samples whose labels contain every given text. */
export function metricSum(metrics: string, name: string, ...labels: string[]): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** The statistics once the agent has seen `packets` of them. */
export async function statsAfter(agent: RunningAgent, packets: number): Promise<StatsAnswer> {
  let last: StatsAnswer | undefined;
  return await waitFor(
    async () => {
      last = await agent.get<StatsAnswer>("/api/stats");
      return last.total_packets >= packets ? last : null;
    },
    () => `the agent saw ${last?.total_packets} of ${packets} packets`,
  );
}

/** The connection to or from `port`, once it is there and `ready`. */
export async function connectionOf(
  agent: RunningAgent,
  port: number,
  ready: (connection: LiveConnection) => boolean = () => true,
): Promise<LiveConnection> {
  let last: LiveAnswer | undefined;
  return await waitFor(
    async () => {
      last = await agent.get<LiveAnswer>(`/api/live?port=${port}&limit=1000`);
      return last.connections.find(ready);
    },
    () => `no such connection on port ${port}: ${JSON.stringify(last?.connections)}`,
  );
}
