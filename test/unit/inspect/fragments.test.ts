import { describe, expect, test } from "bun:test";
import { FRAGMENT_LIMITS, type FragmentPiece, FragmentStore } from "../../../src/inspect/fragments.ts";
import { pattern } from "../../support/bytes.ts";

const DATA = pattern(100);

/** Bytes `start` to `end` of `data`, which lies behind a transport header of 8 bytes, as a piece. */
function piece(start: number, end: number, data = DATA): FragmentPiece<string> {
  return {
    offset: start,
    more: end < data.length,
    bytes: data.subarray(start, end),
    first: start === 8 ? "ports" : null,
  };
}

function store(limits: Partial<typeof FRAGMENT_LIMITS> = {}): FragmentStore<string> {
  return new FragmentStore({ ...FRAGMENT_LIMITS, ...limits });
}

/** What adding the pieces in turn gives in the end. */
function together(pieces: readonly FragmentPiece<string>[], into = store()) {
  return pieces.map((each) => into.add("key", each, 0)).at(-1) ?? null;
}

const WHOLE = { first: "ports", payload: DATA.subarray(8) };

test("a packet is whole with its last missing fragment, in whatever order they come", () => {
  const pieces = [piece(8, 32), piece(32, 56), piece(56, 80), piece(80, 100)];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
  ]) {
    const into = store();
    const ordered = order.flatMap((index) => pieces[index] ?? []);
    expect(ordered.map((each) => into.add("key", each, 0))).toEqual([null, null, null, WHOLE]);
    expect([into.heldBytes, into.evicted]).toEqual([0, 0]);
  }
});

test("packets of different keys are apart", () => {
  const into = store();
  expect(into.add("a", piece(8, 56), 0)).toBeNull();
  expect(into.add("b", piece(56, 100), 0)).toBeNull();
  expect(into.add("a", piece(56, 100), 0)).toEqual(WHOLE);
});

test("a fragment that comes twice changes nothing", () => {
  const into = store();
  together([piece(8, 56), piece(8, 56), piece(8, 56), piece(16, 48)], into);
  expect(into.heldBytes).toBe(48);
  expect(into.add("key", piece(56, 100), 0)).toEqual(WHOLE);
});

test("where fragments overlap, the bytes that came first count", () => {
  const other = DATA.map((byte) => byte ^ 0xff);
  const result = together([
    { ...piece(40, 64, other), first: null },
    piece(8, 56),
    { ...piece(32, 80, other), first: null },
    piece(72, 100),
  ]);
  const expected = DATA.slice();
  expected.set(other.subarray(40, 64), 40);
  expected.set(other.subarray(64, 80), 64);
  expect(result).toEqual({ first: "ports", payload: expected.subarray(8) });
});

test("a first fragment without payload of its own still begins the packet", () => {
  const empty = { offset: 8, more: true, bytes: new Uint8Array(), first: "ports" };
  expect(together([empty, { ...piece(8, 100), first: null }])).toEqual(WHOLE);
});

test("a fragment that reaches before the first one's payload is cut to it", () => {
  const low = { offset: 0, more: true, bytes: DATA.subarray(0, 16), first: null };
  expect(together([low, piece(8, 56), piece(56, 100)])).toEqual(WHOLE);
});

test("the bytes are copied", () => {
  const bytes = DATA.slice();
  const into = store();
  into.add("key", piece(8, 56, bytes), 0);
  bytes.fill(0);
  expect(into.add("key", piece(56, 100), 0)).toEqual(WHOLE);
});

describe("hostile fragments", () => {
  test("that end the packet a second time do not change its length", () => {
    const early: FragmentPiece<string> = { ...piece(40, 48), more: false };
    expect(together([piece(8, 32), piece(56, 100), early, piece(32, 56)])).toEqual(WHOLE);
  });

  test("that end it before what is there do not count", () => {
    const early: FragmentPiece<string> = { ...piece(8, 16), first: null, more: false };
    expect(together([piece(8, 56), early, piece(56, 100)])).toEqual(WHOLE);
  });

  test("beyond its end do not count", () => {
    const beyond: FragmentPiece<string> = { offset: 96, more: true, bytes: pattern(40, 9), first: null };
    expect(together([piece(56, 100), beyond, piece(8, 56)])).toEqual(WHOLE);
  });

  test("that make a packet longer than there can be are not kept", () => {
    const into = store();
    into.add("key", { offset: 65_528, more: false, bytes: pattern(8), first: null }, 0);
    expect(into.heldBytes).toBe(0);
    into.add("key", { offset: 65_528, more: false, bytes: pattern(7), first: null }, 0);
    expect(into.heldBytes).toBe(7);
  });

  test("that end before the first begins never make a packet", () => {
    const last: FragmentPiece<string> = { offset: 0, more: false, bytes: pattern(4), first: null };
    const empty: FragmentPiece<string> = { offset: 8, more: true, bytes: new Uint8Array(), first: "ports" };
    expect(together([last, empty])).toBeNull();
    expect(together([empty, last])).toBeNull();
  });

  test("are no more than 64 of a packet", () => {
    const into = store();
    for (let at = 0; at < 100; at++) {
      into.add("key", { offset: at * 16, more: true, bytes: pattern(8), first: null }, 0);
    }
    expect(into.heldBytes).toBe(64 * 8);
  });

  test("of any shape neither throw nor hold more than is allowed", () => {
    const into = store({ maxBytes: 2000, maxPackets: 5 });
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    for (let count = 0; count < 20_000; count++) {
      const bytes = pattern(random(60));
      const first = random(4) === 0 ? "ports" : null;
      const offset = random(40) * 8;
      const more = random(3) > 0;
      const whole = into.add(`${random(9)}`, { offset, more, bytes, first }, count);
      if (whole !== null) expect(whole.payload.length).toBeLessThanOrEqual(40 * 8 + 60);
      expect(into.heldBytes).toBeLessThanOrEqual(2000);
    }
    expect(into.evicted).toBeGreaterThan(0);
  });
});

describe("limits", () => {
  test("a packet waits for 30 seconds from its first fragment", () => {
    const into = store();
    into.add("key", piece(8, 32), 1000);
    into.add("key", piece(32, 56), 20_000);
    expect(into.add("key", piece(56, 100), 31_000)).toEqual(WHOLE);
    into.add("key", piece(8, 32), 1000);
    into.add("key", piece(32, 56), 20_000);
    expect(into.add("key", piece(56, 100), 31_001)).toBeNull();
    expect(into.evicted).toBe(1);
    expect(into.heldBytes).toBe(44);
  });

  test("the packet not added to for longest makes room for another", () => {
    const into = store({ maxPackets: 2 });
    into.add("a", piece(8, 32), 0);
    into.add("b", piece(8, 56), 1);
    into.add("a", piece(32, 56), 2);
    into.add("c", piece(8, 56), 3);
    expect(into.evicted).toBe(1);
    expect(into.add("b", piece(56, 100), 4)).toBeNull();
    expect(into.add("c", piece(56, 100), 5)).toEqual(WHOLE);
  });

  test("bytes beyond the most that may be held make the oldest packet go", () => {
    const into = store({ maxBytes: 100 });
    into.add("a", piece(8, 56), 0);
    into.add("b", piece(8, 56), 0);
    expect([into.heldBytes, into.evicted]).toEqual([96, 0]);
    into.add("c", piece(8, 56), 0);
    expect([into.heldBytes, into.evicted]).toEqual([96, 1]);
  });

  test("a piece larger than all that may be held is not kept", () => {
    const into = store({ maxBytes: 40 });
    into.add("a", piece(8, 56), 0);
    expect([into.heldBytes, into.evicted]).toEqual([0, 1]);
  });
});
