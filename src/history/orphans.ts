import type { SqlConnection } from "./connection.ts";
import { someId } from "./id-set.ts";
import { NOTHING } from "./naming-table.ts";
import type { SegmentTracker } from "./segments.ts";

/** Conversation ids looked at in one pass over the segments: one bit each. */
const WINDOW_IDS = 8 * 1024 * 1024;
const SEGMENTS_PER_STEP = 16;
const CONVERSATIONS_PER_STEP = 128;

interface Conversation {
  id: number;
  domain_id: number;
  detail_id: number;
}

interface SegmentSets {
  id: number;
  conversations: Uint8Array | null;
}

/**
 * Deletes conversations that no row has any more, and the names that only they had, in small steps: marks those that
 * segments name, then deletes the rest. Needs no index from rows to conversations, and no column that says when one was last used.
 */
export class OrphanSweep {
  private readonly marks = new Uint8Array(WINDOW_IDS / 8);
  private readonly windowStart: number;
  private lastSegment = 0;
  private lastConversation: number;

  private constructor(
    private readonly db: SqlConnection,
    private readonly segments: SegmentTracker,
    firstConversation: number,
    private readonly maxConversation: number,
  ) {
    this.windowStart = firstConversation;
    this.lastConversation = firstConversation - 1;
  }

  /** A sweep over the conversations from id `from` on; null when there are none. */
  static begin(db: SqlConnection, segments: SegmentTracker, from: number): OrphanSweep | null {
    const ids = db
      .query<{ first: number | null; last: number | null }, [number]>(
        "SELECT min(id) AS first, max(id) AS last FROM conversations WHERE id >= ?",
      )
      .get(from);
    if (ids?.first == null || ids.last === null) return null;
    return new OrphanSweep(db, segments, ids.first, Math.min(ids.last, ids.first + WINDOW_IDS - 1));
  }

  /** Where the next sweep goes on. */
  get end(): number {
    return this.windowStart + WINDOW_IDS;
  }

  /** A little of the work; within a transaction. True when all is done. */
  step(): boolean {
    // Segments finished since the last step first: what the writer used meanwhile must be marked.
    if (!this.markSome()) return false;
    const found = this.db
      .query<Conversation, [number, number, number]>(
        "SELECT id, domain_id, detail_id FROM conversations WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
      )
      .all(this.lastConversation, this.maxConversation, CONVERSATIONS_PER_STEP);
    for (const conversation of found) {
      this.lastConversation = conversation.id;
      if (!this.isUsed(conversation.id)) this.remove(conversation);
    }
    return found.length < CONVERSATIONS_PER_STEP;
  }

  /** Deletes a conversation, and what only it used. */
  private remove({ id, domain_id, detail_id }: Conversation): void {
    this.segments.noteDeletion();
    this.db.query<unknown, [number]>("DELETE FROM conversations WHERE id = ?").run(id);
    if (domain_id !== NOTHING) this.removeUnused("domains", "domain_id", domain_id);
    if (detail_id !== NOTHING) this.removeUnused("details", "detail_id", detail_id);
  }

  private removeUnused(table: "domains" | "details", column: "domain_id" | "detail_id", id: number): void {
    // What is not NOTHING is in the index by this column.
    const used = `SELECT 1 FROM conversations AS c WHERE c.${column} = ?1 AND c.${column} <> ${NOTHING}`;
    this.db.query<unknown, [number]>(`DELETE FROM ${table} WHERE id = ?1 AND NOT EXISTS (${used})`).run(id);
  }

  private isUsed(id: number): boolean {
    const bit = id - this.windowStart;
    return ((this.marks[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0 || this.segments.has(id);
  }

  /** Marks what some more segments name; true when there are no more. */
  private markSome(): boolean {
    const segments = this.db
      .query<SegmentSets, [number, number]>(
        "SELECT id, conversations FROM segments WHERE id > ? ORDER BY id LIMIT ?",
      )
      .all(this.lastSegment, SEGMENTS_PER_STEP);
    for (const { id, conversations } of segments) {
      if (id === this.segments.openId) return true;
      this.lastSegment = id;
      if (conversations === null) this.markAll();
      else someId(conversations, (conversation) => this.mark(conversation));
    }
    return segments.length < SEGMENTS_PER_STEP;
  }

  private mark(id: number): false {
    const bit = id - this.windowStart;
    if (bit >= 0 && bit < WINDOW_IDS) this.marks[bit >> 3]! |= 1 << (bit & 7);
    return false;
  }

  // A segment whose sets are unknown could name any.
  private markAll(): void {
    this.marks.fill(0xff);
  }
}
