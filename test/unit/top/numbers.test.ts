import { expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatRate,
  formatShare,
  formatTime,
} from "../../../src/top/numbers.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [999.6, "1.00 kB"],
  [1234, "1.23 kB"],
  [12_345, "12.3 kB"],
  [123_456, "123 kB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [1.5e9, "1.50 GB"],
  [Number.MAX_SAFE_INTEGER, "9.01 PB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
  expect(formatRate(bytes)).toBe(`${text}/s`);
});

test("no figure is wider than its column", () => {
  const figure = fc.double({ min: 0, max: 1e21, noNaN: true });
  fc.assert(
    fc.property(figure, (value) => {
      expect(formatBytes(value).length).toBeLessThanOrEqual(7);
      expect(formatCount(value).length).toBeLessThanOrEqual(6);
    }),
  );
  fc.assert(
    fc.property(fc.double({ min: 0, max: 9.9e6, noNaN: true }), (ms) => {
      expect(formatMs(ms).length).toBeLessThanOrEqual(7);
    }),
  );
});

test("counts, round trips, durations and shares", () => {
  expect([0, 99_999, 100_000, 1_234_567].map(formatCount)).toEqual(["0", "99999", "100 k", "1.23 M"]);
  expect([null, 0.051, 12.34, 999.4, 1234].map(formatMs)).toEqual([
    "-",
    "0.05 ms",
    "12.3 ms",
    "999 ms",
    "1.23 s",
  ]);
  expect([0, 59.9, 60, 182, 15_000, 180_000].map(formatDuration)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "3 min 2 s",
    "4 h 10 min",
    "2 d 2 h",
  ]);
  // What is missing is never rounded away.
  expect([1, 0.9999999, 0.5, 0].map(formatShare)).toEqual(["100%", "99.9%", "50.0%", "0.0%"]);
  expect(formatTime("no time")).toBe("-");
  expect(formatTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe("03:04:05");
});
