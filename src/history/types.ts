import type { FilterParameters } from "../filter/parameters.ts";
import type { FilterExpression } from "../filter/types.ts";
import type { DomainSource, Naming } from "../flow/naming.ts";
import type { Direction } from "../flow/types.ts";
import type { LevelCoverage } from "./rollup-types.ts";
import type { Answer } from "./question-types.ts";

/** Who a row is about. */
export interface Identity {
  /** 4 bytes (IPv4) or 16 bytes (IPv6), network order. */
  client: Uint8Array;
  server: Uint8Array;
  clientPort: number;
  serverPort: number;
  /** IP protocol number. */
  protocol: number;
  /** Those that saw it, as a path (see flow/path.ts). */
  interface: string;
  naming: Naming;
}

/** What a connection did in one window, or one packet in raw mode. */
export interface RowValues {
  /** Start of the window, or the packet's time. Milliseconds since the epoch, may be fractional for packets. */
  timestampMs: number;
  kind: "window" | "packet";
  /** Of the packet; for a window, of the client's packets. */
  direction: Direction;
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
  bytesReceived: number;
  /** TCP flags seen in this row from either end; 0 for other protocols. */
  tcpFlags: number;
  rttNs: number | null;
  retransmits: number;
}

/** Query of `/api/history`; times in milliseconds since the epoch, both inclusive. */
export interface HistoryQuery extends Omit<FilterParameters, "state"> {
  limit: number;
  cursor?: string;
  offset?: number;
  sinceMs?: number;
  untilMs?: number;
  kind?: "window" | "packet";
  /** `connection_id` of an item: the rows of that connection. */
  connectionId?: string;
  /** Holds besides all of these. */
  filter?: FilterExpression;
}

/** One row as the API shows it (AyaFlow's field names, more added). `src` is the client of a window row. */
export interface HistoryItem {
  /** Whole milliseconds since the epoch. */
  timestamp: number;
  /** Of a packet, in microseconds since the epoch. */
  timestamp_us?: number;
  src_ip: string;
  dst_ip: string;
  src_port: number;
  dst_port: number;
  protocol: string;
  /** Bytes of the row's window, both directions. */
  length: number;
  direction: Direction;
  /** The one that saw it first. */
  interface: string;
  /** Those that saw it, in the order in which they first did. */
  observation_points: readonly string[];
  row_type: "raw" | "aggregated";
  packet_count: number;
  bytes_sent: number;
  bytes_received: number;
  packets_sent: number;
  packets_received: number;
  tcp_flags: number;
  rtt_ms: number | null;
  retransmits: number;
  /** This and what follows: only where known. */
  domain?: string;
  domain_source?: DomainSource;
  alpn?: readonly string[];
  tls_version?: string;
  ja4?: string;
  ech?: true;
  /** What the rows of its connection have in common; see HistoryQuery. */
  connection_id: string;
}

export interface HistoryPage {
  items: HistoryItem[];
  limit: number;
  offset: number;
  returned: number;
  has_more: boolean;
  /** Pass as `cursor=` for the next, older page; null on the last. */
  next_cursor: string | null;
}

export const DOMAIN_ORDERS = ["bytes", "packets"] as const;
export type DomainOrder = (typeof DOMAIN_ORDERS)[number];

/** Query of `/api/domains`: from `sinceMs` on, before `untilMs`; milliseconds since the epoch. */
export interface DomainQuery {
  sinceMs: number;
  untilMs: number;
  /** Domains to answer at most, largest first. */
  limit: number;
  order: DomainOrder;
  interface?: string;
  /** Only traffic whose domain came from there. */
  source?: DomainSource;
  /** Counts a domain under the one that was registered, example.co.uk for www.example.co.uk. */
  isFolded?: boolean;
  /** Ends the sum when nobody waits for it any more. */
  signal?: AbortSignal;
}

/** Sums over rows; sent and received by the clients. */
export interface TrafficSums {
  bytesSent: number;
  bytesReceived: number;
  packetsSent: number;
  packetsReceived: number;
}

export interface DomainTraffic extends TrafficSums {
  domain: string;
  /** Bytes both ways by where the domain came from. */
  sources: Partial<Record<DomainSource, number>>;
}

/**
 * Traffic by domain: `domains`, `other` and `unnamed` add up to all that was summed. What was, and from which level, is
 * as in the answer to any question.
 */
export interface DomainTotals
  extends Pick<Answer, "sinceMs" | "untilMs" | "level" | "parts" | "coverage" | "scanned" | "notes"> {
  domains: DomainTraffic[];
  /** Of domains that are not among `domains`. */
  other: TrafficSums;
  /** Of connections without a domain. */
  unnamed: TrafficSums;
  /** Rows of history that were added up. */
  rows: number;
  /** There were more domains than are kept: the smallest went to `other` meanwhile, and what came of them later is a lower bound. */
  pruned: boolean;
}

/** The writer's own counts since start. */
export interface WriterStatus {
  rowsWritten: number;
  /** By reason: `queue_full`, `disk_full`, `write_error`, `shutdown`. */
  rowsDropped: Record<string, number>;
  queued: number;
  queueCapacity: number;
  databaseBytes: number;
  /** Why rows are not being written at the moment; null when they are. */
  failing: string | null;
}

export interface LevelStatus extends LevelCoverage {
  /** Of its sums, those of a fold under way too; 0 for rows. */
  parts: number;
  bytes: number;
  /** Rows, or parts of the level below, that went for want of space before they were folded into this level; ever. */
  lost: number;
}

export interface HistoryStatus extends WriterStatus {
  /** Finest first, all four. */
  levels: LevelStatus[];
  /** Seconds of history that could be folded into minutes and are not yet. */
  foldingLagSeconds: number;
}
