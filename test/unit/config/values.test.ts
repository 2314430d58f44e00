import { describe, expect, test } from "bun:test";
import {
  formatDuration,
  formatSize,
  parseBoolean,
  parseDuration,
  parsePercent,
  parseSize,
  parseWholeNumber,
  splitList,
} from "../../../src/config/values.ts";

describe("parseDuration", () => {
  test.each([
    ["0", 0],
    ["90", 90],
    ["45s", 45],
    ["30m", 1800],
    ["12h", 43_200],
    ["7d", 604_800],
    ["2w", 1_209_600],
    ["2y", 63_072_000],
    [" 7 d ", 604_800],
  ])("%p is %p seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  test.each(["", "d", "-1", "1.5h", "7D", "1d12h", "1Y", "7 days", "0x10", "1e3"])("%p is not one", (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

describe("parseSize", () => {
  test.each([
    ["1048576", 1_048_576],
    ["12b", 12],
    ["100K", 102_400],
    ["100KB", 100_000],
    ["100kib", 102_400],
    ["500MB", 500_000_000],
    ["512MiB", 536_870_912],
    ["512M", 536_870_912],
    ["1GiB", 1_073_741_824],
    ["1.5 GiB", 1_610_612_736],
    ["2TB", 2_000_000_000_000],
  ])("%p is %p bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(["", "GiB", "-1", "1.GiB", "1PB", "1 G B", "one"])("%p is not one", (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );
});

test("whole numbers are decimal digits only", () => {
  expect(parseWholeNumber(" 3000 ")).toBe(3000);
  expect(["", "+1", "-1", "1.0", "0x10", "1e3", "1_000"].map(parseWholeNumber)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
});

test("percent are a number, with the sign or without", () => {
  expect(["5", "5%", " 12.5 % ", "0.1", "0"].map(parsePercent)).toEqual([5, 5, 12.5, 0.1, 0]);
  expect(["", "%", "-5", "5%%", ".5", "1e1", "5 of 100"].map(parsePercent)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
});

test("booleans are the words people use", () => {
  expect(["true", "YES", "on", "1"].map(parseBoolean)).toEqual([true, true, true, true]);
  expect(["false", "No", "off", "0"].map(parseBoolean)).toEqual([false, false, false, false]);
  expect(["", "y", "2", "enabled"].map(parseBoolean)).toEqual([undefined, undefined, undefined, undefined]);
});

test("a comma list drops blanks, but never becomes empty", () => {
  expect(splitList("eth0, eth1,,")).toEqual(["eth0", "eth1"]);
  expect(splitList("")).toEqual([""]);
  expect(splitList(" , ")).toEqual([" , "]);
});

test("sizes and durations are shown in the largest unit that divides them", () => {
  expect([0, 1000, 1024, 1_073_741_824, 1_610_612_736].map(formatSize)).toEqual([
    "0",
    "1000",
    "1KiB",
    "1GiB",
    "1536MiB",
  ]);
  expect([0, 90, 3600, 604_800, 63_072_000].map(formatDuration)).toEqual(["0", "90s", "1h", "7d", "2y"]);
});
