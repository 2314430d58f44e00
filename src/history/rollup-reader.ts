import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { coverageOf, levelId, readLevels } from "./levels.ts";
import {
  bucketBound,
  bucketStart,
  DamagedBlockError,
  decodeBlock,
  PART_ENTRIES,
  type RollupBlock,
} from "./rollup-block.ts";
import { newColumns } from "./rollup-columns.ts";
import type { LevelCoverage, RollupColumns, RollupLevel, RollupPart } from "./rollup-types.ts";
import { idsBetween } from "./rowid.ts";

/** Parts of which the places are read at a time. */
const LISTED_PARTS = 64;

/** What may follow FROM: the rows `r` that are late; with the condition that takes the first and the last id of a range. */
export const LATE_ROWS_SQL = "late AS l CROSS JOIN rows AS r ON r.id = l.id";
export const LATE_RANGE_SQL = "l.id BETWEEN ? AND ?";

interface ListedPart {
  id: number;
  bucket: number;
  first: number;
  last: number;
}

/** Whether the part of conversations `first` to `last`, both inclusive, is wanted. */
export type PartFilter = (first: number, last: number) => boolean;

const ALL: PartFilter = () => true;

/** Reads parts, those of a fold under way too. One reading at a time. */
export class PartReader {
  private readonly list: Statement<ListedPart, [number, number, number, number]>;
  private readonly block: Statement<RollupBlock, [number]>;
  /** Used again for each part. */
  private columns: RollupColumns | null = null;

  /** Told of a part that cannot be read, which is then left out; by default it is thrown. */
  constructor(
    db: SqlConnection,
    private readonly onDamage: (error: DamagedBlockError) => void = (error) => {
      throw error;
    },
  ) {
    this.list = db.prepare(
      `SELECT id, bucket, first_conversation AS first, last_conversation AS last FROM rollups
       WHERE level = ?1 AND bucket < ?4 AND (bucket, first_conversation) > (?2, ?3)
       ORDER BY bucket, first_conversation LIMIT ${LISTED_PARTS}`,
    );
    this.block = db.prepare("SELECT entries, conversations, data FROM rollups WHERE id = ?");
  }

  /** The wanted parts of the buckets from `sinceMs` on and before `untilMs`, by bucket, then conversation. */
  *parts(
    level: RollupLevel,
    sinceMs: number,
    untilMs: number,
    isWanted: PartFilter = ALL,
  ): Generator<RollupPart, void, void> {
    const columns = (this.columns ??= newColumns(PART_ENTRIES));
    const end = bucketBound(level, untilMs);
    let after: Pick<ListedPart, "bucket" | "first"> = {
      bucket: bucketBound(level, sinceMs) - 1,
      first: Number.MAX_SAFE_INTEGER,
    };
    for (;;) {
      const listed = this.list.all(levelId(level), after.bucket, after.first, end);
      for (const part of listed) {
        after = part;
        const bucketMs = bucketStart(level, part.bucket);
        if (isWanted(part.first, part.last) && this.read(part.id, level, bucketMs, columns)) {
          yield { bucketMs, columns };
        }
      }
      if (listed.length < LISTED_PARTS) return;
    }
  }

  private read(id: number, level: RollupLevel, bucketMs: number, columns: RollupColumns): boolean {
    const block = this.block.get(id);
    if (block === null) return false;
    try {
      decodeBlock(block, { level, bucketMs }, columns);
      return true;
    } catch (error) {
      if (!(error instanceof DamagedBlockError)) throw error;
      this.onDamage(error);
      return false;
    }
  }
}

/**
 * Reads rollups. What it reads is of one moment only within a transaction of the caller.
 * Sums of a time are exact as: parts of whole buckets within the coverage of their level, and the late rows of that
 * time; and for the rest of the time all rows, late or not.
 */
export class RollupReader {
  private readonly reader: PartReader;
  private readonly late: Statement<{ n: number }, [bigint, bigint]>;

  constructor(private readonly db: SqlConnection) {
    this.reader = new PartReader(db);
    this.late = db.prepare("SELECT count(*) AS n FROM late WHERE id BETWEEN ? AND ?");
  }

  /** What each level covers now, finest first. */
  coverage(): LevelCoverage[] {
    return coverageOf(readLevels(this.db));
  }

  /**
   * The parts of the buckets from `sinceMs` on and before `untilMs`, both borders of buckets, by bucket; nothing at or after
   * the level's watermark. The columns are used again for the next part. `isWanted` leaves out parts by their conversations.
   * @throws DamagedBlockError naming the bucket.
   */
  *parts(
    level: RollupLevel,
    sinceMs: number,
    untilMs: number,
    isWanted: PartFilter = ALL,
  ): Generator<RollupPart, void, void> {
    const { watermark } = readLevels(this.db)[level];
    yield* this.reader.parts(level, sinceMs, Math.min(untilMs, watermark), isWanted);
  }

  /** How many rows from `sinceMs` on and before `untilMs` are late: not in the parts that cover that time. 0 nearly always. */
  lateRows(sinceMs: number, untilMs: number): number {
    const { low, high } = idsBetween(sinceMs, untilMs);
    return this.late.get(low, high)?.n ?? 0;
  }
}
