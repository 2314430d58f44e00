import type { Direction } from "../flow/types.ts";

/** The identity of a connection as history keeps it; one object per connection, shared by its rows. */
export interface HistoryConnection {
  /** 4 bytes (IPv4) or 16 bytes (IPv6), network order. */
  client: Uint8Array;
  server: Uint8Array;
  clientPort: number;
  serverPort: number;
  /** IP protocol number. */
  protocol: number;
  interface: string;
  /** Name of the server, once known. */
  domain: string | null;
  /** Row id of its conversation, set by the writer on first use; 0 before. Set to 0 again when `domain` changes. */
  rowId: number;
}

/** What a connection did in one window, or one packet in raw mode. */
export interface HistoryRow {
  connection: HistoryConnection;
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
export interface HistoryQuery {
  limit: number;
  cursor?: string;
  offset?: number;
  sinceMs?: number;
  untilMs?: number;
  /** Either end. */
  ip?: string;
  srcIp?: string;
  dstIp?: string;
  port?: number;
  srcPort?: number;
  dstPort?: number;
  protocol?: number;
  interface?: string;
  direction?: Direction;
  domain?: string;
  kind?: "window" | "packet";
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
  interface: string;
  row_type: "raw" | "aggregated";
  packet_count: number;
  bytes_sent: number;
  bytes_received: number;
  packets_sent: number;
  packets_received: number;
  tcp_flags: number;
  rtt_ms: number | null;
  retransmits: number;
  domain?: string;
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

/** The writer's own counts since start. */
export interface HistoryStatus {
  rowsWritten: number;
  /** By reason: `queue_full`, `disk_full`, `write_error`, `shutdown`. */
  rowsDropped: Record<string, number>;
  queued: number;
  queueCapacity: number;
  databaseBytes: number;
  /** Why rows are not being written at the moment; null when they are. */
  failing: string | null;
}
