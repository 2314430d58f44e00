import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { connection, open, recordingLogger, row, START_MS, temporaryFolder } from "./fixture.ts";
import { expectExactSums, extent, randomRow, settle, TestClock, write } from "./fold-fixture.ts";
import { numbers } from "./rows.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("while the disk is another's, folding waits and goes on", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, clock.options);
  const pick = numbers(7);
  await write(
    history,
    Array.from({ length: 5000 }, () => randomRow(pick, 3000, START_MS + pick(5 * MINUTE))),
  );
  clock.pass(HOUR);
  const other = new Database(path);
  stack.defer(() => other.close());
  other.run("BEGIN IMMEDIATE");
  await settle(history);
  expect(extent(path, "minute").parts).toBe(0);
  // From the first row on to the last minute that is over by a window and fifteen seconds.
  expect(history.status().foldingLagSeconds).toBeGreaterThan(58 * 60);
  other.run("COMMIT");
  await settle(history);
  expect(history.status().foldingLagSeconds).toBe(0);
  expectExactSums(path);
  expect(extent(path, "minute").parts).toBeGreaterThan(4);
});

test("a part that is damaged costs itself, and is told", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS + 3 * MINUTE);
  const log = recordingLogger();
  const history = open(stack, folder, { ...clock.options, log });
  await write(history, [row(connection(1)), row(connection(2), { timestampMs: START_MS + MINUTE })]);
  await settle(history);
  const other = new Database(path);
  other.run("UPDATE rollups SET data = x'ff' WHERE id = (SELECT min(id) FROM rollups)");
  other.close();
  clock.pass(DAY);
  await settle(history);
  expect(log.lines).toContain(
    `history: the minute of ${new Date(START_MS).toISOString()} is damaged in the database (rows); it is left out of the sums`,
  );
  expect(history.status().levels[3]?.untilMs).toBe(START_MS + 12 * HOUR);
  const late = row(connection(1), { timestampMs: START_MS });
  await write(history, [late]);
  await settle(history);
  expect(log.lines.at(-1)).toContain("it is replaced by what is folded into it now");
});
