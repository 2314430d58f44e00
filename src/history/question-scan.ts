import type { Entries } from "./question-accumulator.ts";
import { HistoryLimitError } from "./question-errors.ts";
import type { Plan } from "./question-plan.ts";
import type { RowSource } from "./question-rows.ts";
import type { AnsweredPart } from "./question-types.ts";
import type { RollupReader } from "./rollup-reader.ts";

/** Rows and folded entries that one question may read. */
export const MAX_SCANNED = 50_000_000;

/** What a question has read so far. */
export interface Progress {
  scanned: number;
}

/** Says how to ask for less. */
export function limitError(what: string, { scanned }: Progress): HistoryLimitError {
  return new HistoryLimitError(
    `${what}: ${scanned} rows and sums were read; ask for a shorter time, or with steps and a filter that rollups ` +
      "can answer (whole minutes, hours or days; no client ports, no bytes, packets, rtt or retrans of single rows)",
  );
}

/** Reads all entries of a plan, once or more often. */
export class QuestionScan {
  constructor(
    private readonly rows: RowSource,
    private readonly reader: RollupReader,
    private readonly plan: Plan,
    private readonly pointOf: (ms: number) => number,
    private readonly progress: Progress,
  ) {}

  /** Entries, a thousand or two at a time. @throws HistoryLimitError */
  *read(): Generator<Entries> {
    for (const part of this.plan.parts) {
      if (part.level === "raw") {
        yield* this.readRows("rows", part);
        continue;
      }
      for (const { bucketMs, columns } of this.reader.parts(part.level, part.sinceMs, part.untilMs)) {
        this.count(columns.length);
        yield { columns, points: this.pointOf(bucketMs), isFiltered: false };
      }
      if (this.reader.lateRows(part.sinceMs, part.untilMs) > 0) yield* this.readRows("late", part);
    }
  }

  private *readRows(table: "rows" | "late", part: AnsweredPart): Generator<Entries> {
    for (const entries of this.rows.read(table, part)) {
      this.count(entries.scanned);
      yield entries;
    }
  }

  private count(entries: number): void {
    this.progress.scanned += entries;
    if (this.progress.scanned > MAX_SCANNED) {
      throw limitError("the question is too large", this.progress);
    }
  }
}
