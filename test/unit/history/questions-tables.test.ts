import { expect, spyOn, test } from "bun:test";
import { ConversationMap, UNKNOWN } from "../../../src/history/question-conversations.ts";
import { Groups, GROUPS_PER_STEP, OTHER, PRUNED } from "../../../src/history/question-groups.ts";
import { SumTable } from "../../../src/history/question-sums.ts";
import { newColumns } from "../../../src/history/rollup-columns.ts";
import { Random } from "../../fuzz/random.ts";

/** What all steps come to. */
function finish<T>(steps: Generator<void, T>, eachStep = () => {}): T {
  for (;;) {
    const step = steps.next();
    eachStep();
    if (step.done === true) return step.value;
  }
}

test("a conversation keeps its value until all are forgotten", () => {
  const random = new Random(2);
  const map = new ConversationMap(16 * 1024);
  const known = new Map<number, number>();
  let forgotten = 0;
  for (let round = 0; round < 200; round++) {
    finish(map.reserve(1000));
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
    finish(map.replace((value) => value + 1));
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
    const numbers = finish(groups.prune());
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
  const largest = finish(groups.largest(10));
  expect(largest).toHaveLength(10);
  expect(groups.keyOf(largest[0] ?? OTHER)).toBe("large");
  const bytes = (number: number) => groups.sums.size(number, "bytes");
  expect(bytes(largest[0] ?? OTHER)).toBe(10_000);
  expect(finish(groups.largest(Infinity)).reduce((sum, number) => sum + bytes(number), bytes(OTHER))).toBe(
    11_000,
  );
});

test("many groups are ranked and pruned exactly, a few at a step", () => {
  const random = new Random(5);
  const count = 5 * GROUPS_PER_STEP + 7;
  const groups = new Groups("bytes", count - 1);
  const columns = newColumns(1);
  // Many are equal, and some have no rows.
  const sizes = Array.from({ length: count }, () => random.below(900));
  for (const [index, size] of sizes.entries()) {
    columns.rows[0] = size === 0 ? 0 : 1;
    columns.bytesSent[0] = size;
    groups.sums.add(groups.numberOf(`group ${index}`), columns, 0);
  }
  const ranked = [...sizes.keys()]
    .filter((index) => sizes[index] !== 0)
    .sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b)
    .map((index) => `group ${index}`);
  const keysOf = (numbers: readonly number[]) => numbers.map((number) => groups.keyOf(number));

  const spies = [spyOn(SumTable.prototype, "size"), spyOn(SumTable.prototype, "addFrom")];
  let handled = 0;
  const checkStep = () => {
    for (const spy of spies) {
      expect(spy.mock.calls.length).toBeLessThanOrEqual(GROUPS_PER_STEP);
      handled += spy.mock.calls.length;
      spy.mockClear();
    }
  };
  try {
    for (const limit of [1, 20, GROUPS_PER_STEP, ranked.length - 1, Infinity]) {
      expect(keysOf(finish(groups.largest(limit), checkStep))).toEqual(ranked.slice(0, limit));
    }
    finish(groups.prune(), checkStep);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  // Sums of each were looked at six times, and moved once.
  expect(handled).toBe(6 * ranked.length + count + 1);

  const kept = Math.ceil((count - 1) / 2);
  expect(groups.isPruned).toBe(true);
  expect(groups.count()).toBe(ranked.length);
  expect(keysOf(finish(groups.largest(Infinity)))).toEqual(ranked.slice(0, kept));
  const bytes = Array.from({ length: groups.size }, (_, number) => groups.sums.size(number, "bytes"));
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  expect(sum(bytes)).toBe(sum(sizes));
  expect(bytes[OTHER]).toBe(sum(sizes.toSorted((a, b) => b - a).slice(kept)));
});
