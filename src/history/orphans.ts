import type { SqlConnection } from "./connection.ts";
import { someId } from "./id-set.ts";
import { covers, levelId, type LevelTable } from "./levels.ts";
import { NOTHING } from "./naming-table.ts";
import { bucketStart, type ConversationBlock, DamagedBlockError, eachConversation } from "./rollup-block.ts";
import { ROLLUP_LEVELS, type RollupLevel } from "./rollup-types.ts";
import type { SegmentTracker } from "./segments.ts";

/** Conversation ids looked at in one pass over the segments: one bit each. */
const WINDOW_IDS = 8 * 1024 * 1024;
const SEGMENTS_PER_STEP = 16;
const PARTS_PER_STEP = 16;
const CONVERSATIONS_PER_STEP = 128;
const BEFORE_ALL = { bucket: Number.MIN_SAFE_INTEGER, first: 0 };

interface Conversation {
  id: number;
  domain_id: number;
  detail_id: number;
}

/** A part of `rollups`, without its sums. */
interface PartPlace {
  id: number;
  bucket: number;
  first: number;
  last: number;
}

interface SegmentSets {
  id: number;
  conversations: Uint8Array | null;
}

export interface SweepOptions {
  db: SqlConnection;
  segments: SegmentTracker;
  levels: LevelTable;
  /** How long each level is kept, 0 for ever. */
  levelSeconds: Readonly<Record<RollupLevel, number>>;
  /** Whether sums that are not written yet name a conversation. */
  isHeld: (conversation: number) => boolean;
}

/**
 * Deletes conversations that no row and no rollup has any more, and the names that only they had, in small steps: marks those
 * that segments and parts name, then deletes the rest. Needs no index from them to conversations, and no column that says
 * when one was last used. Parts are marked finest level first: what is folded meanwhile is in the next one.
 */
export class OrphanSweep {
  private readonly marks = new Uint8Array(WINDOW_IDS / 8);
  private readonly windowStart: number;
  private lastSegment = 0;
  private lastConversation: number;
  /** Where marking parts stands: all levels before this one are done. */
  private level = 0;
  private lastPart: Pick<PartPlace, "bucket" | "first"> = BEFORE_ALL;
  private floors: string;

  private constructor(
    private readonly options: SweepOptions,
    firstConversation: number,
    private readonly maxConversation: number,
  ) {
    this.windowStart = firstConversation;
    this.lastConversation = firstConversation - 1;
    this.floors = this.coarseFloors();
  }

  /** A sweep over the conversations from id `from` on; null when there are none. */
  static begin(options: SweepOptions, from: number): OrphanSweep | null {
    const ids = options.db
      .query<{ first: number | null; last: number | null }, [number]>(
        "SELECT min(id) AS first, max(id) AS last FROM conversations WHERE id >= ?",
      )
      .get(from);
    if (ids?.first == null || ids.last === null) return null;
    return new OrphanSweep(options, ids.first, Math.min(ids.last, ids.first + WINDOW_IDS - 1));
  }

  /** Where the next sweep goes on. */
  get end(): number {
    return this.windowStart + WINDOW_IDS;
  }

  /** A little of the work; within a transaction. True when all is done. */
  step(): boolean {
    // Segments finished since the last step first: what the writer used meanwhile must be marked.
    if (!this.markSegments() || !this.markParts()) return false;
    const found = this.options.db
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
    this.options.segments.noteDeletion();
    this.options.db.query<unknown, [number]>("DELETE FROM conversations WHERE id = ?").run(id);
    if (domain_id !== NOTHING) this.removeUnused("domains", "domain_id", domain_id);
    if (detail_id !== NOTHING) this.removeUnused("details", "detail_id", detail_id);
  }

  private removeUnused(table: "domains" | "details", column: "domain_id" | "detail_id", id: number): void {
    // What is not NOTHING is in the index by this column.
    const used = `SELECT 1 FROM conversations AS c WHERE c.${column} = ?1 AND c.${column} <> ${NOTHING}`;
    this.options.db
      .query<unknown, [number]>(`DELETE FROM ${table} WHERE id = ?1 AND NOT EXISTS (${used})`)
      .run(id);
  }

  private isUsed(id: number): boolean {
    const bit = id - this.windowStart;
    if (((this.marks[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0) return true;
    return this.options.segments.has(id) || this.options.isHeld(id);
  }

  /** Marks what some more segments name; true when there are no more. */
  private markSegments(): boolean {
    const segments = this.options.db
      .query<SegmentSets, [number, number]>(
        "SELECT id, conversations FROM segments WHERE id > ? ORDER BY id LIMIT ?",
      )
      .all(this.lastSegment, SEGMENTS_PER_STEP);
    for (const { id, conversations } of segments) {
      if (id === this.options.segments.openId) return true;
      this.lastSegment = id;
      if (conversations === null) this.markAll();
      else someId(conversations, (conversation) => this.mark(conversation));
    }
    return segments.length < SEGMENTS_PER_STEP;
  }

  /** Marks what some more parts name; true when there are no more. */
  private markParts(): boolean {
    const level = ROLLUP_LEVELS[this.level];
    if (level === undefined) return true;
    const { bucket, first } = this.lastPart;
    const parts = this.options.db
      .query<PartPlace, [number, number, number]>(
        `SELECT id, bucket, first_conversation AS first, last_conversation AS last FROM rollups
         WHERE level = ?1 AND (bucket, first_conversation) > (?2, ?3) ORDER BY bucket, first_conversation LIMIT ${PARTS_PER_STEP}`,
      )
      .all(levelId(level), bucket, first);
    const states = this.options.levels.read();
    const lasting = this.longerKept(level);
    for (const part of parts) {
      this.lastPart = part;
      const bucketMs = bucketStart(level, part.bucket);
      // Who is in it is in the coarser one too.
      const isInAnother = lasting.some((other) => covers(states[other], bucketMs));
      if (part.last >= this.windowStart && !isInAnother) this.markPart(part.id, level, bucketMs);
    }
    if (parts.length === PARTS_PER_STEP) return false;
    this.level++;
    this.lastPart = BEFORE_ALL;
    return this.level === ROLLUP_LEVELS.length && this.hasSeenAll();
  }

  /** False, and parts are marked once more, when some went that a finer one was left out for. */
  private hasSeenAll(): boolean {
    const floors = this.coarseFloors();
    if (floors === this.floors) return true;
    this.floors = floors;
    this.level = 0;
    return false;
  }

  private coarseFloors(): string {
    const { hour, day } = this.options.levels.read();
    return `${hour.floor} ${day.floor}`;
  }

  /** Coarser levels that are kept at least as long as `level`. */
  private longerKept(level: RollupLevel): RollupLevel[] {
    const { levelSeconds } = this.options;
    const kept = (of: RollupLevel) => (levelSeconds[of] === 0 ? Infinity : levelSeconds[of]);
    return ROLLUP_LEVELS.slice(ROLLUP_LEVELS.indexOf(level) + 1).filter(
      (other) => kept(other) >= kept(level),
    );
  }

  private markPart(id: number, level: RollupLevel, bucketMs: number): void {
    const block = this.options.db
      .query<ConversationBlock, [number]>("SELECT entries, conversations FROM rollups WHERE id = ?")
      .get(id);
    if (block === null) return;
    try {
      eachConversation(block, { level, bucketMs }, (conversation) => this.mark(conversation));
    } catch (error) {
      if (!(error instanceof DamagedBlockError)) throw error;
      this.markAll();
    }
  }

  private mark(id: number): false {
    const bit = id - this.windowStart;
    if (bit >= 0 && bit < WINDOW_IDS) this.marks[bit >> 3]! |= 1 << (bit & 7);
    return false;
  }

  // A segment whose sets are unknown, or a part that is damaged, could name any.
  private markAll(): void {
    this.marks.fill(0xff);
  }
}
