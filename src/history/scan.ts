import type { SqlConnection } from "./connection.ts";
import type { IdRange } from "./candidates.ts";
import { chunkStart } from "./chunks.ts";
import type { Cursor } from "./cursor.ts";
import { allOf, type Bound, type Condition } from "./condition.ts";
import { ITEM_SQL, type StoredRow } from "./item.ts";
import { DETAIL_JOIN } from "./naming-table.ts";

/** Rows looked at between two looks at the clock; fewer with a filter that takes longer. */
const CHUNK_ROWS = 4096;

export interface ScanOptions {
  conditions: readonly Condition[];
  /** False when about every row matches: a page then is one statement. */
  isFiltered: boolean;
  /** What the conditions take, as a multiple of simple ones. */
  weight: number;
  range: IdRange;
  /** Rows to find. */
  wanted: number;
  /** Rows that match to leave out first. */
  skip: number;
  isOverdue(): boolean;
}

/** Looks for rows downwards from the newest, chunk by chunk, until enough are found or time is up. */
export class RowScan {
  readonly rows: StoredRow[] = [];
  /** Where to go on, when time was up before all was looked at. */
  interrupted: Cursor | null = null;
  private readonly where: Condition;
  private skip: number;
  /** Highest id not looked at yet. */
  private next: bigint;

  constructor(
    private readonly db: SqlConnection,
    private readonly options: ScanOptions,
  ) {
    this.where = allOf(options.conditions);
    this.skip = options.skip;
    this.next = options.range.high;
  }

  /** Nothing above `id` is left to look at. False when time is up. */
  goDownTo(id: bigint): boolean {
    if (id < this.next) this.next = id;
    return this.hasTime();
  }

  /** Looks through what of `range` is left. False when enough was found or time is up. */
  scan(range: IdRange): boolean {
    const low = range.low > this.options.range.low ? range.low : this.options.range.low;
    if (range.high < this.next) this.next = range.high;
    while (this.next >= low) {
      if (!this.hasTime()) return false;
      const first = this.chunkStart(low);
      this.scanChunk(first, this.next);
      this.next = first - 1n;
      if (this.rows.length >= this.options.wanted) return false;
    }
    return true;
  }

  // Only with something behind it, or the next query would begin where this one did.
  private hasTime(): boolean {
    if (this.next === this.options.range.high || !this.options.isOverdue()) return true;
    this.interrupted = { before: this.next + 1n, skip: this.skip };
    return false;
  }

  private chunkStart(low: bigint): bigint {
    const rows = Math.ceil(CHUNK_ROWS / this.options.weight);
    return this.options.isFiltered || this.skip > 0 ? chunkStart(this.db, low, this.next, rows) : low;
  }

  private scanChunk(low: bigint, high: bigint): void {
    if (this.skip > 0) {
      const matching = this.count(low, high);
      if (matching <= this.skip) {
        this.skip -= matching;
        return;
      }
    }
    const sql = `${ITEM_SQL} WHERE r.id BETWEEN ? AND ? AND ${this.where.sql} ORDER BY r.id DESC LIMIT ? OFFSET ?`;
    const wanted = this.options.wanted - this.rows.length;
    const bound = [low, high, ...this.where.bound, wanted, this.skip];
    this.rows.push(...this.db.query<StoredRow, Bound[]>(sql).all(...bound));
    this.skip = 0;
  }

  private count(low: bigint, high: bigint): number {
    const sql = `SELECT count(*) AS n FROM rows AS r CROSS JOIN conversations AS c ON c.id = r.conversation_id ${DETAIL_JOIN}
      WHERE r.id BETWEEN ? AND ? AND ${this.where.sql}`;
    return this.db.query<{ n: number }, Bound[]>(sql).get(low, high, ...this.where.bound)?.n ?? 0;
  }
}
