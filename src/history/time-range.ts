import type { IdRange } from "./candidates.ts";
import type { Cursor } from "./cursor.ts";
import type { Condition } from "./filter.ts";
import { idMs, joinId, MICRO_RANGE, microsOf, SUB_RANGE } from "./rowid.ts";
import { KIND_PACKET, KIND_WINDOW } from "./schema.ts";
import type { HistoryQuery } from "./types.ts";

type TimeRange = Pick<HistoryQuery, "sinceMs" | "untilMs">;

/** The ids of all rows of a time range that come after `cursor`, and of a few others: see timeConditions. */
export function timeRange(query: TimeRange, cursor: Cursor | null): IdRange {
  const since = query.sinceMs ?? -Infinity;
  const until = query.untilMs ?? Infinity;
  const low = joinId(idMs(since), since === -Infinity ? 0 : microsOf(since) * MICRO_RANGE);
  const high = joinId(idMs(until), SUB_RANGE - 1);
  return { low, high: cursor !== null && cursor.before - 1n < high ? cursor.before - 1n : high };
}

/** Within the first and the last millisecond, ids of packets go on in microseconds, those of windows do not. */
export function timeConditions({ sinceMs, untilMs }: TimeRange): Condition[] {
  const conditions: Condition[] = [];
  if (sinceMs !== undefined && !Number.isInteger(sinceMs)) {
    const first = joinId(idMs(sinceMs) + 1, 0);
    conditions.push({ sql: `NOT (r.kind = ${KIND_WINDOW} AND r.id < ?)`, bound: [first] });
  }
  if (untilMs !== undefined) {
    const last = joinId(idMs(untilMs), microsOf(untilMs) * MICRO_RANGE + MICRO_RANGE - 1);
    conditions.push({ sql: `NOT (r.kind = ${KIND_PACKET} AND r.id > ?)`, bound: [last] });
  }
  return conditions;
}
