import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { SqlConnection } from "../../../src/history/connection.ts";
import type { History, HistoryOptions } from "../../../src/history/history.ts";
import { readLevels } from "../../../src/history/levels.ts";
import { bucketOf } from "../../../src/history/rollup-block.ts";
import { RollupReader } from "../../../src/history/rollup-reader.ts";
import { ROLLUP_LEVELS, type RollupLevel } from "../../../src/history/rollup-types.ts";
import { idsBetween } from "../../../src/history/rowid.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { connection, open, row, START_MS, temporaryFolder } from "./fixture.ts";
import { expectConversations, expectSound, extent, settle, TestClock, write } from "./fold-fixture.ts";
import { numbers } from "./rows.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 * 1024;
/** Seconds of two hours, a day, a week, a month. */
const LEVEL_SECONDS = { raw: 7200, minute: 86_400, hour: 604_800, day: 2_592_000 };

/** Rows and bytes of a time. */
type Totals = Map<number, [rows: number, bytes: number]>;

function count(totals: Totals, key: number, rows: number, bytes: number): void {
  const [knownRows, knownBytes] = totals.get(key) ?? [0, 0];
  totals.set(key, [knownRows + rows, knownBytes + bytes]);
}

/** What was written, kept beside the database: what the levels must answer for where they say that they do. */
class Ledger {
  private readonly minutes: Totals = new Map();

  async write(history: History, rows: readonly HistoryRow[]): Promise<void> {
    for (const { timestampMs, bytesSent } of rows)
      count(this.minutes, bucketOf("minute", timestampMs), 1, bytesSent);
    await write(history, rows);
  }

  /** All that a level covers is there. */
  expectCovered(path: string): void {
    const db = new SqlConnection(new Database(path, { readonly: true }));
    try {
      const levels = readLevels(db);
      for (const level of ROLLUP_LEVELS) {
        const { floor, watermark } = levels[level];
        const found: Totals = new Map();
        for (const { bucketMs, columns } of new RollupReader(db).parts(level, floor, watermark)) {
          for (let index = 0; index < columns.length; index++) {
            const of = bucketOf(level, bucketMs);
            count(found, of, columns.rows[index] ?? 0, columns.bytesSent[index] ?? 0);
          }
        }
        const wanted = this.totals(level, floor, watermark);
        const differing = [...new Set([...found.keys(), ...wanted.keys()])].filter(
          (bucket) => found.get(bucket)?.join() !== wanted.get(bucket)?.join(),
        );
        const first = differing.slice(0, 2).map((bucket) => [bucket, found.get(bucket), wanted.get(bucket)]);
        expect([level, ...first, differing.length]).toEqual([level, 0]);
      }
      const { low } = idsBetween(Math.ceil(levels.raw.floor / MINUTE) * MINUTE, Infinity);
      const raw = db.query<{ n: number }, [bigint]>("SELECT count(*) AS n FROM rows WHERE id >= ?").get(low);
      const wanted = [
        ...this.totals("minute", Math.ceil(levels.raw.floor / MINUTE) * MINUTE, Infinity).values(),
      ];
      expect(raw?.n).toBe(wanted.reduce((sum, [rows]) => sum + rows, 0));
    } finally {
      db.close();
    }
  }

  private totals(level: RollupLevel, sinceMs: number, untilMs: number): Totals {
    const totals: Totals = new Map();
    for (const [minute, [rows, bytes]] of [...this.minutes].sort(([a], [b]) => a - b)) {
      const ms = minute * MINUTE;
      if (ms >= sinceMs && ms < untilMs) count(totals, bucketOf(level, ms), rows, bytes);
    }
    return totals;
  }
}

interface Run {
  folder: string;
  path: string;
  clock: TestClock;
  history: History;
  ledger: Ledger;
  /** Goes on for `steps` times `stepMs`, writing some rows in each. */
  pass: (steps: number, stepMs: number, rowsOfStep: number) => Promise<void>;
}

function start(stack: AsyncDisposableStack, changes: Partial<HistoryOptions>): Run {
  const folder = temporaryFolder(stack);
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, { ...clock.options, ...changes });
  const ledger = new Ledger();
  const pick = numbers(12);
  const pass = async (steps: number, stepMs: number, rowsOfStep: number) => {
    for (let step = 0; step < steps; step++) {
      await ledger.write(
        history,
        Array.from({ length: rowsOfStep }, () =>
          row(connection(pick(300)), { timestampMs: clock.nowMs + pick(stepMs), bytesSent: pick(5000) }),
        ),
      );
      clock.pass(stepMs);
    }
  };
  return { folder, path: join(folder, "traffic.db"), clock, history, ledger, pass };
}

test("each level is kept for its time, and says what it covers", async () => {
  await using stack = new AsyncDisposableStack();
  const { path, clock, history, ledger, pass } = start(stack, { levelSeconds: LEVEL_SECONDS });
  for (let days = 0; days < 45; days++) {
    await pass(days > 43 ? 96 : 4, days > 43 ? DAY / 96 : DAY / 4, 20);
    if (days % 3 !== 2) continue;
    await settle(history);
    ledger.expectCovered(path);
  }
  expectSound(path);
  const now = clock.nowMs;
  const page = history.reader.query({ limit: 1, untilMs: now - 2 * HOUR });
  expect([page.returned, history.reader.query({ limit: 1 }).returned]).toEqual([0, 1]);
  // A bucket is kept until all of it is too old.
  expect(extent(path, "minute").firstMs).toBeGreaterThan(now - DAY - MINUTE);
  expect(extent(path, "hour").firstMs).toBeGreaterThan(now - 7 * DAY - HOUR);
  expect(extent(path, "day").firstMs).toBeGreaterThan(now - 31 * DAY);
  for (const level of ROLLUP_LEVELS) {
    expect(extent(path, level).firstMs).toBeLessThan(now - LEVEL_SECONDS[level] * 900);
  }
  expect(history.status().levels.map(({ lost }) => lost)).toEqual([0, 0, 0, 0]);
});

test("nothing is deleted by the age of its level before the next one has it", async () => {
  await using stack = new AsyncDisposableStack();
  const { path, history, ledger, pass } = start(stack, {
    levelSeconds: { raw: 1, minute: 1, hour: 1, day: 0 },
  });
  await pass(1, 30_000, 100);
  await settle(history);
  using db = new Database(path, { readonly: true });
  const rows = db.query<{ n: number }, []>("SELECT count(*) AS n FROM rows");
  expect(rows.get()?.n).toBe(100);
  await pass(3, 30_000, 100);
  await settle(history);
  expect(rows.get()?.n).toBeGreaterThan(150);
  expect(extent(path, "minute").firstMs).toBe(START_MS);
  await pass(1, 2 * HOUR, 100);
  await settle(history);
  expect(extent(path, "minute").firstMs ?? Infinity).toBeGreaterThan(START_MS + HOUR - MINUTE);
  expect(extent(path, "hour").firstMs).toBe(START_MS);
  await pass(1, DAY, 100);
  await settle(history);
  expect(extent(path, "hour").firstMs).toBeGreaterThanOrEqual(START_MS + DAY / 2);
  expect(extent(path, "day")).toMatchObject({ parts: 1, firstMs: START_MS - DAY / 2 });
  ledger.expectCovered(path);
});

test("nothing of any level is kept for longer than data retention says", async () => {
  await using stack = new AsyncDisposableStack();
  const { path, clock, history, pass } = start(stack, {
    levelSeconds: { raw: 7200, minute: 0, hour: 604_800, day: 0 },
    dataRetentionSeconds: 172_800,
  });
  for (let step = 0; step < 20; step++) {
    await pass(6, HOUR, 50);
    await settle(history);
    for (const level of ROLLUP_LEVELS) {
      expect(extent(path, level).firstMs ?? Infinity).toBeGreaterThanOrEqual(clock.nowMs - 2 * DAY);
    }
  }
  expectSound(path);
  expectConversations(path);
  // Of minutes there is all of it, up to the second.
  const { sinceMs = 0 } = history.status().levels[1] ?? {};
  expect(clock.nowMs - (sinceMs ?? 0)).toBeGreaterThan(2 * DAY - HOUR);
});

test("within the largest size the oldest of the finest level goes first", async () => {
  await using stack = new AsyncDisposableStack();
  const cap = 2 * MIB;
  const { path, history, ledger, pass } = start(stack, { maxDbSizeBytes: cap });
  let largest = 0;
  for (let hours = 0; hours < 60; hours++) {
    await pass(6, 10 * MINUTE, 400);
    history.folding.start();
    largest = Math.max(largest, history.status().databaseBytes);
    if (hours % 20 !== 19) continue;
    await settle(history);
    ledger.expectCovered(path);
  }
  await settle(history);
  expect(largest).toBeLessThan(cap * 1.1);
  const [raw, minute, hour, day] = history.status().levels.map(({ sinceMs }) => sinceMs ?? -Infinity);
  expect(raw).toBeGreaterThan(minute ?? 0);
  expect(minute).toBeGreaterThan(START_MS);
  expect([hour, day]).toEqual([-Infinity, -Infinity]);
  expect(history.status().levels.map(({ lost }) => lost)).toEqual([0, 0, 0, 0]);
  expectSound(path);
  expectConversations(path);
});

test("a file that is far too large when it is opened is folded before its rows go", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const first = open(stack, folder, clock.options);
  const ledger = new Ledger();
  await ledger.write(
    first,
    Array.from({ length: 200_000 }, (_, index) =>
      row(connection(index % 50), { timestampMs: START_MS + index * 100 }),
    ),
  );
  await first.close();
  clock.pass(2 * DAY);
  const history = open(stack, folder, { ...clock.options, maxDbSizeBytes: 2 * MIB });
  await settle(history);
  expect(history.status().levels.map(({ lost }) => lost)).toEqual([0, 0, 0, 0]);
  ledger.expectCovered(path);
  expect(history.status().databaseBytes).toBeLessThan(2 * MIB);
});

test("where nothing is kept for as long as a bucket takes, no level claims what it never had", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, { ...clock.options, dataRetentionSeconds: 600 });
  // Minutes 5 and 35 have traffic; those in between pass in silence, and the first is gone by then.
  for (const minute of [5, 35]) {
    clock.set(START_MS + minute * MINUTE);
    await write(history, [row(connection(minute), { timestampMs: clock.nowMs })]);
    clock.pass(20 * MINUTE);
    await settle(history);
  }
  clock.pass(2 * HOUR);
  await settle(history);
  for (const { level, sinceMs } of history.status().levels) {
    expect([level, (sinceMs ?? -Infinity) > START_MS + 5 * MINUTE]).toEqual([level, true]);
  }
});
