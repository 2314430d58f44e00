import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { EPOCH_MS, ID_MS_SQL, ID_SUB_SQL, idMs, idsBetween, joinId, SUB_RANGE } from "./rowid.ts";
import type { AddedRow } from "./rollup-sums.ts";

/** Rows read between two looks at the clock: some half a millisecond. */
const CHUNK_ROWS = 1024;

/** A row that came for a bucket that was claimed already; no conversation when it was deleted since. */
export interface LateRow extends Omit<AddedRow, "conversation"> {
  ms: number;
  sub: number;
  conversation: number | null;
}

const ADDED_SQL = `r.conversation_id AS conversation, r.direction & 1 AS direction,
  r.packets_sent AS packetsSent, r.bytes_sent AS bytesSent, r.packets_received AS packetsReceived,
  r.bytes_received AS bytesReceived, r.tcp_flags AS tcpFlags, r.rtt AS rttNs, r.retransmits`;

/** Reads rows for folding, within transactions that the caller keeps. */
export class FoldRows {
  private readonly first: Statement<{ ms: number }, [bigint]>;
  private readonly border: Statement<{ ms: number; sub: number }, [bigint, bigint, number]>;
  private readonly rows: Statement<AddedRow, [bigint, bigint]>;
  private readonly firstLate: Statement<{ ms: number }, [bigint]>;
  private readonly late: Statement<LateRow, [bigint, bigint, number]>;
  private readonly settleLate: Statement<unknown, [number, number]>;

  constructor(db: SqlConnection) {
    this.first = db.prepare(`SELECT ${ID_MS_SQL} AS ms FROM rows AS r WHERE r.id >= ? ORDER BY r.id LIMIT 1`);
    this.border = db.prepare(
      `SELECT ${ID_MS_SQL} AS ms, ${ID_SUB_SQL} AS sub FROM rows AS r WHERE r.id BETWEEN ? AND ?
       ORDER BY r.id LIMIT 1 OFFSET ?`,
    );
    this.rows = db.prepare(
      `SELECT ${ADDED_SQL} FROM rows AS r WHERE r.id BETWEEN ? AND ? AND r.id NOT IN (SELECT id FROM late)`,
    );
    this.firstLate = db.prepare("SELECT id >> 22 AS ms FROM late WHERE id < ? ORDER BY id LIMIT 1");
    this.late = db.prepare(
      `SELECT l.id >> 22 AS ms, l.id & ${SUB_RANGE - 1} AS sub, ${ADDED_SQL}
       FROM late AS l LEFT JOIN rows AS r ON r.id = l.id WHERE l.id BETWEEN ? AND ? ORDER BY l.id LIMIT ?`,
    );
    this.settleLate = db.prepare(`DELETE FROM late WHERE id = ?1 * ${SUB_RANGE} + ?2`);
  }

  /** Time of the first row at or after `sinceMs`, null for none. */
  firstMs(sinceMs: number): number | null {
    const found = this.first.get(joinId(idMs(sinceMs), 0));
    return found === null ? null : EPOCH_MS + found.ms;
  }

  /** The rows from `sinceMs` on and before `untilMs` that are not late, in chunks; between two others may write. */
  *chunks(sinceMs: number, untilMs: number): Generator<AddedRow[], void, void> {
    const { low, high } = idsBetween(sinceMs, untilMs);
    for (let from = low; from <= high; ) {
      const border = this.border.get(from, high, CHUNK_ROWS - 1);
      const last = border === null ? high : joinId(border.ms, border.sub);
      yield this.rows.all(from, last);
      from = last + 1n;
    }
  }

  /** Time of the first late row before `untilMs`, null for none. */
  firstLateMs(untilMs: number): number | null {
    const found = this.firstLate.get(joinId(idMs(untilMs), 0));
    return found === null ? null : EPOCH_MS + found.ms;
  }

  /** The first late rows from `sinceMs` on and before `untilMs`, `limit` at most. */
  lateRows(sinceMs: number, untilMs: number, limit: number): LateRow[] {
    const { low, high } = idsBetween(sinceMs, untilMs);
    return this.late.all(low, high, limit);
  }

  /** A row is late no more. */
  settle({ ms, sub }: Pick<LateRow, "ms" | "sub">): void {
    this.settleLate.run(ms, sub);
  }
}
