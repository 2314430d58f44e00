import * as z from "zod";
import { GROUP_KEYS, type Question, QUESTION_ORDERS } from "../history/question-types.ts";
import { BUCKET_MS, type LevelCoverage } from "../history/rollup-types.ts";
import { badRequest } from "./errors.ts";
import { filter } from "./filter-parameter.ts";
import { duration, integer, listOf, oneOf, time } from "./parameters.ts";
import { parseQuery } from "./query-string.ts";

export const MAX_GROUPS = 10_000;
const MAX_SERIES = 50;
const DEFAULT_RANGE_MS = 3_600_000;
/** Points that a time series without a step has about. */
const WANTED_POINTS = 120;
const STEPS_MS = [10, 30, 60, 300, 900, 3600, 21_600, 86_400, 604_800].map((seconds) => seconds * 1000);

const range = (nowMs: number) => ({
  since: time(nowMs, "Not before; an hour before until if absent").exactOptional(),
  until: time(nowMs, "Before it; now if absent").exactOptional(),
});

const order = oneOf(QUESTION_ORDERS, "What they are ordered by, largest first").default("bytes");

/** Parameters of `/api/top`; relative times count from `nowMs`. */
export function topQuerySchema(nowMs: number) {
  return z.strictObject({
    by: listOf(GROUP_KEYS, "What traffic is summed by").default(["domain"]),
    ...range(nowMs),
    limit: integer(1, MAX_GROUPS, "Groups to answer at most").default(20),
    order,
    q: filter.exactOptional(),
  });
}

/** Parameters of `/api/timeseries`; relative times count from `nowMs`. */
export function timeseriesQuerySchema(nowMs: number) {
  return z.strictObject({
    by: listOf(GROUP_KEYS, "A series for each of the largest").exactOptional(),
    ...range(nowMs),
    step: duration("Distance of points; about 120 of them if absent").exactOptional(),
    limit: integer(1, MAX_SERIES, "Series to answer at most").default(5),
    order,
    q: filter.exactOptional(),
  });
}

/** The range of a sum, an hour up to now by default; throws ApiError 400. */
export function rangeOf(
  since: number | undefined,
  until: number | undefined,
  nowMs: number,
): Pick<Question, "sinceMs" | "untilMs"> {
  // There is nothing before the epoch, and relative times go back further than a date can.
  const untilMs = Math.max(0, until ?? nowMs);
  const sinceMs = Math.max(0, since ?? untilMs - DEFAULT_RANGE_MS);
  if (sinceMs > untilMs) throw badRequest(["since is later than until"]);
  return { sinceMs, untilMs };
}

/** The length of the finest buckets that are there from `sinceMs` on; 0 for single rows. */
function finestBucketMs(sinceMs: number, coverage: readonly LevelCoverage[]): number {
  const finest = coverage.find((level) => (level.sinceMs ?? -Infinity) <= sinceMs)?.level;
  if (finest === undefined) return coverage.length === 0 ? 0 : BUCKET_MS.day;
  return finest === "raw" ? 0 : BUCKET_MS[finest];
}

/** The step that gives about WANTED_POINTS, nearest by ratio, of those that what `coverage` has from `sinceMs` on can be cut into. */
export function chooseStep(
  rangeMs: number,
  sinceMs = Infinity,
  coverage: readonly LevelCoverage[] = [],
): number {
  const least = finestBucketMs(sinceMs, coverage);
  const distance = (stepMs: number) => Math.abs(Math.log(Math.max(1, rangeMs) / stepMs / WANTED_POINTS));
  const possible = STEPS_MS.filter((step) => step >= least);
  return possible.reduce((best, step) => (distance(step) < distance(best) ? step : best));
}

/** The question of a query string of `/api/top`; throws ApiError 400. */
export function parseTopQuery(text: string, nowMs: number): Question {
  const { by, since, until, q, ...given } = parseQuery(topQuerySchema(nowMs), text);
  return { ...given, ...rangeOf(since, until, nowMs), groupBy: by, filter: q ?? null };
}

/**
 * The question of a query string of `/api/timeseries`, which has a step: given, or chosen by what history covers.
 * Throws ApiError 400.
 */
export function parseTimeseriesQuery(
  text: string,
  nowMs: number,
  coverage: () => readonly LevelCoverage[],
): Question & { stepMs: number } {
  const { by, since, until, step, q, ...given } = parseQuery(timeseriesQuerySchema(nowMs), text);
  const span = rangeOf(since, until, nowMs);
  const stepMs = step ?? chooseStep(span.untilMs - span.sinceMs, span.sinceMs, coverage());
  return { ...given, ...span, groupBy: by ?? [], stepMs, filter: q ?? null };
}
