import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { type LevelTable, levelId } from "./levels.ts";
import {
  bucketBound,
  bucketOf,
  bucketStart,
  decodeBlock,
  encodeBlock,
  PART_ENTRIES,
  type RollupBlock,
} from "./rollup-block.ts";
import { addEntry, appendEntry, compareEntries, newColumns } from "./rollup-columns.ts";
import type { RollupSums } from "./rollup-sums.ts";
import type { RollupLevel } from "./rollup-types.ts";

/** Both directions of a conversation stay in one part, so that one may have an entry more than it is cut at. */
const CUT_ENTRIES = PART_ENTRIES - 1;
/** What comes behind a part at least so full begins a new one. */
const FULL_ENTRIES = PART_ENTRIES / 2;

interface PartRange {
  id: number;
  first: number;
  last: number;
  entries: number;
}

interface PartSize {
  id: number;
  bucket: number;
  bytes: number;
}

/** Entries of sums in order: those from `from` on, before `to`. */
export interface SumsRange {
  sums: RollupSums;
  order: Uint32Array;
  from: number;
  to: number;
}

/** Where the entries before `to` are added: to part `id` of a bucket, or to a new one. */
export interface PartPlan {
  level: RollupLevel;
  bucketMs: number;
  id: number | null;
  to: number;
}

type Blobs = [entries: number, conversations: Uint8Array, data: Uint8Array];

/** Entries of each of the parts that so many are cut into, about equally full. */
function cutSize(entries: number): number {
  return Math.ceil(entries / Math.ceil(entries / CUT_ENTRIES));
}

/** Writes the parts of buckets, within transactions that the caller keeps. A part that cannot be read is told to `onDamage`, and replaced. */
export class RollupParts {
  private readonly before: Statement<PartRange, [number, number, number]>;
  private readonly behind: Statement<PartRange, [number, number, number]>;
  private readonly block: Statement<RollupBlock, [number]>;
  private readonly insert: Statement<unknown, [number, number, number, number, ...Blobs]>;
  private readonly update: Statement<unknown, [number, number, ...Blobs, number]>;
  private readonly sizes: Statement<PartSize, [number, number, number, number]>;
  private readonly first: Statement<{ bucket: number }, [number, number, number]>;
  private readonly remove: Statement<unknown, [number]>;
  private readonly old = newColumns(PART_ENTRIES);
  private readonly out = newColumns(PART_ENTRIES);

  constructor(
    db: SqlConnection,
    private readonly levels: LevelTable,
    private readonly onDamage: (error: unknown) => void,
  ) {
    const near = (order: string) =>
      `SELECT id, first_conversation AS first, last_conversation AS last, entries FROM rollups
       WHERE level = ? AND bucket = ? AND first_conversation ${order} LIMIT 1`;
    this.before = db.prepare(near("<= ? ORDER BY first_conversation DESC"));
    this.behind = db.prepare(near("> ? ORDER BY first_conversation"));
    this.block = db.prepare("SELECT entries, conversations, data FROM rollups WHERE id = ?");
    this.insert = db.prepare(
      `INSERT INTO rollups(level, bucket, first_conversation, last_conversation, entries, conversations, data)
       VALUES(?, ?, ?, ?, ?, ?, ?)`,
    );
    this.update = db.prepare(
      `UPDATE rollups SET first_conversation = ?, last_conversation = ?, entries = ?, conversations = ?, data = ?
       WHERE id = ?`,
    );
    this.first = db.prepare(
      "SELECT bucket FROM rollups WHERE level = ? AND bucket >= ? AND bucket < ? ORDER BY bucket LIMIT 1",
    );
    this.sizes = db.prepare(
      `SELECT id, bucket, length(conversations) + length(data) AS bytes FROM rollups
       WHERE level = ? AND bucket >= ? AND bucket < ? ORDER BY bucket LIMIT ?`,
    );
    this.remove = db.prepare("DELETE FROM rollups WHERE id = ?");
  }

  /** Start of the first bucket of a level that has a part, from `sinceMs` on and before `untilMs`; null for none. */
  firstBucket(level: RollupLevel, sinceMs: number, untilMs: number): number | null {
    const found = this.first.get(levelId(level), bucketBound(level, sinceMs), bucketBound(level, untilMs));
    return found === null ? null : bucketStart(level, found.bucket);
  }

  /** Deletes up to `limit` parts of the buckets from `sinceMs` on and before `untilMs`, oldest first; the end of the last bucket that lost one, null for none. */
  delete(level: RollupLevel, sinceMs: number, untilMs: number, limit: number): number | null {
    const range = [bucketBound(level, sinceMs), bucketBound(level, untilMs)] as const;
    const found = this.sizes.all(levelId(level), ...range, limit);
    const last = found.at(-1);
    if (last === undefined) return null;
    for (const { id } of found) this.remove.run(id);
    const bytes = found.reduce((sum, part) => sum + part.bytes, 0);
    this.levels.resize(level, -found.length, -bytes);
    return bucketStart(level, last.bucket + 1);
  }

  /** Where the first entries of `range` go in a bucket, and how many of them go to the same place. */
  plan(level: RollupLevel, bucketMs: number, { sums, order, from, to }: SumsRange): PartPlan {
    const conversationAt = (index: number) => sums.columns.conversation[order[index] ?? 0] ?? 0;
    const { id, end } = this.place(level, bucketOf(level, bucketMs), conversationAt(from));
    const limit = Math.min(to, from + CUT_ENTRIES);
    let at = from + 1;
    while (at < limit && conversationAt(at) < end) at++;
    if (at < to && conversationAt(at) === conversationAt(at - 1)) at++;
    return { level, bucketMs, id, to: at };
  }

  /** Adds the entries of `range`, all of which `plan` is about. */
  apply({ level, bucketMs, id }: PartPlan, range: SumsRange): void {
    const { old } = this;
    old.length = 0;
    let bytes = 0;
    const block = id === null ? null : this.block.get(id);
    if (block !== null) {
      bytes = block.conversations.length + block.data.length;
      try {
        decodeBlock(block, { level, bucketMs }, old);
      } catch (error) {
        this.onDamage(error);
      }
    }
    this.levels.resize(level, 0, -bytes);
    this.merge(level, bucketOf(level, bucketMs), id, range);
  }

  private place(
    level: RollupLevel,
    bucket: number,
    conversation: number,
  ): { id: number | null; end: number } {
    const key = [levelId(level), bucket] as const;
    const found = this.before.get(...key, conversation) ?? this.behind.get(...key, conversation);
    if (found === null) return { id: null, end: Infinity };
    const end = this.behind.get(...key, Math.max(found.first, conversation))?.first ?? Infinity;
    const isBehind = conversation > found.last && found.entries >= FULL_ENTRIES;
    return { id: isBehind ? null : found.id, end };
  }

  /** Writes what `old` and `range` add up to: first in place of part `id`, then as new parts. */
  private merge(level: RollupLevel, bucket: number, id: number | null, range: SumsRange): void {
    const { old, out } = this;
    const { sums, order, to } = range;
    const size = cutSize(old.length + to - range.from);
    let { from } = range;
    let index = 0;
    let replaced = id;
    const flush = () => {
      this.store(level, bucket, replaced);
      replaced = null;
      out.length = 0;
    };
    out.length = 0;
    while (from < to || index < old.length) {
      const place = order[from] ?? 0;
      const isOld =
        from === to || (index < old.length && compareEntries(old, index, sums.columns, place) <= 0);
      const source = isOld ? old : sums.columns;
      const entry = isOld ? index++ : place;
      const isSame = from < to && isOld && compareEntries(old, entry, sums.columns, place) === 0;
      if (mustCut(out, size, source.conversation[entry] ?? 0)) flush();
      appendEntry(out, source, entry);
      if (isSame) addEntry(out, out.length - 1, sums.columns, place);
      if (isSame || !isOld) from++;
    }
    flush();
  }

  private store(level: RollupLevel, bucket: number, replaced: number | null): void {
    const { out } = this;
    const ends = [out.conversation[0] ?? 0, out.conversation[out.length - 1] ?? 0] as const;
    const { entries, conversations, data } = encodeBlock(out);
    if (replaced === null) this.insert.run(levelId(level), bucket, ...ends, entries, conversations, data);
    else this.update.run(...ends, entries, conversations, data, replaced);
    this.levels.resize(level, replaced === null ? 1 : 0, conversations.length + data.length);
  }
}

function mustCut(out: RollupSums["columns"], size: number, conversation: number): boolean {
  if (out.length < size) return false;
  return out.conversation[out.length - 1] !== conversation || out.length === PART_ENTRIES;
}
