import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import {
  BUCKET_MS,
  LEVELS,
  type Level,
  type LevelCoverage,
  ROLLUP_LEVELS,
  type RollupLevel,
} from "./rollup-types.ts";

/** What is known of one level. Times in milliseconds since the epoch. */
export interface LevelState {
  /** Everything from here on is there; -Infinity when nothing was ever deleted. */
  floor: number;
  /** Everything before is folded into it; -Infinity when nothing is, and for rows. */
  watermark: number;
  /** Parts in `rollups`, those of a fold under way too, and their bytes. */
  parts: number;
  bytes: number;
  /** Rows, or parts of the level below, that were deleted before they were folded into it; those of a fold under way count too. */
  lost: number;
  /** When that was lost, or anything of the levels below; null when nothing is missing since the floor. */
  incomplete: Incomplete | null;
}

/** A stretch of time whose sums can be too small: from `sinceMs` on, before `untilMs`. */
type Incomplete = NonNullable<LevelCoverage["incomplete"]>;

/** What is deleted before it is folded: how many, and of which time. */
export interface Loss extends Incomplete {
  count: number;
}

interface StoredLevel {
  id: number;
  floor: number | null;
  watermark: number | null;
  parts: number;
  bytes: number;
  lost: number;
  lostSince: number | null;
  lostUntil: number | null;
}

/** Place of a level in LEVELS: what the database calls it. */
export function levelId(level: Level): number {
  return LEVELS.indexOf(level);
}

function incompleteOf({ floor, lostSince, lostUntil }: StoredLevel): Incomplete | null {
  if (lostSince === null || lostUntil === null || (floor ?? -Infinity) >= lostUntil) return null;
  return { sinceMs: lostSince, untilMs: lostUntil };
}

/** The states of all levels as the database has them now. */
export function readLevels(db: SqlConnection): Record<Level, LevelState> {
  const stored = db
    .query<StoredLevel, []>(
      `SELECT id, floor, watermark, parts, bytes, lost, lost_since AS lostSince, lost_until AS lostUntil FROM levels`,
    )
    .all();
  const stateOf = (level: Level): LevelState => {
    const found = stored.find(({ id }) => id === levelId(level));
    return {
      floor: found?.floor ?? -Infinity,
      watermark: found?.watermark ?? -Infinity,
      parts: found?.parts ?? 0,
      bytes: found?.bytes ?? 0,
      lost: found?.lost ?? 0,
      incomplete: found === undefined ? null : incompleteOf(found),
    };
  };
  return { raw: stateOf("raw"), minute: stateOf("minute"), hour: stateOf("hour"), day: stateOf("day") };
}

const finite = (ms: number) => (Number.isFinite(ms) ? ms : null);

/** What the levels answer for, finest first. */
export function coverageOf(states: Record<Level, LevelState>): LevelCoverage[] {
  return LEVELS.map((level) => {
    const { floor, watermark, incomplete } = states[level];
    return {
      level,
      sinceMs: finite(floor),
      untilMs: level === "raw" ? Infinity : finite(watermark),
      ...(incomplete === null ? {} : { incomplete }),
    };
  });
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
  private readonly lost: Statement<unknown, [number, number, number, number]>;

  constructor(private readonly db: SqlConnection) {
    const put = (column: string, value: string) =>
      `INSERT INTO levels(id, ${column}) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET ${column} = ${value}`;
    this.watermark = db.prepare(put("watermark", "max(coalesce(watermark, ?2), ?2)"));
    this.floor = db.prepare(put("floor", "max(coalesce(floor, ?2), ?2)"));
    // What is below the floor is missed no more.
    this.lost = db.prepare(
      `INSERT INTO levels(id, lost, lost_since, lost_until) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(id) DO UPDATE SET
         lost = lost + ?2,
         lost_since = iif(lost_until > coalesce(floor, lost_until - 1), min(lost_since, ?3), ?3),
         lost_until = max(coalesce(lost_until, ?4), ?4)`,
    );
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

  /** What is before `ms` is too old for every level, also where it was not folded into `level` yet: no bucket with some of it is whole. */
  raiseFloorsFrom(level: RollupLevel, ms: number): void {
    for (const each of ROLLUP_LEVELS.slice(ROLLUP_LEVELS.indexOf(level))) {
      this.raiseFloor(each, Math.ceil(ms / BUCKET_MS[each]) * BUCKET_MS[each]);
    }
  }

  /** Counts parts and bytes in, or out. */
  resize(level: RollupLevel, parts: number, bytes: number): void {
    this.size.run(levelId(level), parts, bytes);
  }

  /** Rows, or parts of the level below, are deleted before they were folded into `level`: it and all that is made of it lack them. */
  lose(level: RollupLevel, { count, sinceMs, untilMs }: Loss): void {
    if (count === 0) return;
    for (const each of ROLLUP_LEVELS.slice(ROLLUP_LEVELS.indexOf(level))) {
      this.lost.run(levelId(each), each === level ? count : 0, sinceMs, untilMs);
    }
  }
}
