import type { HistoryItem } from "../data/answers.ts";

/** What history has of one connection. Times in milliseconds since the epoch, of its first and its last row. */
export interface ConnectionSum {
  id: string;
  port: number;
  firstMs: number;
  lastMs: number;
  bytes: number;
}

/** Rows, newest first, by the connection they are of. */
export function sumByConnection(items: readonly HistoryItem[]): ConnectionSum[] {
  const sums = new Map<string, ConnectionSum>();
  for (const item of items) {
    const id = item.connection_id ?? "";
    const port = item.row_type === "raw" && item.packets_received > 0 ? item.dst_port : item.src_port;
    const sum = sums.get(id) ?? { id, port, firstMs: item.timestamp, lastMs: item.timestamp, bytes: 0 };
    sum.firstMs = Math.min(sum.firstMs, item.timestamp);
    sum.bytes += item.bytes_sent + item.bytes_received;
    sums.set(id, sum);
  }
  return [...sums.values()];
}
