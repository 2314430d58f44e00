import { describe, expect, test } from "bun:test";
import { roundMarks, timeLabel } from "../../../src/page/chart/axis.ts";
import { itemsChart } from "../../../src/page/chart/items.ts";
import { chartData, drawnValues, peakOf } from "../../../src/page/chart/points.ts";
import type { HistoryItem, TimeseriesAnswer } from "../../../src/page/data/answers.ts";

const SINCE = Date.parse("2026-05-12T12:00:00Z");
const STEP = 10;

const series = (bytes: number[]) => ({
  bytes,
  packets: bytes.map(() => 1),
  bytes_sent: bytes.map((value) => value / 4),
  bytes_received: bytes.map((value) => (value * 3) / 4),
});

/** An answer of four points from `SINCE` on. */
function answer(change: Partial<TimeseriesAnswer> = {}): TimeseriesAnswer {
  return {
    points: [0, 1, 2, 3].map((index) => new Date(SINCE + index * STEP * 1000).toISOString()),
    step: STEP,
    series: [
      { key: { domain: "a" }, ...series([100, 200, 300, 400]) },
      { key: { domain: null }, ...series([0, 40, 0, 40]) },
    ],
    other: series([10, 0, 0, 0]),
    total: series([110, 240, 300, 440]),
    since: new Date(SINCE).toISOString(),
    until: new Date(SINCE + 4 * STEP * 1000).toISOString(),
    level: "raw",
    parts: [],
    coverage: [],
    scanned: 0,
    group_count: 2,
    pruned: false,
    notes: [],
    ...change,
  };
}

const LATER = SINCE + 3_600_000;

describe("a time series", () => {
  test("is rates, each point as wide as its step", () => {
    const data = chartData(answer(), null, LATER);
    expect(data.times).toEqual([0, 10, 20, 30, 40].map((seconds) => SINCE / 1000 + seconds));
    expect(data.layers.map(({ label, mean }) => [label, mean])).toEqual([
      ["Received", 20.4375],
      ["Sent", 6.8125],
    ]);
    expect(data.layers[0]?.values).toEqual([8.25, 18, 22.5, 33, 33]);
  });

  test("ends before what is still being counted, and begins with a whole point", () => {
    const isOpen = chartData(answer(), null, SINCE + 34_000);
    expect(isOpen.times).toEqual([0, 10, 20].map((seconds) => SINCE / 1000 + seconds));
    const isCut = chartData(answer({ since: new Date(SINCE + 3000).toISOString() }), null, LATER);
    expect(isCut.times[0]).toBe(SINCE / 1000 + 10);
    expect(isCut.layers[0]?.values).toHaveLength(isCut.times.length);
  });

  test("has the true rate of a point that the range cuts, or leaves it out", () => {
    const MINUTES = { step: 60, points: [0, 1, 2].map((at) => new Date(SINCE + at * 60_000).toISOString()) };
    const drawn = (sinceMs: number, untilMs: number) =>
      chartData(
        answer({
          ...MINUTES,
          total: series([400, 600, 450]),
          since: new Date(SINCE + sinceMs).toISOString(),
          until: new Date(SINCE + untilMs).toISOString(),
        }),
        null,
        LATER,
      );
    const cut = drawn(20_000, 165_000);
    expect(cut.times).toEqual([20, 60, 120, 165].map((seconds) => SINCE / 1000 + seconds));
    expect(cut.layers[1]?.values).toEqual([2.5, 2.5, 2.5, 2.5]);
    expect(cut.layers[1]?.mean).toBe(2.5);
    const short = drawn(50_000, 130_000);
    expect(short.times).toEqual([60, 120].map((seconds) => SINCE / 1000 + seconds));
    expect(short.layers[1]?.values).toEqual([2.5, 2.5]);
  });

  test("split is stacked to the total", () => {
    const data = chartData(answer(), (key) => String(key["domain"] ?? "no name"), LATER);
    expect(data.layers.map(({ label }) => label)).toEqual(["a", "no name", "others"]);
    expect(drawnValues(data).at(-1)).toEqual([11, 24, 30, 44, 44]);
    expect(peakOf(data)).toEqual({ value: 44, time: SINCE / 1000 + 30 });
  });

  test("without any point is empty", () => {
    const data = chartData(answer({ points: [] }), null, LATER);
    expect(data.times).toEqual([]);
    expect(peakOf(data)).toBeNull();
  });
});

const item = (seconds: number, sent: number, received: number): HistoryItem => ({
  timestamp: SINCE + seconds * 1000,
  src_ip: "10.0.0.1",
  dst_ip: "192.0.2.1",
  src_port: 40_000,
  dst_port: 443,
  protocol: "TCP",
  length: sent + received,
  packet_count: 2,
  tcp_flags: 0,
  interface: "eth0",
  observation_points: ["eth0"],
  direction: "egress",
  row_type: "aggregated",
  bytes_sent: sent,
  bytes_received: received,
  packets_sent: 1,
  packets_received: 1,
  rtt_ms: null,
  retransmits: 0,
});

describe("rows of one connection", () => {
  test("lose nothing", () => {
    const items = [item(20, 30, 300), item(0, 10, 100)];
    const { times, layers, step } = itemsChart(items, 10, SINCE, SINCE + 30_000);
    expect(times).toHaveLength(4);
    expect(layers.map(({ values }) => values.slice(0, -1))).toEqual([
      [10, 0, 30],
      [1, 0, 3],
    ]);
    expect(step).toBe(10);
  });

  test("of a long time have few, wide points, whole windows each", () => {
    const items = Array.from({ length: 3000 }, (_, index) => item(index * 10, 1, 10));
    const { step, layers } = itemsChart(items, 10, SINCE, SINCE + 30_000_000);
    expect(step % 10).toBe(0);
    const values = layers[0]?.values.slice(0, -1) ?? [];
    expect(values.length).toBeLessThanOrEqual(121);
    expect(values.reduce<number>((sum, value) => sum + (value ?? 0) * step, 0)).toBeCloseTo(30_000, 6);
  });
});

test("marks are round in what is shown", () => {
  expect(roundMarks(0, 8)).toEqual([0]);
  expect(roundMarks(100, 1)).toEqual([0, 25, 50, 75, 100]);
  expect(roundMarks(1_000_000, 8).map((mark) => mark * 8)).toEqual([0, 2e6, 4e6, 6e6, 8e6]);
});

test("labels of the time axis get as fine as their distance", () => {
  const at = new Date("2026-05-12T12:03:04").getTime() / 1000;
  expect(timeLabel(at, 10)).toBe("12:03:04");
  expect(timeLabel(at, 600)).toBe("12:03");
  expect(timeLabel(new Date("2026-05-12T00:00:00").getTime() / 1000, 3600)).toBe("May 12");
  expect(timeLabel(at, 86_400)).toBe("May 12");
});
