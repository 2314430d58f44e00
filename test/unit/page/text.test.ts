import { describe, expect, test } from "bun:test";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatCoverage,
  formatDuration,
  formatMark,
  formatMs,
  formatPerSecond,
  formatRate,
  formatShare,
  formatStretch,
  plural,
} from "../../../src/page/text/format.ts";
import { visibleText } from "../../../src/page/text/safe-text.ts";
import { endpointText, serviceName } from "../../../src/page/text/services.ts";
import { lossWords, lostCount, moodOf } from "../../../src/page/text/words.ts";

describe("numbers", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [12_345, "12.3 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [5e9, "5.00 GB"],
    [9_007_199_254_740_991, "9.01 PB"],
  ])("%d bytes", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test("rates are eight times as many bits", () => {
    expect(formatRate(125_000, "bits")).toBe("1.00 Mbit/s");
    expect(formatRate(125_000, "bytes")).toBe("125 kB/s");
    expect(formatRate(0, "bits")).toBe("0 bit/s");
  });

  test("marks of an axis have no zeros behind the point, and keep those before it", () => {
    expect(formatMark(2500, "bytes")).toBe("2.5 kB/s");
    expect(formatMark(200_000, "bytes")).toBe("200 kB/s");
    expect(formatMark(1_000_000, "bytes")).toBe("1 MB/s");
  });

  test("a second", () => {
    expect(formatPerSecond(0)).toBe("0");
    expect(formatPerSecond(0.4)).toBe("0.4");
    expect(formatPerSecond(1234.4)).toBe("1,234");
    expect(formatPerSecond(1_250_000)).toBe("1.25 M");
  });

  test("shares say neither all of nearly all nor nothing of little", () => {
    expect(formatShare(0)).toBe("0%");
    expect(formatShare(0.0004)).toBe("<0.1%");
    expect(formatShare(0.123)).toBe("12.3%");
    expect(formatShare(0.9996)).toBe(">99.9%");
    expect(formatShare(1)).toBe("100%");
  });

  test("coverage is cut, not rounded", () => {
    expect(formatCoverage(1)).toBe("100%");
    expect(formatCoverage(0.99999)).toBe("99.99%");
    expect(formatCoverage(0.9998)).toBe("99.98%");
  });

  test("milliseconds", () => {
    expect(formatMs(null)).toBe("–");
    expect(formatMs(0.421)).toBe("0.42 ms");
    expect(formatMs(12.34)).toBe("12.3 ms");
    expect(formatMs(345.6)).toBe("346 ms");
    expect(formatMs(1234)).toBe("1.2 s");
  });

  test("durations", () => {
    expect(formatDuration(-5)).toBe("0 s");
    expect(formatDuration(8_900)).toBe("8 s");
    expect(formatDuration(725_000)).toBe("12 min 5 s");
    expect(formatDuration(3_600_000)).toBe("1 h");
    expect(formatDuration(273_600_000)).toBe("3 d 4 h");
    expect(formatAge(725_000)).toBe("12 min");
  });

  test("counts", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect(plural(1, "lookup")).toBe("1 lookup");
    expect(plural(2000, "lookup")).toBe("2,000 lookups");
  });
});

test("a stretch of time names days only where it must", () => {
  const at = (text: string) => new Date(text).getTime();
  const now = at("2026-05-12T18:00:00");
  expect(formatStretch(at("2026-05-12T12:03:00"), at("2026-05-12T12:18:00"), now)).toBe("12:03 – 12:18");
  expect(formatStretch(at("2026-05-12T12:03:05"), at("2026-05-12T12:04:00"), now)).toBe(
    "12:03:05 – 12:04:00",
  );
  expect(formatStretch(at("2026-05-11T23:00:00"), at("2026-05-12T01:00:00"), now)).toMatch(
    /^Mon, .*23:00 – Tue, .*01:00$/,
  );
});

describe("text from the wire", () => {
  test.each([
    ["www.example.org", "www.example.org"],
    ["münchen.example", "münchen.example"],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
    ["a\u202egnp.exe", "a\\u{202e}gnp.exe"],
    ["a\u2066b\u2069", "a\\u{2066}b\\u{2069}"],
    ["bell\u0007nul\u0000del\u007f", "bell\\u{7}nul\\u{0}del\\u{7f}"],
    ["line\nfeed\u2028", "line\\u{a}feed\\u{2028}"],
    ["zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"],
    ["half \ud800", "half \\u{d800}"],
    ["tag \u{e0041}", "tag \\u{e0041}"],
  ])("%j", (text, shown) => expect(visibleText(text)).toBe(shown));
});

test("services and endpoints", () => {
  expect(serviceName(443)).toBe("HTTPS");
  expect(serviceName(443, "UDP")).toBe("QUIC");
  expect(serviceName(443, "ICMP")).toBeUndefined();
  expect(endpointText("192.0.2.1", 80, "TCP")).toBe("192.0.2.1:80");
  expect(endpointText("2001:db8::1", 80, "UDP")).toBe("[2001:db8::1]:80");
  expect(endpointText("192.0.2.1", 0, "ICMP")).toBe("192.0.2.1");
});

test("health in words", () => {
  expect(moodOf(1, [])).toBe("good");
  expect(moodOf(1, ["history: disk full"])).toBe("warn");
  expect(moodOf(0.995, [])).toBe("warn");
  expect(moodOf(0.9, [])).toBe("bad");
  expect(
    lostCount([
      { stage: "ring", reason: "a", count: 2 },
      { stage: "table", reason: "b", count: 3 },
    ]),
  ).toBe(5);
  expect(lossWords({ stage: "table", reason: "full", count: 1 })).toContain("connection table was full");
  expect(lossWords({ stage: "later", reason: "not_known_yet", count: 1 })).toBe("not known yet (later)");
});
