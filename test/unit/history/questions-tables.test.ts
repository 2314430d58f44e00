import { expect, test } from "bun:test";
import { ConversationMap, UNKNOWN } from "../../../src/history/question-conversations.ts";
import { Groups, OTHER, PRUNED } from "../../../src/history/question-groups.ts";
import { newColumns } from "../../../src/history/rollup-columns.ts";
import { Random } from "../../fuzz/random.ts";

test("a conversation keeps its value until all are forgotten", () => {
  const random = new Random(2);
  const map = new ConversationMap(16 * 1024);
  const known = new Map<number, number>();
  let forgotten = 0;
  for (let round = 0; round < 200; round++) {
    map.reserve(1000);
    const [first] = known.keys();
    if (first !== undefined && map.find(first) === null) {
      known.clear();
      forgotten++;
    }
    for (let index = 0; index < 1000; index++) {
      // Ids that follow one another, and others anywhere up to the largest.
      const id = random.oneIn(2) ? 1 + random.below(5000) : 1 + random.u32() * 2 ** 20;
      const slot = map.slotOf(id);
      expect(map.find(id)).toBe(slot);
      expect(map.get(slot)).toBe(known.get(id) ?? UNKNOWN);
      const next = random.below(1000);
      map.set(slot, next);
      known.set(id, next);
    }
    map.replace((value) => value + 1);
    for (const [id, value] of known) known.set(id, value + 1);
  }
  expect(forgotten).toBeGreaterThan(4);
  expect(map.find(2 ** 52 + 1)).toBeNull();
});

test("with more groups than are kept, the large ones stay and nothing is lost", () => {
  const columns = newColumns(1);
  const groups = new Groups("bytes", 100);
  let pruned = 0;
  const add = (key: string, bytes: number) => {
    columns.rows[0] = 1;
    columns.bytesSent[0] = bytes;
    groups.sums.add(groups.numberOf(key), columns, 0);
    const numbers = groups.prune();
    if (numbers === null) return;
    pruned++;
    expect(numbers[OTHER]).toBe(OTHER);
    expect(numbers.filter((number) => number === PRUNED)).toHaveLength(51);
  };
  for (let index = 0; index < 1000; index++) {
    add(`small ${index}`, 1);
    if (index % 100 === 0) add("large", 1000);
  }
  expect(pruned).toBeGreaterThan(10);
  expect(groups.isPruned).toBe(true);
  expect(groups.count()).toBe(101);
  const largest = groups.largest(10);
  expect(largest).toHaveLength(10);
  expect(groups.keyOf(largest[0] ?? OTHER)).toBe("large");
  const bytes = (number: number) => groups.sums.size(number, "bytes");
  expect(bytes(largest[0] ?? OTHER)).toBe(10_000);
  expect(groups.largest(Infinity).reduce((sum, number) => sum + bytes(number), bytes(OTHER))).toBe(11_000);
});
