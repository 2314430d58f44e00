/** What AyaFlow saw against what the kernel and the programs say. */
import type { RunningAgent } from "../lab/support/agent.ts";
import type { LiveAnswer, LiveConnection, StatsAnswer } from "../lab/support/answers.ts";
import { type Counted, difference } from "../lab/support/counters.ts";
import type { End } from "../lab/support/lab.ts";
import { formatBytes, formatCount, table } from "./format.ts";
import type { Report, Service } from "./services.ts";

// Longer than the agent's own second and the kernel's pauses between multicast reports.
const QUIET_MS = 1500;
const QUIET_WITHIN_MS = 15_000;

/** Both counts of one interface at one quiet moment. */
export interface Reading {
  interface: Counted;
  stats: StatsAnswer;
}

export interface Line {
  what: string;
  expected: string;
  seen: string;
  agrees: boolean;
}

/** Reads both counts once nothing has crossed the interface for a while. */
export async function readWhenQuiet(agent: RunningAgent, end: End): Promise<Reading> {
  const deadline = performance.now() + QUIET_WITHIN_MS;
  let last = await end.counters();
  for (;;) {
    await Bun.sleep(QUIET_MS);
    const stats = await agent.get<StatsAnswer>("/api/stats");
    const now = await end.counters();
    if (now.rxPackets === last.rxPackets && now.txPackets === last.txPackets)
      return { interface: now, stats };
    if (performance.now() > deadline) throw new Error("the interface does not come to rest");
    last = now;
  }
}

function compare(what: string, expected: number, seen: number, format: (value: number) => string): Line {
  return { what, expected: format(expected), seen: format(seen), agrees: expected === seen };
}

function crossed(stats: StatsAnswer, direction: string): { packets: number; bytes: number } {
  const row = stats.interfaces.find((totals) => totals.direction === direction);
  return { packets: row?.packets ?? 0, bytes: row?.bytes ?? 0 };
}

/** The interface's own counters between two readings against the agent's totals. */
export function interfaceLines(before: Reading, after: Reading): Line[] {
  const kernel = difference(after.interface, before.interface);
  const exact = (value: number) => formatCount(value);
  return (["ingress", "egress"] as const).flatMap((direction) => {
    const [from, to] = [crossed(before.stats, direction), crossed(after.stats, direction)];
    const [packets, bytes] =
      direction === "ingress" ? [kernel.rxPackets, kernel.rxBytes] : [kernel.txPackets, kernel.txBytes];
    return [
      compare(`${direction} packets`, packets, to.packets - from.packets, exact),
      compare(`${direction} bytes`, bytes, to.bytes - from.bytes, exact),
    ];
  });
}

/** Nothing lost, and the sum over the connections is what the totals say was attributed. */
export function lossLines(stats: StatsAnswer, live: LiveAnswer): Line[] {
  const lost = stats.losses.reduce((sum, loss) => sum + loss.count, 0);
  const packets = live.connections.reduce((sum, connection) => sum + connection.stats.packets_count, 0);
  return [
    compare("lost, by any stage", 0, lost, formatCount),
    compare("coverage", 1, stats.coverage, String),
    compare("packets summed over connections", stats.attributed_packets, packets, formatCount),
  ];
}

function belongs(connection: LiveConnection, service: Service): boolean {
  const family = connection.server_ip.includes(":") ? "ipv6" : "ipv4";
  return (
    connection.protocol === service.protocol &&
    connection.server_port === service.port &&
    family === service.family
  );
}

/** One client's own report against the connections that the agent shows for it. */
export function serviceLine(service: Service, report: Report, live: LiveAnswer): Line {
  const own = live.connections.filter((connection) => belongs(connection, service));
  const wire = own.reduce((sum, { stats }) => sum + stats.bytes_sent + stats.bytes_received, 0);
  const [unit, expected, seen] =
    service.perRequest === "packet"
      ? ["queries", report.requests, own.reduce((sum, { stats }) => sum + stats.packets_sent, 0)]
      : ["connections", report.requests * service.perRequest.connections, own.length];
  const payload = report.bytes > 0 ? `, ${formatBytes(report.bytes)} of payload` : "";
  return {
    what: service.name,
    expected: `${formatCount(report.requests)} ${report.requests === 1 ? "request" : "requests"}${payload}`,
    seen: `${formatCount(seen)} ${unit}, ${formatBytes(wire)} on the wire`,
    agrees: seen === expected && wire > report.bytes,
  };
}

/** The lines as text under a title. */
export function balanceLines(title: readonly [string, string, string], lines: readonly Line[]): string[] {
  const rows = lines.map((line) => [line.what, line.expected, line.seen, line.agrees ? "ok" : "DIFFERS"]);
  return ["", ...table([[...title, ""], ...rows]).map((line) => `  ${line}`)];
}
