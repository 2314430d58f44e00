import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { Slots } from "../../../src/bpf/slots.ts";
import { NO_POINT, Points } from "../../../src/flow/points.ts";

const CAPACITY = 32;
const RUNS = 120;
const SEED = 7;

/** Slots whose tuples the test sets; `hashOf` decides which collide. */
function slotsOf(tuples: number[], hashOf: (tuple: number) => number): Slots {
  const slots = {
    tupleHash: (slot: number) => hashOf(tuples[slot] ?? 0) >>> 0,
    isSameTuple: (one: number, other: number) => tuples[one] === tuples[other],
  };
  return slots as unknown as Slots;
}

/** What Points is to know, as plain as can be: groups, and which of them can be found by their tuple. */
class Model {
  readonly groups: number[][] = [];
  private readonly open = new Map<number, number[]>();

  constructor(private readonly tuples: number[]) {}

  groupOf(slot: number): number[] | undefined {
    return this.groups.find((group) => group.includes(slot));
  }

  join(slot: number): void {
    const tuple = this.tuples[slot] ?? 0;
    const known = this.open.get(tuple);
    if (known !== undefined) {
      known.push(slot);
      return;
    }
    const group = [slot];
    this.groups.push(group);
    this.open.set(tuple, group);
  }

  close(group: number[]): void {
    for (const [tuple, one] of this.open) if (one === group) this.open.delete(tuple);
  }

  dissolve(group: number[]): void {
    this.close(group);
    this.groups.splice(this.groups.indexOf(group), 1);
  }

  /** Returns who stands for the group instead. */
  leave(slot: number): number {
    const group = this.groupOf(slot);
    if (group === undefined) return NO_POINT;
    const wasFirst = group[0] === slot;
    group.splice(group.indexOf(slot), 1);
    if (group.length === 0) this.dissolve(group);
    return wasFirst ? (group[0] ?? NO_POINT) : NO_POINT;
  }
}

function membersOf(points: Points, primary: number): number[] {
  const members: number[] = [];
  points.each(primary, (point) => void members.push(point));
  return members;
}

function expectSame(points: Points, model: Model): void {
  for (let slot = 0; slot < CAPACITY; slot++) {
    const group = model.groupOf(slot);
    expect(points.primary(slot)).toBe(group?.[0] ?? NO_POINT);
    expect(points.isPrimary(slot)).toBe(group?.[0] === slot);
  }
  for (const group of model.groups) {
    const [first = NO_POINT] = group;
    expect(membersOf(points, first)).toEqual(group);
    expect(points.count(first)).toBe(group.length);
    expect(points.isShared(first)).toBe(group.length > 1);
  }
  const shared = model.groups.filter((group) => group.length > 1).map(([first]) => first);
  expect([...points.shared.subarray(0, points.sharedSize)].sort((a, b) => a - b)).toEqual(
    shared.map((first = NO_POINT) => first).sort((a, b) => a - b),
  );
}

const action = fc.record({
  kind: fc.constantFrom("join", "join", "join", "close", "dissolve", "leave"),
  slot: fc.nat(CAPACITY - 1),
  tuple: fc.nat(5),
});

/** Hashes from all different to all the same. */
const HASHES: readonly [string, (tuple: number) => number][] = [
  ["that differ", (tuple) => tuple << 28],
  ["that share buckets", (tuple) => ((tuple % 2) << 30) | tuple],
  ["that are all the same", () => 0x9000_0000],
];

test.each(HASHES)("groups are those of a plain model, whatever happens, with hashes %s", (_name, hashOf) => {
  let groups = 0;
  fc.assert(
    fc.property(fc.array(action, { minLength: 40, maxLength: 120 }), (actions) => {
      const tuples = Array.from({ length: CAPACITY }, () => 0);
      const points = new Points(slotsOf(tuples, hashOf), CAPACITY, true);
      const model = new Model(tuples);
      for (const { kind, slot, tuple } of actions) {
        const group = model.groupOf(slot);
        if (kind === "join" && group === undefined) {
          tuples[slot] = tuple;
          points.join(slot);
          model.join(slot);
        } else if (group !== undefined && kind === "close") {
          points.close(group[0] ?? 0);
          model.close(group);
        } else if (group !== undefined && kind === "dissolve") {
          points.dissolve(group[0] ?? 0);
          model.dissolve(group);
        } else if (kind === "leave") {
          // The kernel has taken the slot for another connection by then.
          tuples[slot] = 77;
          expect(points.leave(slot)).toBe(model.leave(slot));
        }
        expectSame(points, model);
      }
      groups += model.groups.filter((group) => group.length > 1).length;
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(groups).toBeGreaterThan(RUNS);
});

test("nothing is left of groups that came and went", () => {
  const tuples = Array.from({ length: CAPACITY }, () => 0);
  const points = new Points(
    slotsOf(tuples, (tuple) => tuple * 2_654_435_761),
    CAPACITY,
    true,
  );
  for (let round = 0; round < 1000; round++) {
    for (let slot = 0; slot < CAPACITY; slot++) {
      tuples[slot] = round * CAPACITY + (slot >> 1);
      points.join(slot);
    }
    expect(points.sharedSize).toBe(CAPACITY / 2);
    for (let slot = 0; slot < CAPACITY; slot += 2) points.dissolve(slot);
    expect(points.sharedSize).toBe(0);
  }
  expectSame(points, new Model(tuples));
});

test("without merging every slot stands for itself", () => {
  const tuples = Array.from({ length: CAPACITY }, () => 1);
  const points = new Points(
    slotsOf(tuples, () => 1),
    CAPACITY,
    false,
  );
  points.join(3);
  points.join(4);
  expect([points.primary(3), points.primary(4), points.sharedSize]).toEqual([3, 4, 0]);
  points.close(3);
  points.dissolve(3);
  expect([points.primary(3), points.primary(4)]).toEqual([NO_POINT, 4]);
});
