import { expect, test } from "bun:test";
import { TopItems } from "../../../src/flow/top.ts";

/** A plain sort, as the oracle. */
function sorted(items: readonly number[], rank: (item: number) => number, limit: number): number[] {
  return items.toSorted((a, b) => rank(b) - rank(a) || a - b).slice(0, limit);
}

function picked(items: readonly number[], rank: (item: number) => number, limit: number): number[] {
  const top = new TopItems(limit);
  for (const item of items) top.offer(item, rank(item));
  return top.sorted();
}

test("is what a sort gives, for few and for many, with ties", () => {
  const items = Array.from({ length: 2000 }, (_, index) => (index * 7919) % 2003);
  for (const rank of [
    (item: number) => (item * 31) % 97,
    (item: number) => item,
    () => 0,
    (item: number) => -item,
  ]) {
    for (const limit of [0, 1, 2, 3, 7, 50, 249, 250, 251, 1999, 2000, 5000]) {
      expect(picked(items, rank, limit)).toEqual(sorted(items, rank, limit));
    }
  }
});

test("of nothing there is nothing", () => {
  expect(new TopItems(10).sorted()).toEqual([]);
});
