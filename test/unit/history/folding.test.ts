import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { HistoryOptions } from "../../../src/history/history.ts";
import { append, connection, droppedRows, open, row, START_MS, temporaryFolder, until } from "./fixture.ts";
import { expectExactSums, expectSound, extent, randomRow, settle, TestClock, write } from "./fold-fixture.ts";
import { numbers } from "./rows.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("minutes, hours and days are the sums of their rows", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + 3 * DAY);
  const history = open(stack, folder, clock.options);
  const pick = numbers(1);
  const rows = Array.from({ length: 20_000 }, (_, index) =>
    randomRow(pick, 3000, START_MS + Math.floor((index / 20_000) * 2.5 * DAY)),
  );
  await write(history, rows);
  await settle(history);
  expectExactSums(path);
  expectSound(path);
  expect([extent(path, "day").firstMs, extent(path, "day").lastMs]).toEqual([
    START_MS - 12 * HOUR,
    START_MS + 1.5 * DAY,
  ]);
  const [raw, minute, hour, day] = history.status().levels;
  expect(raw).toMatchObject({ level: "raw", sinceMs: null, untilMs: Infinity });
  // Ten seconds of window and fifteen of grace.
  expect(minute).toMatchObject({ sinceMs: null, untilMs: START_MS + 3 * DAY - MINUTE, lost: 0 });
  expect([hour?.untilMs, day?.untilMs]).toEqual([START_MS + 3 * DAY - HOUR, START_MS + 2.5 * DAY]);
  expect(history.status().foldingLagSeconds).toBe(0);
});

test("a minute is folded when its last window is over and had time to be written, not before", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + MINUTE + 24_999);
  const history = open(stack, folder, clock.options);
  await write(history, [row(connection(1))]);
  await settle(history);
  expect([extent(path, "minute").parts, history.status().levels[1]?.untilMs]).toEqual([0, null]);
  clock.pass(1);
  await settle(history);
  expect([extent(path, "minute").parts, history.status().levels[1]?.untilMs]).toEqual([1, START_MS + MINUTE]);
});

test("time without rows is covered too", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + 2 * MINUTE);
  const history = open(stack, folder, clock.options);
  await settle(history);
  expect(history.status().levels[1]?.untilMs).toBeNull();
  await write(history, [row(connection(1))]);
  await settle(history);
  for (let days = 0; days < 20; days++) {
    clock.pass(DAY / 2);
    await settle(history);
  }
  await write(history, [row(connection(1), { timestampMs: clock.nowMs })]);
  clock.pass(2 * MINUTE);
  await settle(history);
  expect(history.status().levels.map(({ untilMs }) => untilMs)).toEqual([
    Infinity,
    clock.nowMs - MINUTE,
    START_MS + 10 * DAY,
    START_MS + 9.5 * DAY,
  ]);
  expect(extent(path, "minute").parts).toBe(2);
  expectExactSums(path);
});

test("rows that come after their minute was folded are added to each level that has it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + 2 * DAY);
  const history = open(stack, folder, clock.options);
  const pick = numbers(2);
  const at = () => START_MS + pick(2 * DAY);
  await write(
    history,
    Array.from({ length: 3000 }, () => randomRow(pick, 500, at())),
  );
  await settle(history);
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 1200; index++) append(history, randomRow(pick, 800, at()));
    await history.writer.flush(10_000);
    expectExactSums(path);
    await settle(history);
    expectExactSums(path);
    expectSound(path);
  }
  using db = new Database(path, { readonly: true });
  expect(db.query("SELECT count(*) AS n FROM late").get()).toEqual({ n: 0 });
});

test("a clock that is set back by days makes every row late, and sums stay exact", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, clock.options);
  const pick = numbers(3);
  const run = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      await write(
        history,
        Array.from({ length: 300 }, () => randomRow(pick, 200, clock.nowMs + pick(MINUTE))),
      );
      clock.pass(MINUTE);
      history.folding.start();
    }
    await settle(history);
    expectExactSums(path);
  };
  await run(10);
  clock.set(START_MS - 5 * DAY);
  await run(10);
  clock.set(START_MS + 20 * MINUTE);
  await run(10);
  expectSound(path);
});

test("a clock that runs ahead for a moment does not make the rest late", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, clock.options);
  await write(history, [row(connection(1))]);
  clock.set(START_MS + 3650 * DAY);
  await settle(history);
  expect(history.status().levels[1]?.untilMs).toBeNull();
  clock.set(START_MS + 2 * MINUTE);
  await settle(history);
  expect(history.status().levels[1]?.untilMs).toBe(START_MS + MINUTE);
});

test("more conversations than fit in memory at a time are folded in several goes", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + 2 * DAY);
  const history = open(stack, folder, { ...clock.options, maxFoldEntries: 3000 });
  const pick = numbers(4);
  await write(
    history,
    Array.from({ length: 40_000 }, () =>
      randomRow(pick, 15_000, START_MS + pick(3) * MINUTE + pick(2) * HOUR),
    ),
  );
  await settle(history);
  expectExactSums(path);
  expectSound(path);
});

test.each([
  ["windows of ten seconds", {}],
  ["packets", { windowMs: 0 }],
] as [string, Partial<HistoryOptions>][])(
  "%s, restarts in the middle, gaps and rows of the past: sums are exact after each step",
  async (_name, changes) => {
    await using stack = new AsyncDisposableStack();
    const folder = temporaryFolder(stack);
    const path = join(folder, "traffic.db");
    const pick = numbers(5);
    const clock = new TestClock(START_MS);
    let written = 0;
    for (let round = 0; round < 8; round++) {
      const history = open(stack, folder, { ...clock.options, ...changes, maxFoldEntries: 400 });
      for (let step = 0; step < 3; step++) {
        for (let index = 0; index < 500; index++) {
          const past = pick(20) === 0 ? pick(3 * DAY) : pick(90_000);
          append(history, randomRow(pick, 1500, clock.nowMs - past));
        }
        written += 500;
        clock.pass(pick(4) === 0 ? pick(40) * HOUR : pick(3) * MINUTE);
        history.folding.start();
        if (pick(2) === 0) await Bun.sleep(pick(10));
      }
      await history.writer.flush(10_000);
      expect(droppedRows(history)).toBe(0);
      expectExactSums(path);
      // In the middle of folding, mostly.
      if (pick(3) !== 0) history.folding.start();
      await history.close();
      expectExactSums(path);
    }
    const history = open(stack, folder, { ...clock.options, ...changes });
    await settle(history);
    expectExactSums(path);
    expectSound(path);
    using db = new Database(path, { readonly: true });
    expect(db.query("SELECT count(*) AS n FROM rows").get()).toEqual({ n: written });
  },
);

test("rows are written while their minute is folded", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + HOUR);
  const history = open(stack, folder, clock.options);
  const pick = numbers(6);
  const more = () => randomRow(pick, 4000, START_MS + pick(3 * MINUTE));
  await write(history, Array.from({ length: 60_000 }, more));
  history.folding.start();
  while (!history.folding.isCaughtUp) {
    for (let index = 0; index < 200; index++) append(history, more());
    await Bun.sleep(1);
  }
  await until(() => history.status().queued === 0);
  await settle(history);
  expectExactSums(path);
  expectSound(path);
  expect(history.longestHoldMs()).toBeGreaterThan(0);
});
