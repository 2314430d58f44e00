import type { FoldRows, LateRow } from "./fold-rows.ts";
import type { LevelTable } from "./levels.ts";
import { bucketOf, bucketStart } from "./rollup-block.ts";
import type { RollupParts } from "./rollup-parts.ts";
import type { PartReader } from "./rollup-reader.ts";
import type { RollupSums } from "./rollup-sums.ts";
import { BUCKET_MS, ROLLUP_LEVELS, type RollupLevel } from "./rollup-types.ts";

/** Entries of sums at most, some 3 MB. */
const MAX_ENTRIES = 32_768;
const LATE_ROWS = 1024;
const CLEARED_PARTS = 32;

/** Work in small steps: at each yield what was written may be committed. True when something was done. */
type Steps = Generator<void, boolean, void>;

export interface FoldStepsOptions {
  rows: FoldRows;
  parts: RollupParts;
  reader: PartReader;
  levels: LevelTable;
  /** Used for one thing at a time. */
  sums: RollupSums;
  /** Rows of the time before this are late from now on. */
  claim: (untilMs: number) => void;
  maxEntries?: number;
}

/** The next level: what is folded into it, and it itself. */
const COARSER = { hour: "minute", day: "hour" } as const;

/**
 * Folds one bucket, or some late rows, at a time. A bucket's parts are written first, in as many transactions as it takes;
 * then the watermark moves behind it, and they count. Whoever ends in between leaves parts that `clear` removes.
 */
export class FoldSteps {
  private readonly maxEntries: number;

  constructor(private readonly options: FoldStepsOptions) {
    this.maxEntries = options.maxEntries ?? MAX_ENTRIES;
  }

  /** Removes what a fold that came to no end has left. */
  *clear(): Generator<void, void, void> {
    const { levels, parts, sums } = this.options;
    sums.clear();
    for (const level of ROLLUP_LEVELS) {
      const { watermark } = levels.read()[level];
      while (parts.delete(level, watermark, Infinity, CLEARED_PARTS) !== null) yield;
    }
  }

  /** Folds the rows of the next minute that has any and ends by `limitMs`, a whole minute. */
  *minute(limitMs: number): Steps {
    const { rows, levels, claim, sums } = this.options;
    const { watermark } = levels.read().minute;
    const first = rows.firstMs(watermark);
    const bucketMs = first === null ? limitMs : bucketStart("minute", bucketOf("minute", first));
    if (bucketMs >= limitMs) {
      // Before the first row there is nothing to answer for.
      if (watermark !== -Infinity) this.skip("minute", watermark, limitMs);
      return false;
    }
    const endMs = bucketMs + BUCKET_MS.minute;
    claim(endMs);
    sums.clear();
    for (const chunk of rows.chunks(bucketMs, endMs)) {
      for (const row of chunk) sums.addRow(row);
      if (sums.length >= this.maxEntries) {
        yield* this.write("minute", bucketMs);
        sums.clear();
      }
      yield;
    }
    yield* this.write("minute", bucketMs);
    sums.clear();
    levels.raiseWatermark("minute", endMs);
    return true;
  }

  /** Folds the next bucket of `level` whose time the level below has folded. */
  *coarser(level: "hour" | "day"): Steps {
    const { levels, parts, sums } = this.options;
    const source = COARSER[level];
    const states = levels.read();
    const { watermark } = states[level];
    const limitMs = bucketStart(level, bucketOf(level, states[source].watermark));
    const first = parts.firstBucket(source, watermark, limitMs);
    const bucketMs = first === null ? limitMs : bucketStart(level, bucketOf(level, first));
    // Not so when nothing is folded yet.
    if (!(bucketMs < limitMs)) {
      this.skip(level, watermark, limitMs);
      return false;
    }
    let low = -Infinity;
    while (low < Infinity) {
      sums.clear();
      const high = yield* this.addUp(source, bucketMs, bucketMs + BUCKET_MS[level], low);
      yield* this.write(level, bucketMs);
      low = high;
    }
    sums.clear();
    levels.raiseWatermark(level, bucketMs + BUCKET_MS[level]);
    return true;
  }

  /** Adds some late rows to all levels that have folded their time. */
  *late(): Steps {
    const { rows, levels, sums } = this.options;
    const oldestMs = rows.firstLateMs(levels.read().minute.watermark);
    if (oldestMs === null) return false;
    const minuteMs = bucketStart("minute", bucketOf("minute", oldestMs));
    const found = rows.lateRows(minuteMs, minuteMs + BUCKET_MS.minute, LATE_ROWS);
    yield;
    sums.clear();
    const entries = found.flatMap((row) => {
      const { conversation } = row;
      // Deleted meanwhile.
      if (conversation === null) rows.settle(row);
      return conversation === null ? [] : [{ row, at: sums.addRow({ ...row, conversation }) }];
    });
    yield;
    yield* this.addLate(minuteMs, entries);
    sums.clear();
    return true;
  }

  private *addLate(
    minuteMs: number,
    entries: readonly { row: LateRow; at: number }[],
  ): Generator<void, void, void> {
    const { parts, rows, sums } = this.options;
    const order = yield* sums.order();
    const rank = new Uint32Array(order.length);
    for (const [index, at] of order.entries()) rank[at] = index;
    const sorted = entries.toSorted((a, b) => (rank[a.at] ?? 0) - (rank[b.at] ?? 0));
    let settled = 0;
    for (let from = 0; from < order.length; ) {
      const range = { sums, order, from, to: order.length };
      const plans = this.bucketsOf(minuteMs).map(({ level, bucketMs }) => parts.plan(level, bucketMs, range));
      const to = plans.reduce((least, plan) => Math.min(least, plan.to), order.length);
      for (const plan of plans) parts.apply(plan, { ...range, to });
      while (settled < sorted.length && (rank[sorted[settled]?.at ?? 0] ?? 0) < to) {
        const late = sorted[settled++];
        if (late !== undefined) rows.settle(late.row);
      }
      from = to;
      yield;
    }
  }

  /** The buckets that have folded a minute. */
  private bucketsOf(minuteMs: number): { level: RollupLevel; bucketMs: number }[] {
    const states = this.options.levels.read();
    return ROLLUP_LEVELS.map((level) => ({
      level,
      bucketMs: bucketStart(level, bucketOf(level, minuteMs)),
    })).filter(({ level, bucketMs }) => bucketMs + BUCKET_MS[level] <= states[level].watermark);
  }

  /** Adds up the parts of a time, of conversations above `low`, lowest first, as many as there is room for; the last of them. */
  private *addUp(
    source: RollupLevel,
    sinceMs: number,
    untilMs: number,
    low: number,
  ): Generator<void, number, void> {
    const { reader, sums } = this.options;
    let high = Infinity;
    const isWanted = (first: number, last: number) => last > low && first <= high;
    for (const { columns } of reader.parts(source, sinceMs, untilMs, isWanted)) {
      sums.addAll(columns, low, high);
      if (sums.length > this.maxEntries) high = sums.keepLowerHalf();
      yield;
    }
    return high;
  }

  /** Writes the sums into a bucket that is not there yet, or only begun. */
  private *write(level: RollupLevel, bucketMs: number): Generator<void, void, void> {
    const { parts, sums } = this.options;
    const order = yield* sums.order();
    for (let from = 0; from < order.length; ) {
      const range = { sums, order, from, to: order.length };
      const plan = parts.plan(level, bucketMs, range);
      parts.apply(plan, { ...range, to: plan.to });
      from = plan.to;
      yield;
    }
  }

  /** There is nothing from the watermark to `limitMs`. */
  private skip(level: RollupLevel, watermark: number, limitMs: number): void {
    if (limitMs <= watermark) return;
    if (level === "minute") this.options.claim(limitMs);
    this.options.levels.raiseWatermark(level, limitMs);
  }
}
