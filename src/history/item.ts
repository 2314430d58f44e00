import { formatAddress } from "../flow/address.ts";
import { firstOfPath, splitPath } from "../flow/path.ts";
import { protocolName } from "../flow/protocol.ts";
import { connectionId } from "./connection-id.ts";
import { DETAIL_JOIN, formatNaming, NAMING_SQL, type StoredNaming } from "./naming-table.ts";
import { ID_MS_SQL, ID_SUB_SQL, timestampOf } from "./rowid.ts";
import { DIRECTION_EGRESS, KIND_PACKET } from "./schema.ts";
import type { HistoryItem } from "./types.ts";

/** A row with its conversation, as ITEM_SQL reads it. */
export interface StoredRow extends StoredNaming {
  ms: number;
  sub: number;
  conversation_id: number;
  client_port: number;
  kind: number;
  direction: number;
  packets_sent: number;
  bytes_sent: number;
  packets_received: number;
  bytes_received: number;
  tcp_flags: number;
  rtt: number | null;
  retransmits: number;
  client: Uint8Array;
  server: Uint8Array;
  server_port: number;
  protocol: number;
  /** As a path. */
  interface: string;
}

const NS_PER_MS = 1e6;
const US_PER_MS = 1000;

/** Selects a StoredRow of each row `r`, whose conversation is `c`. */
export const ITEM_SQL = `SELECT ${ID_MS_SQL} AS ms, ${ID_SUB_SQL} AS sub, r.conversation_id, r.client_port, r.kind,
  r.direction, r.packets_sent, r.bytes_sent, r.packets_received, r.bytes_received, r.tcp_flags, r.rtt, r.retransmits,
  c.client, c.server, c.server_port, c.protocol,
  (SELECT name FROM interfaces WHERE id = c.interface_id) AS interface,
  ${NAMING_SQL}
  FROM rows AS r CROSS JOIN conversations AS c ON c.id = r.conversation_id ${DETAIL_JOIN}`;

/** A row as the API shows it: a packet from who sent it, a window from the client. */
export function formatItem(row: StoredRow): HistoryItem {
  const isPacket = row.kind === KIND_PACKET;
  const isReversed = isPacket && row.packets_received > 0;
  const time = timestampOf(row.ms, row.sub, isPacket);
  const client = { address: formatAddress(row.client), port: row.client_port };
  const server = { address: formatAddress(row.server), port: row.server_port };
  const [source, destination] = isReversed ? [server, client] : [client, server];
  return {
    timestamp: Math.floor(time),
    ...(isPacket ? { timestamp_us: Math.round(time * US_PER_MS) } : {}),
    src_ip: source.address,
    dst_ip: destination.address,
    src_port: source.port,
    dst_port: destination.port,
    protocol: protocolName(row.protocol),
    length: row.bytes_sent + row.bytes_received,
    direction: row.direction === DIRECTION_EGRESS ? "egress" : "ingress",
    interface: firstOfPath(row.interface),
    observation_points: splitPath(row.interface),
    row_type: isPacket ? "raw" : "aggregated",
    packet_count: row.packets_sent + row.packets_received,
    bytes_sent: row.bytes_sent,
    bytes_received: row.bytes_received,
    packets_sent: row.packets_sent,
    packets_received: row.packets_received,
    tcp_flags: row.tcp_flags,
    rtt_ms: row.rtt === null ? null : row.rtt / NS_PER_MS,
    retransmits: row.retransmits,
    ...formatNaming(row),
    connection_id: connectionId({ conversationId: row.conversation_id, clientPort: row.client_port }),
  };
}
