import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { covers, type LevelState, type LevelTable } from "./levels.ts";
import { type Level, ROLLUP_LEVELS } from "./rollup-types.ts";
import { EPOCH_MS, idMs, idsBetween, SUB_RANGE } from "./rowid.ts";

const ROWS_PER_STEP = 2000;

interface Last {
  ms: number;
  sub: number;
}

/** How many rows, and when the first is of; null for none. */
interface Counted {
  n: number;
  ms: number | null;
}

/** Deletes the oldest rows, a few at a time, within transactions that the caller keeps. Each answers whether it deleted any. */
export class RowRetention {
  private readonly lastBefore: Statement<Last, [number, number]>;
  private readonly firstLate: Statement<{ ms: number }, []>;
  private readonly unfolded: Statement<Counted, [bigint, number, number]>;
  private readonly deleteRows: Statement<unknown, [number, number]>;
  private readonly deleteLate: Statement<unknown, [number, number]>;
  /** Whether the last deletion took the last trace of what the rows were about. */
  hasReleased = false;

  constructor(
    db: SqlConnection,
    private readonly levels: LevelTable,
  ) {
    this.lastBefore = db.prepare(
      `SELECT id >> 22 AS ms, id & ${SUB_RANGE - 1} AS sub FROM
         (SELECT id FROM rows WHERE id < ?1 * ${SUB_RANGE} ORDER BY id LIMIT ?2) ORDER BY id DESC LIMIT 1`,
    );
    this.firstLate = db.prepare("SELECT id >> 22 AS ms FROM late ORDER BY id LIMIT 1");
    this.unfolded = db.prepare(
      `SELECT count(*) AS n, min(id) >> 22 AS ms FROM (
         SELECT id FROM late WHERE id < ?1 AND id <= ?2 * ${SUB_RANGE} + ?3
         UNION ALL SELECT id FROM rows WHERE id >= ?1 AND id <= ?2 * ${SUB_RANGE} + ?3)`,
    );
    this.deleteRows = db.prepare(`DELETE FROM rows WHERE id <= ?1 * ${SUB_RANGE} + ?2`);
    this.deleteLate = db.prepare(`DELETE FROM late WHERE id <= ?1 * ${SUB_RANGE} + ?2`);
  }

  /** Rows before `ms`, folded or not. */
  deleteAll(ms: number): boolean {
    const last = this.lastBefore.get(idMs(ms), ROWS_PER_STEP);
    if (last === null) return false;
    const endMs = EPOCH_MS + last.ms + 1;
    if (endMs > this.levels.read().minute.watermark) this.levels.raiseFloorsFrom("minute", endMs);
    return this.delete(last);
  }

  /** Rows before `ms` that are in the sums of minutes, up to the first that is late. */
  deleteFolded(ms: number): boolean {
    const late = this.firstLate.get()?.ms ?? Infinity;
    const folded = idMs(Math.min(ms, this.levels.read().minute.watermark));
    const last = this.lastBefore.get(Math.min(folded, late), ROWS_PER_STEP);
    return last !== null && this.delete(last);
  }

  /** The oldest rows although they are in no sums; they are counted as lost. */
  deleteUnfolded(): boolean {
    const last = this.lastBefore.get(idMs(Infinity), ROWS_PER_STEP);
    if (last === null) return false;
    const { low } = idsBetween(this.levels.read().minute.watermark, Infinity);
    // Some of them may be in the sums of a fold under way: whether that comes to an end is not known.
    const lost = this.unfolded.get(low, last.ms, last.sub);
    this.levels.lose("minute", {
      count: lost?.n ?? 0,
      sinceMs: EPOCH_MS + (lost?.ms ?? last.ms),
      untilMs: EPOCH_MS + last.ms + 1,
    });
    return this.delete(last);
  }

  private delete({ ms, sub }: Last): boolean {
    const states = this.levels.read();
    this.hasReleased = !hasSums(states, EPOCH_MS + ms);
    this.deleteRows.run(ms, sub);
    this.deleteLate.run(ms, sub);
    this.levels.raiseFloor("raw", EPOCH_MS + ms + 1);
    return true;
  }
}

function hasSums(states: Record<Level, LevelState>, ms: number): boolean {
  return ROLLUP_LEVELS.some((level) => covers(states[level], ms));
}
