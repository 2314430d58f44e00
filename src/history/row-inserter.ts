import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { SQLiteError } from "bun:sqlite";
import { ConversationTable } from "./conversations.ts";
import type { Identities } from "./identities.ts";
import type { InterfaceTable } from "./interfaces.ts";
import type { QueuedRow } from "./queue.ts";
import { idMs, MICRO_RANGE, microsOf, SUB_RANGE } from "./rowid.ts";
import { KIND_PACKET } from "./schema.ts";
import type { SegmentTracker } from "./segments.ts";

type N = number;
type RowValues = [N, N, N, N, N, N, N, N, N, N, N, N | null, N];

const DUPLICATE_ID = "SQLITE_CONSTRAINT_PRIMARYKEY";

/** Writes single rows, within a transaction that the caller keeps. */
export class RowInserter {
  private readonly insertRow: Statement<unknown, RowValues>;
  private readonly lastOfMs: Statement<{ sub: number | null }, [number]>;
  private readonly insertLate: Statement<unknown, [number, number]>;
  private readonly conversations: ConversationTable;
  /** Identities given a conversation in this transaction. */
  private readonly named: number[] = [];
  private windows = 0;
  private packets = 0;
  private claimedIdMs: number;

  constructor(
    db: SqlConnection,
    private readonly segments: SegmentTracker,
    private readonly identities: Identities,
    interfaces: InterfaceTable,
    claimedMs: number,
  ) {
    this.claimedIdMs = idMs(claimedMs);
    this.insertLate = db.prepare(`INSERT INTO late VALUES(?1 * ${SUB_RANGE} + ?2)`);
    this.conversations = new ConversationTable(db, interfaces);
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

  insert(row: QueuedRow): void {
    const { identity, timestampMs } = row;
    if (this.identities.segment[identity] !== this.segments.openId) this.join(identity);
    const conversationId = this.identities.conversation[identity] ?? 0;
    const isPacket = row.kind === KIND_PACKET;
    let ms = idMs(timestampMs);
    let sub = isPacket ? this.packetSub(timestampMs) : this.windowSub();
    while (!this.tryInsert(ms, sub, conversationId, row)) {
      sub = (this.lastOfMs.get(ms)?.sub ?? -1) + 1;
      if (sub === SUB_RANGE) {
        ms++;
        sub = 0;
      }
      if (!isPacket) this.windows = (sub + 1) % SUB_RANGE;
    }
    if (ms < this.claimedIdMs) this.insertLate.run(ms, sub);
    this.segments.add(ms, sub);
  }

  /** Rows of the time before `untilMs` that come from now on are late: those that are there are being folded. */
  claim(untilMs: number): void {
    this.claimedIdMs = Math.max(this.claimedIdMs, idMs(untilMs));
  }

  committed(): void {
    this.named.length = 0;
  }

  /** The transaction was rolled back: the rows it stored, and their ids, are not there. */
  rolledBack(): void {
    for (const identity of this.named) this.identities.setConversation(identity, 0);
    this.named.length = 0;
    this.conversations.rolledBack();
  }

  /** The first row of an identity in the open segment. Retention keeps the conversations of that one. */
  private join(identity: number): void {
    const { segments, identities } = this;
    const known = identities.conversation[identity] ?? 0;
    const isThere =
      known !== 0 &&
      (segments.isUndeletedSince(identities.segment[identity] ?? 0) ||
        segments.has(known) ||
        this.conversations.exists(known));
    // Retention deletes the conversations of connections that are silent for long.
    if (!isThere) {
      this.named.push(identity);
      identities.setConversation(identity, this.conversations.intern(identities.describe(identity)));
    }
    const ports = [identities.clientPort[identity] ?? 0, identities.serverPort[identity] ?? 0] as const;
    segments.join(identities.conversation[identity] ?? 0, ...ports);
    identities.segment[identity] = segments.openId;
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
  private tryInsert(ms: number, sub: number, conversationId: number, row: QueuedRow): boolean {
    try {
      this.insertRow.run(
        ms,
        sub,
        conversationId,
        this.identities.clientPort[row.identity] ?? 0,
        row.kind,
        row.direction,
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
