import { describe, expect, test } from "bun:test";
import { decodeCursor, encodeCursor } from "../../../src/history/cursor.ts";
import { HistoryQueryError } from "../../../src/history/errors.ts";
import { addressRange } from "../../../src/history/filter.ts";
import { encodeIds, someId } from "../../../src/history/id-set.ts";
import { EPOCH_MS, idMs, joinId, MICRO_RANGE, microsOf, timestampOf } from "../../../src/history/rowid.ts";
import { formatAddress } from "../../../src/flow/address.ts";
import { UsageError } from "../../../src/errors.ts";

describe("id sets", () => {
  test.each([[[]], [[0]], [[127, 128, 16_383, 16_384]], [[1, 2 ** 31, 2 ** 32 + 5, 2 ** 52]]])(
    "%p survives a round trip",
    (ids: number[]) => {
      const read: number[] = [];
      const hasStopped = someId(encodeIds(ids), (id) => {
        read.push(id);
        return false;
      });
      expect(read).toEqual(ids);
      expect(hasStopped).toBe(false);
    },
  );

  test("stops at the first that is wanted", () => {
    const seen: number[] = [];
    const found = someId(encodeIds([5, 300, 301]), (id) => {
      seen.push(id);
      return id === 300;
    });
    expect(found).toBe(true);
    expect(seen).toEqual([5, 300]);
  });

  test("neighbours take one byte each", () => {
    expect(encodeIds(Array.from({ length: 100 }, (_, index) => 1_000_000 + index)).length).toBe(102);
  });
});

describe("row ids", () => {
  test.each([EPOCH_MS, Date.UTC(2026, 6, 1, 12, 30, 15, 250), Date.UTC(1999, 0, 1)])(
    "%d is in its id",
    (time) => {
      expect(timestampOf(idMs(time), 77, false)).toBe(time);
      const packet = time + 0.123;
      expect(timestampOf(idMs(packet), microsOf(packet) * MICRO_RANGE + 9, true)).toBeCloseTo(packet, 3);
    },
  );

  test("ids sort by time", () => {
    expect(joinId(idMs(EPOCH_MS - 1), 5)).toBeLessThan(joinId(idMs(EPOCH_MS), 0));
    expect(joinId(idMs(EPOCH_MS), 4_194_303)).toBeLessThan(joinId(idMs(EPOCH_MS + 1), 0));
  });

  test("times that no id can hold become the nearest", () => {
    expect(joinId(idMs(Infinity), 4_194_303)).toBe(2n ** 63n - 1n);
    expect(joinId(idMs(-Infinity), 0)).toBeGreaterThan(-(2n ** 63n));
  });
});

describe("cursors", () => {
  test.each([
    { before: 0n, skip: 0 },
    { before: 912_862_318_470_001_200n, skip: 12 },
    { before: -5n, skip: 0 },
  ])("%p survives a round trip", (cursor) => {
    expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
  });

  const made = encodeCursor({ before: 5n, skip: 0 });
  const text = (plain: string) => Buffer.from(plain).toString("base64url");
  test.each([
    "",
    "x",
    `${made}=`,
    ` ${made}`,
    made.slice(1),
    text("1.5"),
    text("2.5.0"),
    text("1.05.0"),
    text("1.5.-1"),
    text("1.9999999999999999999.0"),
    text("1.5.0; DROP TABLE rows"),
    "A".repeat(10_000),
  ])("refuses %p", (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(HistoryQueryError);
    expect(() => decodeCursor(cursor)).toThrow(UsageError);
  });
});

describe("address ranges", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7", "192.0.2.7"],
    ["10.1.2.3/8", "10.0.0.0", "10.255.255.255"],
    ["10.1.2.3/31", "10.1.2.2", "10.1.2.3"],
    ["1.2.3.4/0", "0.0.0.0", "255.255.255.255"],
    ["2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"],
    ["::1/128", "::1", "::1"],
  ])("%s is %s to %s", (text, first, last) => {
    const range = addressRange("ip", text);
    expect([formatAddress(range.first), formatAddress(range.last)]).toEqual([first, last]);
  });

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0.0/-1",
    "::/129",
    "host",
    "10.0.0.0/08x",
  ])("refuses %p", (text) => {
    expect(() => addressRange("src_ip", text)).toThrow(`src_ip: "${text}" is not an address or CIDR`);
  });
});
