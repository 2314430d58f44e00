import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { idMs, joinId } from "../../../src/history/rowid.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "../../../src/history/schema.ts";
import { schemaVersion } from "../../../src/history/migrations.ts";
import { connection, named, open, row, START_MS, temporaryFolder } from "./fixture.ts";
import {
  expectConversations,
  expectExactSums,
  expectSound,
  extent,
  settle,
  TestClock,
  write,
} from "./fold-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const HOUR = 3_600_000;
const ROWS = 500;

/** A file as version 2 left it, with a row every seven seconds from `START_MS` + 500 ms on. */
function makeVersion2(path: string, rows: number): void {
  const db = new Database(path);
  db.run("PRAGMA auto_vacuum = INCREMENTAL");
  for (const migration of MIGRATIONS.slice(0, 2)) db.run(migration);
  db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.run("PRAGMA user_version = 2");
  db.run("PRAGMA journal_mode = WAL");
  db.run("INSERT INTO interfaces VALUES(1, 'eth0')");
  db.run("INSERT INTO domains VALUES(5, 'example.org', 'gro.elpmaxe')");
  db.run("INSERT INTO conversations VALUES(1, x'0a000001', x'c0000201', 443, 6, 1, 5, 0)");
  db.run("INSERT INTO conversations VALUES(2, x'0a000002', x'c0000202', 53, 17, 1, 0, 0)");
  const insert = db.prepare("INSERT INTO rows VALUES(?, ?, 40000, 0, ?, 1, 100, 2, 2000, 27, ?, 0)");
  for (let index = 0; index < rows; index++) {
    const id = joinId(idMs(START_MS + 500 + index * 7000), index);
    insert.run(id, 1 + (index % 2), index % 3 === 0 ? 0 : 1, index % 2 === 0 ? null : 1_000_000 + index);
  }
  insert.finalize();
  db.close();
}

test("a file of version 2 is folded from its first row on", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  makeVersion2(path, ROWS);
  const clock = new TestClock(START_MS + 2 * HOUR);
  const history = open(stack, folder, clock.options);
  // What was deleted before is not known: no level answers for a bucket that the first row may not be the first of.
  expect(history.status().levels.map(({ sinceMs }) => sinceMs)).toEqual([
    START_MS + 500,
    START_MS + 60_000,
    START_MS + HOUR,
    START_MS + 12 * HOUR,
  ]);
  await settle(history);
  expectExactSums(path);
  expectSound(path);
  expect(extent(path, "minute")).toMatchObject({ firstMs: START_MS, parts: Math.ceil((ROWS * 7) / 60) });
  const again = connection(1, {
    client: Uint8Array.of(10, 0, 0, 1),
    server: Uint8Array.of(192, 0, 2, 1),
    naming: named("example.org"),
  });
  await write(history, [row(again, { timestampMs: START_MS })]);
  await settle(history);
  expectExactSums(path);
  expectConversations(path);
  await history.close();
  using db = new Database(path, { readonly: true });
  expect(schemaVersion(db)).toBe(SCHEMA_VERSION);
});

test("a file of version 2 without a row answers for everything", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  makeVersion2(join(folder, "traffic.db"), 0);
  const history = open(stack, folder);
  expect(history.status().levels.map(({ sinceMs }) => sinceMs)).toEqual([null, null, null, null]);
});
