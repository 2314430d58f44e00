import { expect, test } from "bun:test";
import { MemoryKeeper, residentMemory } from "../../../src/cli/memory.ts";

const MIB = 1024 * 1024;

/** A keeper of a process whose memory is what the test says, and what it did, in order. */
function keeper() {
  const state = { nowMs: 0, file: 10 * MIB, anonymous: 10 * MIB, isBusy: false, done: [] as string[] };
  const kept = new MemoryKeeper({
    files: {
      giveBack: () => void state.done.push("give back"),
      narrow: () => void state.done.push("narrow"),
    },
    collectGarbage() {
      state.done.push("collect");
      state.anonymous = Math.min(state.anonymous, 12 * MIB);
    },
    resident: () => ({ file: state.file, anonymous: state.anonymous }),
    isBusy: () => state.isBusy,
    now: () => state.nowMs,
  });
  const look = async (atMs: number, change: Partial<typeof state> = {}) => {
    Object.assign(state, { nowMs: atMs, done: [] }, change);
    kept.look();
    await new Promise<void>((resolve) => setImmediate(resolve));
    return state.done;
  };
  return { kept, state, look };
}

test("what was added is handed back: after garbage pages of files, too, but no garbage for them", async () => {
  const { look } = keeper();
  expect(await look(0)).toEqual([]);
  expect(await look(10_000, { anonymous: 11 * MIB, file: 11 * MIB })).toEqual([]);
  expect(await look(20_000, { file: 20 * MIB })).toEqual(["narrow"]);
  expect(await look(30_000)).toEqual([]);
  expect(await look(40_000, { anonymous: 20 * MIB })).toEqual(["collect", "narrow"]);
});

test("what comes back after narrowing is what is needed: it is not handed back again", async () => {
  const { look } = keeper();
  await look(0);
  expect(await look(10_000, { file: 20 * MIB })).toEqual(["narrow"]);
  expect(await look(20_000, { file: 18 * MIB })).toEqual([]);
  expect(await look(30_000, { file: 18 * MIB })).toEqual([]);
  expect(await look(40_000, { file: 22 * MIB })).toEqual(["narrow"]);
});

test("need falls with use: a burst does not count for ever", async () => {
  const { look } = keeper();
  await look(0, { anonymous: 60 * MIB });
  await look(10_000, { anonymous: 11 * MIB });
  expect(await look(20_000, { anonymous: 16 * MIB })).toEqual(["collect", "narrow"]);
});

test("it rests in between, longer while history is being written, but not for ever", async () => {
  const { look } = keeper();
  await look(0);
  expect(await look(10_000, { anonymous: 20 * MIB })).toEqual(["collect", "narrow"]);
  expect(await look(12_000, { anonymous: 20 * MIB })).toEqual([]);
  expect(await look(16_000, { anonymous: 20 * MIB, isBusy: true })).toEqual([]);
  expect(await look(31_000, { anonymous: 20 * MIB })).toEqual(["collect", "narrow"]);
});

test("giving back at once does both", () => {
  const { kept, state } = keeper();
  kept.giveBack();
  expect(state.done).toEqual(["collect", "give back"]);
});

test("resident memory is that of this process", () => {
  const { file, anonymous } = residentMemory();
  const rss = process.memoryUsage.rss();
  expect(Math.abs(file + anonymous - rss)).toBeLessThan(16 * MIB);
  expect(Math.min(file, anonymous)).toBeGreaterThan(MIB);
});
