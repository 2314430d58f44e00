import { expect, test } from "bun:test";
import { topBy } from "../../../src/flow/top.ts";

/** A plain sort, as the oracle. */
function sorted(items: readonly number[], rank: (item: number) => number, limit: number): number[] {
  return items.toSorted((a, b) => rank(b) - rank(a) || a - b).slice(0, limit);
}

test("is what a sort gives, for few and for many, with ties", () => {
  const items = Array.from({ length: 2000 }, (_, index) => (index * 7919) % 2003);
  for (const rank of [
    (item: number) => (item * 31) % 97,
    (item: number) => item,
    () => 0,
    (item: number) => -item,
  ]) {
    for (const limit of [1, 2, 3, 7, 50, 249, 250, 251, 1999, 2000, 5000]) {
      expect(topBy(items, rank, limit)).toEqual(sorted(items, rank, limit));
    }
  }
});

test("of nothing there is nothing", () => {
  expect(topBy([], () => 1, 10)).toEqual([]);
});
