import type { FilterParameters } from "../filter/parameters.ts";
import type { FilterExpression } from "../filter/types.ts";
import type { Naming } from "./naming.ts";
import type { RestraintState } from "./restraint.ts";
import type { WatchView } from "./watch-state.ts";

/** Which way a packet crossed the interface: the hook's own direction, never guessed. */
export type Direction = "ingress" | "egress";

export const TCP_STATES = [
  "none",
  "syn_sent",
  "syn_received",
  "established",
  "closing",
  "closed",
  "reset",
] as const;
/** State of a TCP connection as seen on the wire (RFC 9293, folded); `none` for other protocols. */
export type ConnectionState = (typeof TCP_STATES)[number];

export interface Counters {
  packets: number;
  bytes: number;
}

/** Turns the kernel's times into milliseconds since the epoch. */
export interface WallClock {
  fromBootNs(ns: number): number;
  fromJiffies(low: number): number;
}

/** An interface that sees a connection, and what it saw of it. */
export interface ObservationPoint {
  interface: string;
  /** How the client's packets cross it. */
  direction: Direction;
  sent: Counters;
  received: Counters;
}

/**
 * One connection: both directions of one 5-tuple, however many interfaces its packets cross. Each packet counts once: of
 * each side it has what the observation point has that saw the most.
 */
export interface Connection {
  /** Stable while the connection lives and not used again by this process. */
  id: string;
  /** The interface that saw it first. */
  interface: string;
  /** In the order in which they first saw it; one at least. */
  observationPoints: ObservationPoint[];
  /** IP protocol number (IANA), 6 for TCP. */
  protocol: number;
  clientAddress: string;
  clientPort: number;
  serverAddress: string;
  serverPort: number;
  /** How the client's packets cross the interface. */
  direction: Direction;
  state: ConnectionState;
  /** Sent by the client, sent by the server. Bytes are on the wire, link header included. */
  sent: Counters;
  received: Counters;
  /** Over the last sweep. */
  packetsPerSecond: number;
  bytesPerSecond: number;
  /** TCP flags (RFC 9293 bit order, FIN = 1) seen from each end. */
  flagsSent: number;
  flagsReceived: number;
  /** Whole TCP handshake as seen here, and its parts, in nanoseconds; null where not seen. */
  rttNs: number | null;
  rttServerNs: number | null;
  rttClientNs: number | null;
  retransmitsSent: number;
  retransmitsReceived: number;
  outOfOrderSent: number;
  outOfOrderReceived: number;
  /** Milliseconds since the epoch. */
  firstSeenMs: number;
  lastSeenMs: number;
  /** What is known of it by name; NO_NAMING while nothing is. */
  naming: Naming;
}

/** Totals of one interface and direction; the classes are disjoint and add up to `seen`. */
export interface InterfaceTotals {
  interface: string;
  direction: Direction;
  seen: Counters;
  /** Counted on a connection. */
  attributed: Counters;
  /** Had a 5-tuple, but the connection table was full. */
  overflow: Counters;
  /** Neither IPv4 nor IPv6 (ARP, LLDP): there is no connection to count it on. */
  notIp: Counters;
  /** An IP header that is cut short or says nonsense. */
  malformed: Counters;
}

/** Something that could not be kept, by stage and reason. Both are from fixed sets. */
export interface Loss {
  stage: "table" | "ring" | "inspect" | "history" | "stream";
  reason: string;
  count: number;
}

/** What the agent knows of itself at one moment. */
export interface Stats {
  uptimeSeconds: number;
  interfaces: InterfaceTotals[];
  /** Each packet once, since start: sums of `interfaces` without `duplicates`. */
  total: Counters;
  attributed: Counters;
  /** Packets of connections that further interfaces saw again, since start. */
  duplicates: Counters;
  /** Over the last seconds, not since start. */
  packetsPerSecond: number;
  bytesPerSecond: number;
  activeConnections: number;
  /** attributed / (seen - notIp) in packets, 1 while nothing was seen. */
  coverage: number;
  losses: Loss[];
  tableUsed: number;
  tableSize: number;
  ringUsedBytes: number;
  ringSizeBytes: number;
  restraint: RestraintState;
  watch: WatchView;
}

export const LIVE_SORTS = [
  "packets",
  "bytes",
  "rate",
  "rtt",
  "bytes_sent",
  "bytes_received",
  "packets_sent",
  "packets_received",
  "retransmits",
  "first_seen",
  "last_seen",
  "client",
  "server",
  "server_port",
  "domain",
  "protocol",
  "interface",
  "state",
] as const;
export type LiveSort = (typeof LIVE_SORTS)[number];
export const LIVE_ORDERS = ["asc", "desc"] as const;
export type LiveOrder = (typeof LIVE_ORDERS)[number];

/** Which live connections, how many, in which order. */
export interface LiveQuery
  extends Pick<FilterParameters, "ip" | "port" | "protocol" | "interface" | "state" | "domain"> {
  limit: number;
  sort: LiveSort;
  /** `desc`, the largest or the last of the alphabet first, by default. What has no value comes last either way. */
  order?: LiveOrder;
  /** Connections to leave out first. */
  offset?: number;
  /** Holds besides the parameters. */
  filter?: FilterExpression;
}

/** What the API may ask of the running agent. */
export interface AgentView {
  stats(): Stats;
  live(query: LiveQuery): { connections: Connection[]; matched: number };
  /** The live connection of an id; null when there is none. */
  find(id: string): Connection | null;
  /** Ids of connections first seen, changed and retired since the last sweep, for the stream. */
  onSweep(listener: (change: SweepChange) => void): () => void;
  /** Losing data or shedding work now: one sentence each, empty when all is well. */
  degradedReasons(): string[];
}

/** One sweep's changes. Built only while someone listens. */
export interface SweepChange {
  stats: Stats;
  opened: Connection[];
  updated: Connection[];
  retired: Connection[];
  /** True when a list was cut at its bound. */
  truncated: boolean;
}
