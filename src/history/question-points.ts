import { HistoryQueryError } from "./errors.ts";
import type { TimeSpan } from "./question-plan.ts";
import type { Question } from "./question-types.ts";

const MAX_POINTS = 2000;
/** Points of all groups of one answer. */
const MAX_CELLS = 200_000;

/** Starts of the points that a range touches; they begin at whole multiples of `stepMs` since the epoch. */
export function pointsOf({ sinceMs, untilMs }: TimeSpan, stepMs: number): number[] {
  const first = Math.floor(sinceMs / stepMs);
  const count = Math.max(0, Math.ceil(untilMs / stepMs) - first);
  return Array.from({ length: count }, (_, index) => (first + index) * stepMs);
}

function checkStep(question: Question, stepMs: number, span: TimeSpan): void {
  if (!Number.isInteger(stepMs) || stepMs < 1) {
    throw new HistoryQueryError(`step: ${stepMs} ms is not a whole number of milliseconds from 1`);
  }
  const points = Math.ceil((span.untilMs - span.sinceMs) / stepMs) + 1;
  if (points > MAX_POINTS) {
    const least = Math.ceil((span.untilMs - span.sinceMs) / (MAX_POINTS - 1) / 1000);
    throw new HistoryQueryError(
      `step: that many points are too many (at most ${MAX_POINTS}); take a step of ${least} s or more, or a shorter time`,
    );
  }
  const groups = question.groupBy.length === 0 ? 1 : question.limit + 1;
  if (groups * points > MAX_CELLS) {
    throw new HistoryQueryError(
      `limit: ${question.limit} groups of ${points} points are too many (at most ${MAX_CELLS} points in all); ` +
        "take fewer groups, a longer step or a shorter time",
    );
  }
}

/** The range of a question in whole milliseconds. @throws HistoryQueryError for what cannot be answered. */
export function spanOf(question: Question): TimeSpan {
  const span = { sinceMs: Math.floor(question.sinceMs), untilMs: Math.ceil(question.untilMs) };
  if (!Number.isSafeInteger(span.sinceMs) || !Number.isSafeInteger(span.untilMs)) {
    throw new HistoryQueryError("since, until: times must be finite");
  }
  if (span.sinceMs > span.untilMs) throw new HistoryQueryError("since: is later than until");
  if (!(question.limit >= 1)) throw new HistoryQueryError("limit: must be 1 or more");
  if (question.stepMs !== undefined) checkStep(question, question.stepMs, span);
  return span;
}
