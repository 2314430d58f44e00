import * as z from "zod";
import { GROUP_KEYS, type Question, QUESTION_ORDERS } from "../history/question-types.ts";
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

/** The step that gives about WANTED_POINTS: nearest by ratio. */
export function chooseStep(rangeMs: number): number {
  const distance = (stepMs: number) => Math.abs(Math.log(Math.max(1, rangeMs) / stepMs / WANTED_POINTS));
  return STEPS_MS.reduce((best, step) => (distance(step) < distance(best) ? step : best));
}

/** The question of a query string of `/api/top`; throws ApiError 400. */
export function parseTopQuery(text: string, nowMs: number): Question {
  const { by, since, until, q, ...given } = parseQuery(topQuerySchema(nowMs), text);
  return { ...given, ...rangeOf(since, until, nowMs), groupBy: by, filter: q ?? null };
}

/** The question of a query string of `/api/timeseries`, which has a step; throws ApiError 400. */
export function parseTimeseriesQuery(text: string, nowMs: number): Question & { stepMs: number } {
  const { by, since, until, step, q, ...given } = parseQuery(timeseriesQuerySchema(nowMs), text);
  const span = rangeOf(since, until, nowMs);
  const stepMs = step ?? chooseStep(span.untilMs - span.sinceMs);
  return { ...given, ...span, groupBy: by ?? [], stepMs, filter: q ?? null };
}
