/** Levels of history, finest first. `raw` are the rows themselves. */
export const LEVELS = ["raw", "minute", "hour", "day"] as const;
export type Level = (typeof LEVELS)[number];
/** Levels that are made by folding the one before. */
export const ROLLUP_LEVELS = ["minute", "hour", "day"] as const;
export type RollupLevel = (typeof ROLLUP_LEVELS)[number];

/** Length of a bucket in milliseconds; buckets begin at whole multiples of it since the epoch (UTC). */
export const BUCKET_MS: Readonly<Record<RollupLevel, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** What a level answers for, in milliseconds since the epoch. */
export interface LevelCoverage {
  level: Level;
  /** Everything from here on is there, but for what is `incomplete`; null: nothing was ever deleted. */
  sinceMs: number | null;
  /** Everything before is folded, a whole bucket's end; null: not a bucket yet. Infinity for `raw`. */
  untilMs: number | null;
  /** In here something was deleted for want of space before it was folded: sums of it can be too small. */
  incomplete?: { sinceMs: number; untilMs: number };
}

/**
 * Sums by conversation and direction of one bucket, or a part of one, as columns: entry i of each belongs together.
 * A conversation can be in several parts of a bucket: whoever reads adds up. Only the first `length` entries count.
 */
export interface RollupColumns {
  length: number;
  /** Id in `conversations`, ascending within a part. */
  conversation: Float64Array;
  /** DIRECTION_INGRESS or DIRECTION_EGRESS, as in `rows`. */
  direction: Uint8Array;
  /** Rows that were folded into the entry. */
  rows: Float64Array;
  packetsSent: Float64Array;
  bytesSent: Float64Array;
  packetsReceived: Float64Array;
  bytesReceived: Float64Array;
  retransmits: Float64Array;
  /** All TCP flags seen. */
  tcpFlags: Uint16Array;
  /** Of the rows that have a round trip: how many, and their sum in nanoseconds. */
  rttRows: Float64Array;
  rttSumNs: Float64Array;
}

/** One part of a bucket as the reader yields it; `columns` is used again for the next. */
export interface RollupPart {
  /** Start of the bucket, milliseconds since the epoch. */
  bucketMs: number;
  columns: RollupColumns;
}
