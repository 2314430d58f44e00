import { expect, test } from "bun:test";
import { DepartedTotals } from "../../../src/bpf/departed.ts";

/** Rows of counters, as the kernel has them: packets of the first class in both directions. */
function rows(values: Record<number, number>) {
  const cleared: number[] = [];
  return {
    values,
    cleared,
    read: (row: number, direction: number) => [{ packets: (values[row] ?? 0) + direction, bytes: 0 }],
    clear(row: number) {
      cleared.push(row);
      values[row] = 0;
    },
  };
}

test("a row counts on for its grace time, is then added up, zeroed and given back", () => {
  let now = 0;
  const counters = rows({ 4: 10 });
  const departed = new DepartedTotals(counters, () => now);
  departed.add(4);
  expect(departed.read(0)[0]?.packets).toBe(10);
  counters.values[4] = 12;
  now = 999;
  expect(departed.settle()).toEqual([]);
  expect(departed.read(0)[0]?.packets).toBe(12);
  now = 1000;
  expect(departed.settle()).toEqual([4]);
  expect(counters.cleared).toEqual([4]);
  expect(departed.read(0)[0]?.packets).toBe(12);
  expect(departed.read(1)[0]?.packets).toBe(13);
});

test("an interface that comes back in time takes its row back with what it counted", () => {
  let now = 0;
  const counters = rows({ 4: 10 });
  const departed = new DepartedTotals(counters, () => now);
  departed.add(4);
  expect(departed.takeBack(4)).toBe(true);
  expect(departed.takeBack(4)).toBe(false);
  now = 5000;
  expect(departed.settle()).toEqual([]);
  expect(departed.read(0)[0]?.packets).toBe(0);
});
