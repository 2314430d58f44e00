import { expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { History } from "../../../src/history/history.ts";
import {
  append,
  connection,
  droppedRows,
  open,
  queryAll,
  row,
  START_MS,
  temporaryFolder,
  until,
} from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MIB = 1024 * 1024;

function count(path: string, table: string): number {
  using db = new Database(path, { readonly: true });
  return db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? -1;
}

async function settled(history: History): Promise<void> {
  history.retention.start();
  await history.retention.settled();
}

async function write(
  history: History,
  rows: number,
  make: (index: number) => ReturnType<typeof row>,
): Promise<void> {
  for (let from = 0; from < rows; from += 10_000) {
    for (let index = from; index < Math.min(rows, from + 10_000); index++) append(history, make(index));
    await until(() => history.status().queued === 0);
  }
}

test("rows older than the retention go, newer ones stay", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  let now = START_MS + 10_000;
  const history = open(stack, folder, { dataRetentionSeconds: 5, now: () => now });
  await write(history, 10_000, (index) => row(connection(index % 50), { timestampMs: START_MS + index }));
  await settled(history);
  const items = queryAll(history, {});
  expect(items).toHaveLength(5000);
  expect(items.at(-1)?.timestamp).toBe(START_MS + 5000);
  now += 60_000;
  await settled(history);
  expect(history.reader.query({ limit: 10 }).returned).toBe(0);
});

test("a retention of 0 keeps everything", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder, { now: () => START_MS + 1e12 });
  await write(history, 100, (index) => row(connection(index)));
  await settled(history);
  expect(count(join(folder, "traffic.db"), "rows")).toBe(100);
});

test("what only deleted rows used goes too, and the file shrinks", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  let now = START_MS;
  const history = open(stack, folder, { dataRetentionSeconds: 100, now: () => now });
  await write(history, 60_000, (index) =>
    row(connection(index % 30_000), { timestampMs: START_MS + index / 10 }),
  );
  const before = history.status().databaseBytes;
  expect(count(path, "conversations")).toBe(30_000);
  now += 1_000_000;
  const kept = connection(77);
  await write(history, 5000, (index) => row(kept, { timestampMs: now + index / 10 }));
  await settled(history);
  await until(() => history.status().databaseBytes < before / 3);
  expect(count(path, "rows")).toBe(5000);
  // The segment that was open when the last old rows came may still name some.
  expect(count(path, "conversations")).toBeLessThan(4100);
  expect(count(path, "segments")).toBeLessThan(4);
  expect(queryAll(history, { ip: "10.0.0.77" })).toHaveLength(5000);
  await history.close();
  using db = new Database(path, { readonly: true });
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

// The clock stands: nothing is folded, so that only rows can go.
test("the size cap holds under steady writing, and the newest rows are the ones kept", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const cap = 8 * MIB;
  const history = open(stack, folder, { maxDbSizeBytes: cap, now: () => START_MS });
  let largest = 0;
  for (let from = 0; from < 600_000; from += 2000) {
    for (let index = from; index < from + 2000; index++) {
      append(history, row(connection(index % 20_000), { timestampMs: START_MS + index, bytesSent: index }));
    }
    await until(() => history.status().queued < 10_000);
    largest = Math.max(largest, history.status().databaseBytes);
  }
  await history.writer.flush(10_000);
  await settled(history);
  expect(droppedRows(history)).toBe(0);
  expect(largest).toBeLessThan(cap * 1.05);
  expect(statSync(path).size).toBeGreaterThan(cap * 0.7);
  const rows = count(path, "rows");
  expect(rows).toBeGreaterThan(80_000);
  expect(history.reader.query({ limit: 1 }).items[0]?.bytes_sent).toBe(599_999);
  using db = new Database(path, { readonly: true });
  const oldest = db.query<{ n: number }, []>("SELECT min(bytes_sent) AS n FROM rows").get()?.n;
  expect(oldest).toBe(600_000 - rows);
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

test("a file larger than the cap is brought below it, also when conversations are most of it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const large = open(stack, folder);
  await write(large, 100_000, (index) => row(connection(index), { timestampMs: START_MS + index }));
  await large.close();
  expect(statSync(path).size).toBeGreaterThan(10 * MIB);
  const cap = 4 * MIB;
  const history = open(stack, folder, { maxDbSizeBytes: cap });
  await settled(history);
  await until(() => history.status().databaseBytes <= cap);
  await write(history, 10, (index) => row(connection(index), { timestampMs: START_MS + 200_000 }));
  expect(history.reader.query({ limit: 10 }).returned).toBe(10);
  await history.close();
  expect(statSync(path).size).toBeLessThanOrEqual(cap);
});
