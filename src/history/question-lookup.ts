import type { SqlConnection } from "./connection.ts";
import type { Bound, Condition } from "./condition.ts";
import { DETAIL_JOIN } from "./naming-table.ts";
import { keyFold, keySql } from "./question-keys.ts";
import type { GroupKey } from "./question-types.ts";
import { DIRECTION_EGRESS, DIRECTION_INGRESS } from "./schema.ts";

/** A conversation as `ConversationLookup` reads it: id, key of its group, and a bit for each direction that passes. */
export type LookedUp = [id: number, key: string | number, passing: number];

/** All directions of a conversation pass. */
export const ALL_PASS = (1 << DIRECTION_INGRESS) | (1 << DIRECTION_EGRESS);

/** Conversations read at a time without a filter that takes long: some 2 ms. */
const IDS_PER_READ = 2048;

/** Ids closer than this on average are read as one range. */
const DENSE = 2;

/** A filter of rollups: `r` has nothing but the direction in it. */
export interface EntryFilter {
  condition: Condition;
  usesDirection: boolean;
  /** What it takes, as a multiple of a simple one. */
  weight: number;
}

function passingBits({ condition, usesDirection }: EntryFilter): Condition {
  const { sql, bound } = condition;
  if (!usesDirection) return { sql: `CASE WHEN ${sql} THEN ${ALL_PASS} ELSE 0 END`, bound };
  const of = (direction: number) =>
    `(SELECT CASE WHEN ${sql} THEN ${1 << direction} ELSE 0 END FROM (SELECT ${direction} AS direction) AS r)`;
  return { sql: `${of(DIRECTION_INGRESS)} + ${of(DIRECTION_EGRESS)}`, bound: [...bound, ...bound] };
}

/** Reads which groups conversations belong to, and whether they pass a filter. */
export class ConversationLookup {
  private readonly fold: (key: string) => string;
  private readonly select: Condition;

  constructor(
    private readonly db: SqlConnection,
    groupBy: readonly GroupKey[],
    private readonly filter: EntryFilter | null,
    registered: (domain: string) => string,
  ) {
    this.fold = keyFold(groupBy, registered);
    const passes = filter === null ? { sql: String(ALL_PASS), bound: [] } : passingBits(filter);
    this.select = { sql: `SELECT c.id, ${keySql(groupBy)}, ${passes.sql}`, bound: passes.bound };
  }

  /** Passing bits of a conversation that is not stored any more. */
  get missing(): number {
    return this.filter === null ? ALL_PASS : 0;
  }

  /** As many ids as may be read at a time. */
  get idsPerRead(): number {
    return Math.ceil(IDS_PER_READ / (this.filter?.weight ?? 1));
  }

  /** Calls `visit` for those of `ids`, which are ascending, that there are, and maybe for others between them. */
  read(ids: Float64Array, visit: (id: number, key: string, passing: number) => void): void {
    const first = ids[0] ?? 0;
    const last = ids.at(-1) ?? -1;
    const isDense = last - first < ids.length * DENSE;
    const from = isDense
      ? `conversations AS c ${DETAIL_JOIN} WHERE c.id BETWEEN ? AND ?`
      : `json_each(?) AS j CROSS JOIN conversations AS c ON c.id = j.value ${DETAIL_JOIN}`;
    const bound = isDense ? [first, last] : [`[${ids.join()}]`];
    const { sql } = this.select;
    const found = this.db
      .query<unknown, Bound[]>(`${sql} FROM ${from}`)
      .values(...this.select.bound, ...bound);
    for (const [id, key, passing] of found as LookedUp[]) visit(id, this.fold(String(key)), passing);
  }
}
