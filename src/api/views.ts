import type { Naming } from "../flow/naming.ts";
import type { RestraintState } from "../flow/restraint.ts";
import type { Connection, InterfaceTotals, Loss, ObservationPoint, Stats } from "../flow/types.ts";
import type { LevelCoverage } from "../history/rollup-types.ts";
import type { HistoryStatus } from "../history/types.ts";
import type { Lookup } from "../inspect/types.ts";
import { formatEndpoint } from "./addresses.ts";
import { protocolName } from "../flow/protocol.ts";
import type { ApiConfig } from "./types.ts";

const NS_PER_MS = 1e6;

export const nsToMs = (ns: number | null): number | null => (ns === null ? null : ns / NS_PER_MS);
export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** The configuration as health and stats show it; `port` is the one listened on. */
export function runtimeView(config: ApiConfig, port: number) {
  return {
    interface: config.interfaces.join(","),
    port,
    db_path: config.dbPath,
    connection_timeout: config.connectionTimeoutSeconds,
    data_retention_seconds: config.dataRetentionSeconds,
    aggregation_window_seconds: config.aggregationWindowSeconds,
    resolve_dns: config.resolveDns,
    deep_inspect: config.deepInspect,
    enable_ipv6: true as const,
    allowed_ips: config.allowedIps,
  };
}
export type RuntimeView = ReturnType<typeof runtimeView>;

function interfaceView(totals: InterfaceTotals) {
  const { seen, attributed, overflow, notIp, malformed } = totals;
  return {
    interface: totals.interface,
    direction: totals.direction,
    packets: seen.packets,
    bytes: seen.bytes,
    attributed_packets: attributed.packets,
    attributed_bytes: attributed.bytes,
    overflow_packets: overflow.packets,
    overflow_bytes: overflow.bytes,
    not_ip_packets: notIp.packets,
    not_ip_bytes: notIp.bytes,
    malformed_packets: malformed.packets,
    malformed_bytes: malformed.bytes,
  };
}

function restraintView(state: RestraintState) {
  return {
    cpu_percent: state.cpuPercent,
    cpu_budget_percent: state.cpuBudgetPercent,
    resident_bytes: state.residentBytes,
    memory_budget_bytes: state.memoryBudgetBytes,
    shed: state.shed,
  };
}

const boundary = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) ? null : rfc3339(ms);

/** What a level of history covers. */
export function coverageOf({ level, sinceMs, untilMs, incomplete }: LevelCoverage) {
  return {
    level,
    since: boundary(sinceMs),
    until: boundary(untilMs),
    ...(incomplete === undefined
      ? {}
      : { incomplete: { since: rfc3339(incomplete.sinceMs), until: rfc3339(incomplete.untilMs) } }),
  };
}

function historyView(status: HistoryStatus) {
  return {
    rows_written: status.rowsWritten,
    rows_dropped: status.rowsDropped,
    queued: status.queued,
    queue_capacity: status.queueCapacity,
    database_bytes: status.databaseBytes,
    failing: status.failing,
    levels: status.levels.map((level) => ({
      ...coverageOf(level),
      parts: level.parts,
      bytes: level.bytes,
      lost: level.lost,
    })),
    folding_lag_seconds: status.foldingLagSeconds,
  };
}

/** Every loss: the agent's, then what history and the stream dropped where the agent does not report it already. */
export function allLosses(
  agent: readonly Loss[],
  history: HistoryStatus | null,
  slowReadersDropped: number,
): Loss[] {
  const own: Loss[] = [
    ...Object.entries(history?.rowsDropped ?? {}).map(
      ([reason, count]): Loss => ({ stage: "history", reason, count }),
    ),
    { stage: "stream", reason: "slow_reader", count: slowReadersDropped },
  ];
  const isReported = (loss: Loss) =>
    agent.some(({ stage, reason }) => stage === loss.stage && reason === loss.reason);
  return [...agent, ...own.filter((loss) => !isReported(loss))];
}

/** The body of `/api/health`; without `runtime` where it is null. */
export function healthView(stats: Stats, reasons: string[], runtime: RuntimeView | null) {
  return {
    status: reasons.length === 0 ? ("ok" as const) : ("degraded" as const),
    active_connections: stats.activeConnections,
    total_packets: stats.total.packets,
    reasons,
    ...(runtime === null ? {} : { runtime }),
  };
}

/** The figures that `/api/stats` and the stream's `stats` topic share. */
export function totalsView(stats: Stats) {
  return {
    uptime_seconds: Math.floor(stats.uptimeSeconds),
    total_packets: stats.total.packets,
    total_bytes: stats.total.bytes,
    active_connections: stats.activeConnections,
    packets_per_second: stats.packetsPerSecond,
    bytes_per_second: stats.bytesPerSecond,
    coverage: stats.coverage,
  };
}

/** The body of `/api/stats`. */
export function statsView(
  stats: Stats,
  history: HistoryStatus | null,
  losses: readonly Loss[],
  runtime: RuntimeView,
  streamClients: number,
) {
  return {
    ...totalsView(stats),
    attributed_packets: stats.attributed.packets,
    attributed_bytes: stats.attributed.bytes,
    duplicate_packets: stats.duplicates.packets,
    duplicate_bytes: stats.duplicates.bytes,
    runtime,
    interfaces: stats.interfaces.map(interfaceView),
    losses,
    table: { used: stats.tableUsed, size: stats.tableSize },
    ring: { used_bytes: stats.ringUsedBytes, size_bytes: stats.ringSizeBytes },
    restraint: restraintView(stats.restraint),
    history: history === null ? null : historyView(history),
    stream_clients: streamClients,
  };
}

function observationPointView({ interface: name, direction, sent, received }: ObservationPoint) {
  return {
    interface: name,
    direction,
    packets_sent: sent.packets,
    bytes_sent: sent.bytes,
    packets_received: received.packets,
    bytes_received: received.bytes,
  };
}

/** One connection as `/api/live` and the stream show it. */
export function connectionView(connection: Connection) {
  const { sent, received } = connection;
  const client = formatEndpoint(connection.clientAddress, connection.clientPort);
  const server = formatEndpoint(connection.serverAddress, connection.serverPort);
  return {
    connection: `${client} -> ${server}`,
    stats: {
      bytes_sent: sent.bytes,
      bytes_received: received.bytes,
      packets_count: sent.packets + received.packets,
      packets_sent: sent.packets,
      packets_received: received.packets,
      packets_per_second: connection.packetsPerSecond,
      bytes_per_second: connection.bytesPerSecond,
      rtt_ms: nsToMs(connection.rttNs),
      rtt_client_ms: nsToMs(connection.rttClientNs),
      rtt_server_ms: nsToMs(connection.rttServerNs),
      retransmits_sent: connection.retransmitsSent,
      retransmits_received: connection.retransmitsReceived,
      out_of_order_sent: connection.outOfOrderSent,
      out_of_order_received: connection.outOfOrderReceived,
      first_seen: rfc3339(connection.firstSeenMs),
      last_seen: rfc3339(connection.lastSeenMs),
      tcp_flags_sent: connection.flagsSent,
      tcp_flags_received: connection.flagsReceived,
    },
    id: connection.id,
    client_ip: connection.clientAddress,
    client_port: connection.clientPort,
    server_ip: connection.serverAddress,
    server_port: connection.serverPort,
    protocol: protocolName(connection.protocol),
    interface: connection.interface,
    observation_points: connection.observationPoints.map(observationPointView),
    direction: connection.direction,
    state: connection.state,
    ...namingView(connection.naming),
  };
}

/** What is known of a connection by name, as `/api/live` and the stream show it. */
export function namingView(naming: Naming) {
  return {
    domain: naming.domain,
    domain_source: naming.domainSource,
    alpn: naming.alpn,
    tls_version: naming.tlsVersion,
    ja4: naming.ja4,
    ech: naming.ech,
  };
}

/** One lookup as `/api/dns` shows it. */
export function lookupView(lookup: Lookup) {
  return {
    time: rfc3339(lookup.timeMs),
    interface: lookup.interface,
    transport: lookup.transport,
    client: lookup.client,
    client_port: lookup.clientPort,
    server: lookup.server,
    server_port: lookup.serverPort,
    name: lookup.name,
    type: lookup.type,
    rcode: lookup.rcode,
    latency_ms: lookup.latencyMs,
    answers: lookup.answers,
    truncated: lookup.truncated,
  };
}
