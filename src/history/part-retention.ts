import { covers, type LevelTable } from "./levels.ts";
import type { RollupParts } from "./rollup-parts.ts";
import { BUCKET_MS, ROLLUP_LEVELS, type RollupLevel } from "./rollup-types.ts";

const PARTS_PER_STEP = 16;

/** What of a level is to go: buckets that end by `endMs`, and those that begin before `startMs`. */
export interface PartAge {
  endMs: number;
  startMs: number;
}

const nextOf = (level: RollupLevel): RollupLevel | undefined =>
  ROLLUP_LEVELS[ROLLUP_LEVELS.indexOf(level) + 1];

/** Deletes the oldest buckets of levels, a few parts at a time, within transactions that the caller keeps. */
export class PartRetention {
  private released = 0;

  constructor(
    private readonly levels: LevelTable,
    private readonly parts: RollupParts,
  ) {}

  /** Bytes of all parts. */
  bytes(): number {
    const states = this.levels.read();
    return ROLLUP_LEVELS.reduce((sum, level) => sum + states[level].bytes, 0);
  }

  /** Which share of its level's parts went that were the last trace of what was in them, since the last call. */
  takeReleased(): number {
    const { released } = this;
    this.released = 0;
    return released;
  }

  /** Buckets that are too old, and in those of the next level unless they begin before `startMs`. Whether there were any. */
  deleteOld(level: RollupLevel, { endMs, startMs }: PartAge): boolean {
    const folded = Math.floor(Math.min(endMs, this.foldedUntil(level)) / BUCKET_MS[level]) * BUCKET_MS[level];
    const begun = Math.ceil(startMs / BUCKET_MS[level]) * BUCKET_MS[level];
    if (!this.delete(level, Math.max(folded, begun))) return false;
    const next = nextOf(level);
    const { floor } = this.levels.read()[level];
    if (next !== undefined && floor > this.foldedUntil(level)) this.levels.raiseFloorsFrom(next, floor);
    return true;
  }

  /** The oldest buckets of the finest level that has any in those of the next. Whether there were any. */
  deleteOldest(): boolean {
    return ROLLUP_LEVELS.some((level) => this.delete(level, this.foldedUntil(level)));
  }

  /** The same although they are in no level after this; they are counted as lost. */
  deleteUnfolded(): boolean {
    return ROLLUP_LEVELS.some((level) => {
      const before = this.levels.read()[level];
      const sinceMs = this.parts.firstBucket(level, -Infinity, before.watermark);
      if (sinceMs === null || !this.delete(level, before.watermark)) return false;
      const next = nextOf(level);
      const after = this.levels.read()[level];
      const count = before.parts - after.parts;
      if (next !== undefined) this.levels.lose(next, { count, sinceMs, untilMs: after.floor });
      return true;
    });
  }

  /** Until when the next level has what this one has. */
  private foldedUntil(level: RollupLevel): number {
    const { hour, day } = this.levels.read();
    return level === "minute" ? hour.watermark : day.watermark;
  }

  private delete(level: RollupLevel, untilMs: number): boolean {
    const before = this.levels.read();
    const endMs = this.parts.delete(level, -Infinity, untilMs, PARTS_PER_STEP);
    if (endMs === null) return false;
    this.levels.raiseFloor(level, endMs);
    const after = this.levels.read();
    const ms = endMs - BUCKET_MS[level];
    const others = ROLLUP_LEVELS.filter((other) => other !== level);
    const isElsewhere = after.raw.floor <= ms || others.some((other) => covers(after[other], ms));
    if (!isElsewhere) this.released += 1 - after[level].parts / Math.max(1, before[level].parts);
    return true;
  }
}
