import { describe, expect, test } from "bun:test";
import { apiPath, formatPlace, parsePlace, type Place, START } from "../../../src/page/state/place.ts";
import {
  agoText,
  isSameRange,
  LIVE,
  parseRange,
  pastRange,
  PRESETS,
  rangeBounds,
  rangeQuery,
  shiftRange,
  widenRange,
} from "../../../src/page/state/range.ts";

const NOW = Date.parse("2026-05-12T12:00:00Z");
const HOUR = 3_600_000;

describe("the URL", () => {
  const places: Partial<Place>[] = [
    {},
    { view: "dns", onlyFailures: true },
    { view: "connections", sort: "bytes_sent", order: "asc", id: "12-3" },
    { view: "names", isFolded: true, q: 'domain "a b" and not port 443 & <x>' },
    { range: { kind: "last", ms: HOUR } },
    { range: pastRange(NOW - HOUR, NOW), split: "domain" },
    { view: "connections", id: 'c:{"client":"10.0.0.1","domain":null}' },
  ];
  test.each(places.map((change) => ({ ...START, ...change })))("%j survives a round trip", (place) => {
    expect(parsePlace(formatPlace(place), NOW)).toEqual(place);
  });

  test("the start has no query, and nonsense is as if absent", () => {
    expect(formatPlace(START)).toBe("");
    expect(parsePlace("?view=nowhere&since=yesterday&order=up&split=x&fold=yes", NOW)).toEqual(START);
  });
});

describe("ranges", () => {
  test("of the URL", () => {
    expect(parseRange(null, null, NOW)).toEqual(LIVE);
    expect(parseRange("-24h", null, NOW)).toEqual({ kind: "last", ms: 24 * HOUR });
    expect(parseRange("2026-05-12T10:00:00Z", "2026-05-12T11:00:00Z", NOW)).toEqual({
      kind: "past",
      sinceMs: NOW - 2 * HOUR,
      untilMs: NOW - HOUR,
    });
    expect(parseRange("2026-05-12T11:00:00Z", null, NOW)).toEqual(pastRange(NOW - HOUR, NOW));
  });

  test("each preset is what the API is asked and read back as itself", () => {
    for (const { range } of PRESETS.slice(1)) {
      expect(isSameRange(parseRange(rangeQuery(range).since, null, NOW), range)).toBe(true);
    }
    expect(agoText(24 * HOUR)).toBe("-1d");
    expect(agoText(90_000)).toBe("-90s");
  });

  test("a zoom is whole seconds, in order, and not shorter than a minute", () => {
    const range = pastRange(NOW + 10_400, NOW + 300);
    const { sinceMs, untilMs } = rangeBounds(range, NOW);
    expect(untilMs - sinceMs).toBeGreaterThanOrEqual(60_000);
    expect([sinceMs % 1000, untilMs % 1000]).toEqual([0, 0]);
    expect(sinceMs).toBeLessThan(NOW);
    expect(untilMs).toBeGreaterThan(NOW + 10_400);
  });

  test("moving and widening never go into the future", () => {
    const range = pastRange(NOW - 2 * HOUR, NOW - HOUR);
    expect(shiftRange(range, -0.5, NOW)).toEqual(pastRange(NOW - 2.5 * HOUR, NOW - 1.5 * HOUR));
    expect(shiftRange(range, 3, NOW)).toEqual(pastRange(NOW - HOUR, NOW));
    expect(widenRange(range, 2, NOW)).toEqual(pastRange(NOW - 2.5 * HOUR, NOW - 0.5 * HOUR));
    expect(widenRange(range, 8, NOW)).toEqual(pastRange(NOW - 8 * HOUR, NOW));
  });
});

test("paths of the API leave out what is absent", () => {
  expect(apiPath("/api/live", { q: "", sort: undefined, limit: 5 })).toBe("/api/live?limit=5");
  expect(apiPath("/api/live", { q: "port 1 & x" })).toBe("/api/live?q=port+1+%26+x");
  expect(apiPath("/api/stats", {})).toBe("/api/stats");
});
