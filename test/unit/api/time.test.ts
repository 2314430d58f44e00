import { describe, expect, test } from "bun:test";
import { parseTime } from "../../../src/api/time.ts";

const NOW = 1_700_000_000_000;

describe("a time", () => {
  test.each([
    ["now", NOW],
    ["-30s", NOW - 30_000],
    ["-30m", NOW - 1_800_000],
    ["-1h", NOW - 3_600_000],
    ["-7d", NOW - 604_800_000],
    ["-2w", NOW - 1_209_600_000],
    ["1700000000", 1_700_000_000_000],
    ["1700000000.25", 1_700_000_000_250],
    ["1700000000123", 1_700_000_000_123],
    ["0", 0],
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31t12:00:00.5z", Date.UTC(2026, 0, 31, 12, 0, 0, 500)],
    ["2026-01-31T12:00:00+02:00", Date.UTC(2026, 0, 31, 10)],
    ["2026-01-31T12:00:00 02:00", Date.UTC(2026, 0, 31, 10)],
    ["2026-01-31 12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31", Date.UTC(2026, 0, 31)],
  ])("%p", (text, expected) => {
    expect(parseTime(text, NOW)).toBe(expected);
  });

  test.each([
    "",
    "yesterday",
    "-1",
    "-1y",
    "1h",
    "--1h",
    "2026-13-01T00:00:00Z",
    "2026-01-31T12:00:00",
    "NaN",
    "1e9",
  ])("%p is none", (text) => {
    expect(parseTime(text, NOW)).toBeUndefined();
  });
});
