import { describe, expect, test } from "bun:test";
import { CryptoStream } from "../../../src/inspect/crypto-stream.ts";
import { concat, pattern } from "../../support/bytes.ts";

const RANGE_BYTES = 48;
const LIMIT = 4000;
const whole = pattern(300);

function prefixOf(...ranges: [start: number, end: number][]): Uint8Array {
  const stream = new CryptoStream(LIMIT);
  for (const [start, end] of ranges) stream.add(start, whole.subarray(start, end));
  return stream.prefix.slice();
}

describe("pieces of a stream", () => {
  test.each<[string, [number, number][], number]>([
    [
      "in order",
      [
        [0, 100],
        [100, 200],
        [200, 300],
      ],
      300,
    ],
    [
      "backwards",
      [
        [200, 300],
        [100, 200],
        [0, 100],
      ],
      300,
    ],
    [
      "repeated",
      [
        [0, 100],
        [0, 100],
        [100, 300],
        [0, 100],
      ],
      300,
    ],
    [
      "overlapping",
      [
        [0, 120],
        [80, 220],
        [210, 300],
      ],
      300,
    ],
    [
      "one over all others",
      [
        [20, 30],
        [50, 60],
        [90, 100],
        [0, 300],
      ],
      300,
    ],
    [
      "one inside another",
      [
        [0, 300],
        [100, 110],
      ],
      300,
    ],
    [
      "with a gap",
      [
        [0, 100],
        [101, 300],
      ],
      100,
    ],
    ["without the start", [[1, 300]], 0],
    [
      "empty",
      [
        [0, 0],
        [5, 5],
      ],
      0,
    ],
  ])("%s give what they hold up to the first gap", (_, ranges, length) => {
    expect(prefixOf(...ranges)).toEqual(whole.slice(0, length));
  });

  test("come to the same in every order", () => {
    const pieces: [number, number][] = [
      [0, 70],
      [60, 130],
      [130, 131],
      [125, 300],
    ];
    for (const a of pieces) {
      for (const b of pieces) {
        for (const c of pieces) expect(prefixOf(a, b, c, ...pieces)).toEqual(whole);
      }
    }
  });
});

test("bytes that came first stay", () => {
  const stream = new CryptoStream(LIMIT);
  stream.add(2, Uint8Array.of(1, 1));
  stream.add(0, Uint8Array.of(2, 2, 2, 2, 2, 2));
  expect([...stream.prefix]).toEqual([2, 2, 1, 1, 2, 2]);
});

test("keeps a copy", () => {
  const stream = new CryptoStream(LIMIT);
  const piece = Uint8Array.of(7);
  stream.add(0, piece);
  piece[0] = 8;
  expect([...stream.prefix]).toEqual([7]);
});

test("holds nothing beyond its limit", () => {
  const stream = new CryptoStream(10);
  for (const offset of [10, 11, 2 ** 31, 2 ** 32 + 1, 2 ** 62]) stream.add(offset, whole);
  stream.add(8, whole);
  stream.add(0, pattern(8));
  expect(stream.prefix).toEqual(concat(pattern(8), whole.subarray(0, 2)));
});

test("drops what would be the 65th separate range, and still takes what closes gaps", () => {
  const stream = new CryptoStream(LIMIT);
  for (let index = 1; index <= 65; index++) stream.add(index * 2, whole.subarray(index * 2, index * 2 + 1));
  for (let index = 0; index <= 65; index++)
    stream.add(index * 2 + 1, whole.subarray(index * 2 + 1, index * 2 + 2));
  stream.add(0, whole.subarray(0, 1));
  expect(stream.prefix).toEqual(whole.slice(0, 130));
});

test("is empty again once cleared", () => {
  const stream = new CryptoStream(LIMIT);
  stream.add(0, whole);
  stream.clear();
  expect(stream.prefix.length).toBe(0);
  stream.add(1, whole);
  expect(stream.prefix.length).toBe(0);
});

test("dropping bytes moves the start on, past bytes that have come and bytes that have not", () => {
  const stream = new CryptoStream(100);
  stream.add(0, whole.subarray(0, 40));
  stream.add(60, whole.subarray(60, 80));
  stream.drop(30);
  expect([stream.prefix, stream.firstBehindGap]).toEqual([whole.slice(30, 40), 30]);
  stream.add(10, whole.subarray(40, 60));
  expect([stream.prefix, stream.firstBehindGap]).toEqual([whole.slice(30, 80), null]);
  stream.add(50, whole.subarray(80, 180));
  expect(stream.prefix).toEqual(whole.slice(30, 130));
  stream.drop(500);
  expect([stream.prefix.length, stream.memory]).toEqual([0, 0]);
});

test("a drop into a gap, and into a range behind it, keeps what lies further on", () => {
  const stream = new CryptoStream(LIMIT);
  stream.add(10, whole.subarray(10, 20));
  stream.drop(5);
  expect([stream.prefix.length, stream.firstBehindGap]).toEqual([0, 5]);
  stream.drop(8);
  expect([stream.prefix, stream.firstBehindGap]).toEqual([whole.slice(13, 20), null]);
});

test("takes memory for what lies up to its last byte, at most its limit, and for each run of bytes", () => {
  const stream = new CryptoStream(LIMIT);
  expect(stream.memory).toBe(0);
  stream.add(1500, whole.subarray(0, 1));
  expect(stream.memory).toBe(2048 + RANGE_BYTES);
  stream.add(LIMIT - 1, whole);
  expect(stream.memory).toBe(LIMIT + 2 * RANGE_BYTES);
});
