import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { LEVELS, type Level, type LevelCoverage, type RollupLevel } from "./rollup-types.ts";

/** What is known of one level. Times in milliseconds since the epoch. */
export interface LevelState {
  /** Everything from here on is there; -Infinity when nothing was ever deleted. */
  floor: number;
  /** Everything before is folded into it; -Infinity when nothing is, and for rows. */
  watermark: number;
  /** Parts in `rollups`, those of a fold under way too, and their bytes. */
  parts: number;
  bytes: number;
  /** Rows, or parts of the level below, that were deleted before they were folded into it. */
  lost: number;
}

interface StoredLevel {
  id: number;
  floor: number | null;
  watermark: number | null;
  parts: number;
  bytes: number;
  lost: number;
}

/** Place of a level in LEVELS: what the database calls it. */
export function levelId(level: Level): number {
  return LEVELS.indexOf(level);
}

/** The states of all levels as the database has them now. */
export function readLevels(db: SqlConnection): Record<Level, LevelState> {
  const stored = db
    .query<StoredLevel, []>("SELECT id, floor, watermark, parts, bytes, lost FROM levels")
    .all();
  const stateOf = (level: Level): LevelState => {
    const found = stored.find(({ id }) => id === levelId(level));
    return {
      floor: found?.floor ?? -Infinity,
      watermark: found?.watermark ?? -Infinity,
      parts: found?.parts ?? 0,
      bytes: found?.bytes ?? 0,
      lost: found?.lost ?? 0,
    };
  };
  return { raw: stateOf("raw"), minute: stateOf("minute"), hour: stateOf("hour"), day: stateOf("day") };
}

const finite = (ms: number) => (Number.isFinite(ms) ? ms : null);

/** What the levels answer for, finest first. */
export function coverageOf(states: Record<Level, LevelState>): LevelCoverage[] {
  return LEVELS.map((level) => ({
    level,
    sinceMs: finite(states[level].floor),
    untilMs: level === "raw" ? Infinity : finite(states[level].watermark),
  }));
}

/** Whether a level has the sums of the time `ms`. */
export function covers({ floor, watermark }: LevelState, ms: number): boolean {
  return floor <= ms && ms < watermark;
}

/** Changes `levels`, each time in the transaction that changes what it tells of. */
export class LevelTable {
  private readonly watermark: Statement<unknown, [number, number]>;
  private readonly floor: Statement<unknown, [number, number]>;
  private readonly size: Statement<unknown, [number, number, number]>;
  private readonly lost: Statement<unknown, [number, number]>;

  constructor(private readonly db: SqlConnection) {
    const put = (column: string, value: string) =>
      `INSERT INTO levels(id, ${column}) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET ${column} = ${value}`;
    this.watermark = db.prepare(put("watermark", "max(coalesce(watermark, ?2), ?2)"));
    this.floor = db.prepare(put("floor", "max(coalesce(floor, ?2), ?2)"));
    this.lost = db.prepare(put("lost", "lost + ?2"));
    this.size = db.prepare("UPDATE levels SET parts = parts + ?2, bytes = bytes + ?3 WHERE id = ?1");
  }

  read(): Record<Level, LevelState> {
    return readLevels(this.db);
  }

  /** Everything before `ms` is folded into `level`. */
  raiseWatermark(level: RollupLevel, ms: number): void {
    this.watermark.run(levelId(level), ms);
  }

  /** Something before `ms` is deleted. */
  raiseFloor(level: Level, ms: number): void {
    this.floor.run(levelId(level), ms);
  }

  /** Counts parts and bytes in, or out. */
  resize(level: RollupLevel, parts: number, bytes: number): void {
    this.size.run(levelId(level), parts, bytes);
  }

  /** Rows, or parts of the level below, were deleted before they were folded into `level`. */
  countLost(level: RollupLevel, count: number): void {
    this.lost.run(levelId(level), count);
  }
}
