import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { allOf, type Bound, type Condition } from "./condition.ts";
import type { Filter, PortTest } from "./filter.ts";
import { someId } from "./id-set.ts";
import { DETAIL_JOIN } from "./naming-table.ts";
import { joinId, SUB_RANGE } from "./rowid.ts";

/** Conversations looked at, and known to match, at most; fewer with a filter that takes longer. */
const MAX_CONVERSATIONS = 20_000;
const SEGMENTS_PER_READ = 32;

/** A range of row ids, both inclusive. */
export interface IdRange {
  low: bigint;
  high: bigint;
}

interface Segment {
  id: number;
  first_ms: number;
  first_sub: number;
  last_ms: number;
  last_sub: number;
  conversations: Uint8Array | null;
  ports: Uint8Array | null;
}

const ALL: Condition = { sql: "conversations AS c", bound: [] };

function countUpTo(db: SqlConnection, source: Condition, limit: number): number {
  const sql = `SELECT count(*) AS n FROM (SELECT 1 FROM ${source.sql} LIMIT ?)`;
  return db.query<{ n: number }, Bound[]>(sql).get(...source.bound, limit + 1)?.n ?? 0;
}

/** The ids of the conversations that rows matching `filter` have; null when they are too many to find. */
export function findConversations(db: SqlConnection, filter: Filter): Set<number> | null {
  if (filter.conversation.length === 0) return null;
  const sources = filter.indexed.length > 0 ? filter.indexed : [ALL];
  const limit = Math.ceil(MAX_CONVERSATIONS / filter.weight);
  const source = sources.find((each) => countUpTo(db, each, limit) <= limit);
  if (source === undefined) return null;
  const all = allOf(filter.conversation);
  // The limit keeps SQLite from merging the two, and so from choosing another index.
  const sql = `SELECT c.id FROM (SELECT c.* FROM ${source.sql} LIMIT ${MAX_CONVERSATIONS}) AS c ${DETAIL_JOIN}
    WHERE ${all.sql}`;
  const found = db.query<{ id: number }, Bound[]>(sql).all(...source.bound, ...all.bound);
  return new Set(found.map(({ id }) => id));
}

function mayHold(blob: Uint8Array | null, test: (id: number) => boolean): boolean {
  return blob === null || someId(blob, test);
}

/**
 * Walks the segments from the newest id down.
 * Yields, for each, the ids that may have matching rows, or null where it has none, and where the rest begins.
 */
export class SegmentWalk {
  private readonly read: Statement<Segment, [bigint, bigint, bigint, number]>;

  constructor(db: SqlConnection) {
    this.read = db.prepare(
      `SELECT id, first_id >> 22 AS first_ms, first_id & ${SUB_RANGE - 1} AS first_sub,
         last_id >> 22 AS last_ms, last_id & ${SUB_RANGE - 1} AS last_sub, conversations, ports
       FROM segments WHERE first_id <= ? AND last_id >= ? AND (last_id, id) < (?, ?)
       ORDER BY last_id DESC, id DESC LIMIT ${SEGMENTS_PER_READ}`,
    );
  }

  *candidates(
    range: IdRange,
    conversations: ReadonlySet<number> | null,
    ports: readonly PortTest[],
  ): Generator<{ rest: bigint; found: IdRange | null }> {
    let last: [bigint, number] = [2n ** 63n - 1n, Number.MAX_SAFE_INTEGER];
    for (;;) {
      const segments = this.read.all(range.high, range.low, ...last);
      for (const segment of segments) {
        const low = joinId(segment.first_ms, segment.first_sub);
        const high = joinId(segment.last_ms, segment.last_sub);
        last = [high, segment.id];
        const isCandidate =
          (conversations === null || mayHold(segment.conversations, (id) => conversations.has(id))) &&
          ports.every((test) => mayHold(segment.ports, test));
        yield { rest: high, found: isCandidate ? { low, high } : null };
      }
      if (segments.length < SEGMENTS_PER_READ) return;
    }
  }
}
