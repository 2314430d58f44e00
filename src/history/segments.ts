import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { encodeIds } from "./id-set.ts";
import { joinId } from "./rowid.ts";

/** Rows of one segment: what a search reads at least for each segment that may have what it looks for. */
export const SEGMENT_ROWS = 4096;
const PORTS = 65_536;
/** A segment left open by a crash is closed from its rows, unless its range has far more rows than its own. */
const MAX_RECOVERED_ROWS = 5 * SEGMENT_ROWS;

interface OpenSegment {
  id: bigint;
  first_id: bigint;
  last_id: bigint;
}

function encodeSet(ids: ReadonlySet<number>): Uint8Array {
  return encodeIds(Float64Array.from(ids).sort());
}

/**
 * The segment that grows: what the rows written since the last one hold.
 * Its sets may hold more than its rows after a rollback, never less.
 */
export class SegmentTracker {
  private readonly save: Statement<unknown, [number, bigint, bigint]>;
  private readonly finish: Statement<unknown, [Uint8Array, Uint8Array, number]>;
  private readonly conversations = new Set<number>();
  private readonly ports = new Uint8Array(PORTS);
  private segmentId: number;
  private deletedDuring = 0;
  private rows = 0;
  private firstMs = Infinity;
  private firstSub = 0;
  private lastMs = -Infinity;
  private lastSub = 0;

  constructor(private readonly db: SqlConnection) {
    this.save = db.prepare(
      `INSERT INTO segments(id, first_id, last_id) VALUES(?, ?, ?) ON CONFLICT(id) DO UPDATE
       SET first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)`,
    );
    this.finish = db.prepare("UPDATE segments SET conversations = ?, ports = ? WHERE id = ?");
    const last = db.query<{ id: number | null }, []>("SELECT max(id) AS id FROM segments").get();
    this.segmentId = (last?.id ?? 0) + 1;
  }

  /** The segment that retention must leave alone. */
  get openId(): number {
    return this.segmentId;
  }

  get isFull(): boolean {
    return this.rows >= SEGMENT_ROWS;
  }

  /** Whether the open segment has rows of a conversation, which retention then keeps. */
  has(conversationId: number): boolean {
    return this.conversations.has(conversationId);
  }

  /** Conversations are about to be deleted. */
  noteDeletion(): void {
    this.deletedDuring = this.segmentId;
  }

  /** Whether no conversation was deleted since the segment `id` was begun: those it has are still there. */
  isUndeletedSince(id: number): boolean {
    return id > this.deletedDuring;
  }

  /** The open segment has rows of this conversation and these ports; call it before the first of them is written. */
  join(conversationId: number, clientPort: number, serverPort: number): void {
    this.conversations.add(conversationId);
    this.ports[clientPort] = 1;
    this.ports[serverPort] = 1;
  }

  /** Counts a row in, in the transaction that writes it. */
  add(ms: number, sub: number): void {
    this.rows++;
    if (ms < this.firstMs || (ms === this.firstMs && sub < this.firstSub)) {
      this.firstMs = ms;
      this.firstSub = sub;
    }
    if (ms > this.lastMs || (ms === this.lastMs && sub > this.lastSub)) {
      this.lastMs = ms;
      this.lastSub = sub;
    }
  }

  /** Stores the range; part of the transaction that writes the rows. */
  store(): void {
    if (this.rows === 0) return;
    this.save.run(this.segmentId, joinId(this.firstMs, this.firstSub), joinId(this.lastMs, this.lastSub));
  }

  /** Stores the sets of the full segment; call `next` once that is committed. */
  finishSets(): void {
    this.finish.run(encodeSet(this.conversations), encodeIds(this.usedPorts()), this.segmentId);
  }

  /** Begins a new segment. */
  next(): void {
    this.segmentId++;
    this.conversations.clear();
    this.ports.fill(0);
    this.rows = 0;
    this.firstMs = Infinity;
    this.lastMs = -Infinity;
  }

  /** Closes the segments that a process before this one left open. In a transaction. */
  recover(): void {
    const open = this.db
      .query<OpenSegment, []>("SELECT id, first_id, last_id FROM segments WHERE conversations IS NULL")
      .safeIntegers(true)
      .all();
    const rowsOf = this.db.query<
      { conversation_id: number; client_port: number; server_port: number },
      [bigint, bigint]
    >(
      `SELECT conversation_id, client_port, server_port FROM rows JOIN conversations AS c ON c.id = conversation_id
       WHERE rows.id BETWEEN ? AND ? LIMIT ${MAX_RECOVERED_ROWS + 1}`,
    );
    for (const segment of open) {
      const rows = rowsOf.all(segment.first_id, segment.last_id);
      if (rows.length > MAX_RECOVERED_ROWS) continue;
      const ports = new Set(rows.flatMap((row) => [row.client_port, row.server_port]));
      const conversations = new Set(rows.map((row) => row.conversation_id));
      this.finish.run(encodeSet(conversations), encodeSet(ports), Number(segment.id));
    }
  }

  private usedPorts(): number[] {
    const used: number[] = [];
    for (let port = 0; port < PORTS; port++) if (this.ports[port] === 1) used.push(port);
    return used;
  }
}
