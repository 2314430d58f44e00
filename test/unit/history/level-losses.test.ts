import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { SqlConnection } from "../../../src/history/connection.ts";
import { LevelTable } from "../../../src/history/levels.ts";
import { PartRetention } from "../../../src/history/part-retention.ts";
import { createQuestions } from "../../../src/history/questions.ts";
import { RollupParts } from "../../../src/history/rollup-parts.ts";
import { RollupReader } from "../../../src/history/rollup-reader.ts";
import { ROLLUP_LEVELS } from "../../../src/history/rollup-types.ts";
import { MIGRATIONS } from "../../../src/history/schema.ts";
import { append, connection, droppedRows, open, row, START_MS, temporaryFolder, until } from "./fixture.ts";
import { settle, TestClock, write } from "./fold-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 * 1024;

interface Summed {
  rows: number;
  levels: string[];
  notes: string[];
}

/** Rows of a sum, the levels they were read from, and what the answer says of it. */
async function sumOf(path: string, sinceMs: number, untilMs: number): Promise<Summed> {
  const questions = createQuestions(path);
  try {
    const { total, parts, notes } = await questions.ask({
      sinceMs,
      untilMs,
      filter: null,
      groupBy: [],
      order: "bytes",
      limit: 1,
    });
    return { rows: total.sums.rows, levels: parts.map(({ level }) => level), notes };
  } finally {
    questions.close();
  }
}

function incompleteNote(sinceMs: number, untilMs: number): string {
  const [since, end] = [sinceMs, untilMs].map((ms) => new Date(ms).toISOString());
  return (
    `between ${since} and ${end} history was deleted for want of space before it was added up: ` +
    "sums of that time can be too small; give --max-db-size more room"
  );
}

test("where there is no room for what is not folded yet, the oldest of it goes and is counted", async () => {
  await using stack = new AsyncDisposableStack();
  const cap = 4 * MIB;
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, { ...clock.options, maxDbSizeBytes: cap });
  for (let from = 0; from < 200_000; from += 2000) {
    for (let index = from; index < from + 2000; index++) {
      append(history, row(connection(index % 500), { timestampMs: START_MS + Math.floor(index / 10) }));
    }
    await until(() => history.status().queued < 5000);
  }
  await until(() => history.status().queued === 0);
  await settle(history);
  const db = new Database(path, { readonly: true });
  stack.defer(() => db.close());
  const rows = db.query<{ n: number }, []>("SELECT count(*) AS n FROM rows").get()?.n ?? 0;
  const [raw, minute] = history.status().levels;
  expect(minute?.lost).toBeGreaterThan(50_000);
  expect(rows + (minute?.lost ?? 0)).toBe(200_000);
  expect(droppedRows(history)).toBe(0);
  // Nothing but what was lost is deleted yet.
  const goneMs = raw?.sinceMs ?? 0;
  expect(goneMs).toBeGreaterThan(START_MS);
  clock.pass(HOUR);
  await settle(history);
  let folded = 0;
  const parts = new RollupReader(new SqlConnection(db)).parts("minute", -Infinity, Infinity);
  for (const { columns } of parts) {
    for (let index = 0; index < columns.length; index++) folded += columns.rows[index] ?? 0;
  }
  const lost = history.status().levels[1]?.lost ?? 0;
  expect(folded + lost).toBe(200_000);
  const notes = [incompleteNote(START_MS, goneMs)];
  const minuteSum = { rows: folded, levels: ["minute"], notes };
  expect(await sumOf(path, START_MS, START_MS + MINUTE)).toEqual(minuteSum);
  expect(await sumOf(path, START_MS + MINUTE, START_MS + 2 * MINUTE)).toEqual({
    rows: 0,
    levels: ["minute"],
    notes: [],
  });
  clock.pass(HOUR);
  await settle(history);
  expect(await sumOf(path, START_MS, START_MS + HOUR)).toEqual({ ...minuteSum, levels: ["hour"] });
  clock.pass(DAY);
  await settle(history);
  const dayMs = START_MS - DAY / 2;
  expect(await sumOf(path, dayMs, dayMs + DAY)).toEqual({ ...minuteSum, levels: ["day"] });
  expect(history.status().levels.map((level) => level.lost)).toEqual([0, lost, 0, 0]);
});

test("where minutes had to go before there was their hour, the sums of that hour say so", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const first = open(stack, folder, clock.options);
  await write(
    first,
    Array.from({ length: 40 }, (_, index) => row(connection(1), { timestampMs: START_MS + index * MINUTE })),
  );
  clock.pass(45 * MINUTE);
  await settle(first);
  await first.close();
  const db = new SqlConnection(new Database(path));
  const levels = new LevelTable(db);
  const parts = new RollupParts(db, levels, (error) => {
    throw error;
  });
  expect(new PartRetention(levels, parts).deleteUnfolded()).toBe(true);
  const left = levels.read().minute.parts;
  db.close();
  expect(left).toBeLessThan(40);
  const goneMs = START_MS + (40 - left) * MINUTE;
  clock.pass(HOUR);
  const history = open(stack, folder, clock.options);
  await settle(history);
  expect(history.status().levels).toMatchObject([
    { lost: 0, sinceMs: null },
    { lost: 0, sinceMs: goneMs },
    { lost: 40 - left, sinceMs: null, incomplete: { sinceMs: START_MS, untilMs: goneMs } },
    { lost: 0, sinceMs: null, incomplete: { sinceMs: START_MS, untilMs: goneMs } },
  ]);
  expect(await sumOf(path, START_MS, START_MS + HOUR)).toEqual({
    rows: left,
    levels: ["hour"],
    notes: [incompleteNote(START_MS, goneMs)],
  });
  expect((await sumOf(path, goneMs, START_MS + HOUR)).notes).toEqual([]);
});

test("a loss that a level no longer reaches back to is forgotten with the next one", () => {
  using file = new Database(":memory:");
  for (const migration of MIGRATIONS) file.run(migration);
  const levels = new LevelTable(new SqlConnection(file));
  const incomplete = () => ROLLUP_LEVELS.map((level) => levels.read()[level].incomplete);
  levels.lose("minute", { count: 5, sinceMs: 1000, untilMs: 2000 });
  levels.lose("minute", { count: 5, sinceMs: 3000, untilMs: 4000 });
  const both = { sinceMs: 1000, untilMs: 4000 };
  expect(incomplete()).toEqual([both, both, both]);
  levels.raiseFloor("minute", 4000);
  expect(incomplete()).toEqual([null, both, both]);
  levels.lose("minute", { count: 5, sinceMs: 8000, untilMs: 9000 });
  const all = { sinceMs: 1000, untilMs: 9000 };
  expect(incomplete()).toEqual([{ sinceMs: 8000, untilMs: 9000 }, all, all]);
  expect(levels.read().minute.lost).toBe(15);
});
