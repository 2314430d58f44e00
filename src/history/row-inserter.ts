import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { SQLiteError } from "bun:sqlite";
import { ConversationTable } from "./conversations.ts";
import { idMs, MICRO_RANGE, microsOf, SUB_RANGE } from "./rowid.ts";
import { DIRECTION_EGRESS, DIRECTION_INGRESS, KIND_PACKET, KIND_WINDOW } from "./schema.ts";
import type { SegmentTracker } from "./segments.ts";
import type { HistoryConnection, HistoryRow } from "./types.ts";

type N = number;
type RowValues = [N, N, N, N, N, N, N, N, N, N, N, N | null, N];

const DUPLICATE_ID = "SQLITE_CONSTRAINT_PRIMARYKEY";

/** Writes single rows, within a transaction that the caller keeps. */
export class RowInserter {
  private readonly insertRow: Statement<unknown, RowValues>;
  private readonly lastOfMs: Statement<{ sub: number | null }, [number]>;
  private readonly conversations: ConversationTable;
  /** Connections given a row id in this transaction. */
  private readonly named: HistoryConnection[] = [];
  private windows = 0;
  private packets = 0;

  constructor(
    db: SqlConnection,
    private readonly segments: SegmentTracker,
  ) {
    this.conversations = new ConversationTable(db);
    this.insertRow = db.prepare(
      `INSERT INTO rows VALUES(?1 * ${SUB_RANGE} + ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`,
    );
    this.lastOfMs = db.prepare(
      `SELECT max(id) & ${SUB_RANGE - 1} AS sub FROM rows
       WHERE id >= ?1 * ${SUB_RANGE} AND id < (?1 + 1) * ${SUB_RANGE}`,
    );
    // After a restart the rows of the same window go behind those that are there.
    const newest = db
      .query<{ sub: number }, []>(`SELECT id & ${SUB_RANGE - 1} AS sub FROM rows ORDER BY id DESC LIMIT 1`)
      .get();
    this.windows = ((newest?.sub ?? -1) + 1) % SUB_RANGE;
  }

  insert(row: HistoryRow): void {
    const { connection, timestampMs } = row;
    const conversationId = this.conversationOf(connection);
    const isPacket = row.kind === "packet";
    let ms = idMs(timestampMs);
    let sub = isPacket ? this.packetSub(timestampMs) : this.windowSub();
    while (!this.tryInsert(ms, sub, conversationId, isPacket ? KIND_PACKET : KIND_WINDOW, row)) {
      sub = (this.lastOfMs.get(ms)?.sub ?? -1) + 1;
      if (sub === SUB_RANGE) {
        ms++;
        sub = 0;
      }
      if (!isPacket) this.windows = (sub + 1) % SUB_RANGE;
    }
    this.segments.add(ms, sub, conversationId, connection.clientPort, connection.serverPort);
  }

  committed(): void {
    this.named.length = 0;
  }

  /** The transaction was rolled back: the rows it stored, and their ids, are not there. */
  rolledBack(): void {
    for (const connection of this.named) connection.rowId = 0;
    this.named.length = 0;
    this.conversations.rolledBack();
  }

  // Retention may have deleted the conversation of a connection that was silent; it keeps those of the open segment.
  private conversationOf(connection: HistoryConnection): number {
    const known = connection.rowId;
    if (known !== 0 && (this.segments.has(known) || this.conversations.exists(known))) return known;
    const id = this.conversations.intern(connection);
    connection.rowId = id;
    this.named.push(connection);
    return id;
  }

  private windowSub(): number {
    const sub = this.windows;
    this.windows = (sub + 1) % SUB_RANGE;
    return sub;
  }

  private packetSub(timestampMs: number): number {
    const counter = this.packets;
    this.packets = (counter + 1) % MICRO_RANGE;
    return microsOf(timestampMs) * MICRO_RANGE + counter;
  }

  /** False when the id is taken. */
  private tryInsert(ms: number, sub: number, conversationId: number, kind: number, row: HistoryRow): boolean {
    try {
      this.insertRow.run(
        ms,
        sub,
        conversationId,
        row.connection.clientPort,
        kind,
        row.direction === "ingress" ? DIRECTION_INGRESS : DIRECTION_EGRESS,
        row.packetsSent,
        row.bytesSent,
        row.packetsReceived,
        row.bytesReceived,
        row.tcpFlags,
        row.rttNs,
        row.retransmits,
      );
      return true;
    } catch (error) {
      if (error instanceof SQLiteError && error.code === DUPLICATE_ID) return false;
      throw error;
    }
  }
}
