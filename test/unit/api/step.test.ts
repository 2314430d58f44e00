import { expect, test } from "bun:test";
import { chooseStep } from "../../../src/api/sums-query.ts";
import type { LevelCoverage } from "../../../src/history/rollup-types.ts";

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const NOW = Date.UTC(2026, 10, 27);

/** Rows of a day, minutes of a week, hours of 90 days, days of two years. */
const COVERAGE: LevelCoverage[] = [
  { level: "raw", sinceMs: NOW - DAY, untilMs: Infinity },
  { level: "minute", sinceMs: NOW - 7 * DAY, untilMs: NOW },
  { level: "hour", sinceMs: NOW - 90 * DAY, untilMs: NOW },
  { level: "day", sinceMs: NOW - 730 * DAY, untilMs: NOW },
];

test.each([
  ["half an hour of today", 30 * MINUTE, HOUR, 10_000],
  ["half an hour three days ago", 30 * MINUTE, 3 * DAY, MINUTE],
  ["three hours ten days ago", 3 * HOUR, 10 * DAY, HOUR],
  ["three hours a hundred days ago", 3 * HOUR, 100 * DAY, DAY],
  ["three hours before all that is kept", 3 * HOUR, 800 * DAY, DAY],
  ["thirty days", 30 * DAY, 30 * DAY, 6 * HOUR],
])("a step for %s is one that what is kept can be cut into", (_, rangeMs, agoMs, stepMs) => {
  expect(chooseStep(rangeMs, NOW - agoMs, COVERAGE)).toBe(stepMs);
});

test("where nothing was ever deleted, a step goes by the range alone", () => {
  const whole = COVERAGE.map((level) => ({ ...level, sinceMs: null }));
  expect(chooseStep(30 * MINUTE, NOW - 300 * DAY, whole)).toBe(10_000);
  expect(chooseStep(30 * MINUTE)).toBe(10_000);
});
