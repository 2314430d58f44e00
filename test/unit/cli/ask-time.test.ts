import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatLocal, formatRange, localOffset, parseLocalTime } from "../../../src/cli/ask-time.ts";

const before = process.env.TZ;
beforeAll(() => void (process.env.TZ = "Europe/Berlin"));
afterAll(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

const NOW = Date.parse("2026-03-10T12:00:00Z");

describe("parseLocalTime", () => {
  test.each([
    ["03:12", "2026-03-10T02:12:00Z"],
    ["3:12", "2026-03-10T02:12:00Z"],
    ["03:12:07", "2026-03-10T02:12:07Z"],
    ["23:59", "2026-03-10T22:59:00Z"],
    ["today", "2026-03-09T23:00:00Z"],
    ["today 03:12", "2026-03-10T02:12:00Z"],
    ["yesterday", "2026-03-08T23:00:00Z"],
    ["Yesterday 03:12", "2026-03-09T02:12:00Z"],
    ["2026-01-31 03:12", "2026-01-31T02:12:00Z"],
    ["2026-01-31T03:12:59", "2026-01-31T02:12:59Z"],
    ["2026-07-31", "2026-07-30T22:00:00Z"],
    // In summer time already.
    ["2026-03-29 03:30", "2026-03-29T01:30:00Z"],
    ["now", "2026-03-10T12:00:00Z"],
    ["-90m", "2026-03-10T10:30:00Z"],
    ["2026-01-31T03:12:00Z", "2026-01-31T03:12:00Z"],
    ["2026-01-31 03:12:00+05:00", "2026-01-30T22:12:00Z"],
    ["1767225600", "2026-01-01T00:00:00Z"],
    [" 03:12 ", "2026-03-10T02:12:00Z"],
  ])("%p", (text, expected) => {
    expect(parseLocalTime(text, NOW)).toBe(Date.parse(expected));
  });
  test.each([
    "",
    " ",
    "24:00",
    "03:60",
    "03:12:60",
    "3",
    "tomorrow",
    "2026-02-30",
    "2026-13-01",
    "yesterdayish",
    "03:1",
    "T",
  ])("%p is none", (text) => {
    const epoch = text === "3" ? 3000 : undefined;
    expect(parseLocalTime(text, NOW)).toBe(epoch as never);
  });
});

test("local times carry the zone's offset of that day", () => {
  const [winter, summer] = [Date.parse("2026-01-31T02:12:00Z"), Date.parse("2026-07-31T02:12:00Z")];
  expect([formatLocal(winter), localOffset(winter)]).toEqual(["2026-01-31 03:12:00", "+01:00"]);
  expect([formatLocal(summer), localOffset(summer)]).toEqual(["2026-07-31 04:12:00", "+02:00"]);
});

test("ranges say the day and the offset once where that is enough", () => {
  const at = (text: string) => Date.parse(text);
  expect(formatRange(at("2026-01-31T02:12:00Z"), at("2026-01-31T03:12:00Z"))).toBe(
    "2026-01-31 03:12:00 to 04:12:00 (+01:00)",
  );
  expect(formatRange(at("2026-01-31T22:00:00Z"), at("2026-01-31T23:30:00Z"))).toBe(
    "2026-01-31 23:00:00 to 2026-02-01 00:30:00 (+01:00)",
  );
  expect(formatRange(at("2026-03-29T00:30:00Z"), at("2026-03-29T01:30:00Z"))).toBe(
    "2026-03-29 01:30:00 (+01:00) to 03:30:00 (+02:00)",
  );
});

test("offsets west of Greenwich and of half hours", () => {
  process.env.TZ = "America/St_Johns";
  expect(localOffset(Date.parse("2026-01-31T02:12:00Z"))).toBe("-03:30");
  process.env.TZ = "Europe/Berlin";
});
