import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { History } from "../../../src/history/history.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import {
  append,
  connection,
  droppedRows,
  named,
  open,
  queryAll,
  recordingLogger,
  row,
  START_MS,
  temporaryFolder,
  until,
} from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

/** Rows appended = written + dropped + queued. */
function accounted(history: History): number {
  const { rowsWritten, queued } = history.status();
  return rowsWritten + droppedRows(history) + queued;
}

/** Rows of the database, seen from outside. */
function storedRows(path: string): number {
  using db = new Database(path, { readonly: true });
  return db.query<{ n: number }, []>("SELECT count(*) AS n FROM rows").get()?.n ?? -1;
}

test("writes by itself, without being flushed", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack));
  for (let index = 0; index < 5000; index++) append(history, row(connection(index % 100)));
  await until(() => history.status().queued === 0);
  expect(history.status()).toMatchObject({ rowsWritten: 5000, failing: null });
  expect(history.reader.query({ limit: 1000 }).returned).toBe(1000);
});

test("counts what a full queue cannot take", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack), { queueCapacity: 1000 });
  const taken = Array.from({ length: 1500 }, (_, index) => append(history, row(connection(index))));
  expect(taken.filter(Boolean).length).toBe(1000);
  expect(history.status()).toMatchObject({ queued: 1000, queueCapacity: 1000, rowsWritten: 0 });
  expect(history.status().rowsDropped).toMatchObject({ queue_full: 500 });
  expect(accounted(history)).toBe(1500);
  await history.writer.flush(5000);
  expect(history.status()).toMatchObject({ queued: 0, rowsWritten: 1000 });
  expect(accounted(history)).toBe(1500);
});

test("a flush without time drops and counts what is left", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack));
  for (let index = 0; index < 500; index++) append(history, row(connection(index)));
  await history.writer.flush(0);
  expect(history.status()).toMatchObject({ queued: 0, rowsWritten: 0 });
  expect(history.status().rowsDropped).toMatchObject({ shutdown: 500 });
});

test("rows that come after the end are counted too", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  append(history, row(connection(1)));
  history.writer.close();
  expect(append(history, row(connection(1)))).toBe(false);
  expect(history.writer.status().rowsDropped).toMatchObject({ shutdown: 2 });
  await history.close();
  expect(storedRows(join(folder, "traffic.db"))).toBe(0);
});

test("connections of the same conversation share its row", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  const connections = [40_001, 40_002, 40_003].map((clientPort) => connection(1, { clientPort }));
  for (const each of connections) append(history, row(each));
  append(history, row(connection(1, { naming: named("example.org") })));
  append(history, row(connection(1, { naming: named("example.org", { ja4: "t13d" }) })));
  append(history, row(connection(1, { interface: "eth1" })));
  await history.writer.flush(5000);
  using db = new Database(join(folder, "traffic.db"), { readonly: true });
  expect(db.query<{ n: number }, []>("SELECT count(*) AS n FROM conversations").get()?.n).toBe(4);
});

test("more rows of one millisecond than ids are all kept, also after a restart", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const packet = { kind: "packet", timestampMs: START_MS + 0.5 } as const;
  for (let round = 0; round < 3; round++) {
    const history = open(stack, folder);
    for (let index = 0; index < 5000; index++) {
      append(history, row(connection(1)));
      append(history, row(connection(1), packet));
    }
    await history.writer.flush(10_000);
    expect(history.status()).toMatchObject({ rowsWritten: 10_000, failing: null });
    await history.close();
  }
  expect(storedRows(join(folder, "traffic.db"))).toBe(30_000);
});

test("a row that cannot be stored costs its slice, not the rest", async () => {
  await using stack = new AsyncDisposableStack();
  const log = recordingLogger();
  const history = open(stack, temporaryFolder(stack), { log });
  const early = connection(1);
  append(history, row(early));
  append(history, row(connection(2), { bytesSent: Number.NaN }));
  await until(() => history.status().failing !== null);
  expect(history.status().rowsDropped).toMatchObject({ write_error: 2 });
  expect(history.status().failing).toContain("write error: ");
  const late = connection(3);
  for (let index = 0; index < 100; index++) {
    append(history, row(early, { bytesSent: 7 }));
    append(history, row(late, { bytesSent: 8 }));
  }
  await until(() => history.status().queued === 0);
  expect(history.status()).toMatchObject({ rowsWritten: 200, failing: null });
  expect(accounted(history)).toBe(202);
  const items = queryAll(history, { ip: "10.0.0.1" });
  expect(items.every((item) => item.bytes_sent === 7)).toBe(true);
  expect(items).toHaveLength(100);
  expect(queryAll(history, { ip: "10.0.0.2" })).toHaveLength(0);
  expect(log.lines.length).toBe(2);
});

test("while another process writes, rows wait", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  const other = new Database(join(folder, "traffic.db"));
  stack.defer(() => other.close());
  other.run("BEGIN IMMEDIATE");
  for (let index = 0; index < 3000; index++) append(history, row(connection(index)));
  await until(() => history.status().failing !== null);
  expect(history.status()).toMatchObject({ queued: 3000, rowsWritten: 0 });
  other.run("COMMIT");
  await until(() => history.status().queued === 0);
  expect(history.status()).toMatchObject({ rowsWritten: 3000, failing: null });
  expect(droppedRows(history)).toBe(0);
});

test("a flush tries once more what could not be written", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  const other = new Database(join(folder, "traffic.db"));
  stack.defer(() => other.close());
  other.run("BEGIN IMMEDIATE");
  for (let index = 0; index < 300; index++) append(history, row(connection(index)));
  await until(() => history.status().failing !== null);
  other.run("COMMIT");
  await history.writer.flush(5000);
  expect(history.status()).toMatchObject({ rowsWritten: 300, queued: 0, failing: null });
  other.run("BEGIN IMMEDIATE");
  for (let index = 0; index < 300; index++) append(history, row(connection(index)));
  await history.writer.flush(5000);
  other.run("COMMIT");
  expect(history.status()).toMatchObject({ rowsWritten: 300, queued: 0 });
  expect(history.status().rowsDropped).toMatchObject({ write_error: 300 });
});

test("a reader that holds the WAL back harms nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  // A small cap makes checkpoints frequent.
  const history = open(stack, folder, { maxDbSizeBytes: 64 * 1024 * 1024 });
  const write = async () => {
    for (let index = 0; index < 60_000; index++) append(history, row(connection(index % 500)));
    await until(() => history.status().queued === 0);
  };
  await write();
  const holder = new Database(path, { readonly: true });
  holder.run("BEGIN");
  const count = holder.query<{ n: number }, []>("SELECT count(*) AS n FROM rows");
  const before = count.get()?.n;
  await write();
  await write();
  expect(count.get()?.n).toBe(before ?? -1);
  holder.run("COMMIT");
  holder.close();
  await write();
  expect(history.status()).toMatchObject({ rowsWritten: 240_000, failing: null });
  await history.close();
  using db = new Database(path, { readonly: true });
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  expect(storedRows(path)).toBe(240_000);
});

test("a killed writer leaves a sound file, which the next one goes on with", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  let reported = 0;
  for (let round = 0; round < 10; round++) {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "writing-child.ts"), path], {
      stdout: "pipe",
      stderr: "inherit",
    });
    // Killed at another moment each time, after at least one report of rows written.
    let text = "";
    let reports = 0;
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk);
      reports = text.split("\n").length - 1;
      if (reports > round) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    reported += Number(text.split("\n")[reports - 1]);
    using db = new Database(path, { readonly: true });
    expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(storedRows(path)).toBeGreaterThanOrEqual(reported);
    reported = storedRows(path);
  }
  const history = open(stack, folder);
  const found = { newest: 0, byServer: 0 };
  for (const [key, filter] of [
    ["newest", {}],
    ["byServer", { ip: "192.0.2.0/24", port: 443 }],
  ] as const) {
    let cursor: string | null = null;
    do {
      const page = history.reader.query({ limit: 1000, ...filter, ...(cursor === null ? {} : { cursor }) });
      found[key] += page.returned;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }
  expect(found).toEqual({ newest: reported, byServer: reported });
});

test("damage that is only met while writing stops history for good", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const first = open(stack, folder, { queueCapacity: 300_000 });
  for (let index = 0; index < 300_000; index++) append(first, row(connection(index % 10)));
  await first.writer.flush(20_000);
  await first.close();
  const root = "SELECT rootpage FROM sqlite_schema WHERE name = 'conversations_key'";
  const page =
    new Database(path, { readonly: true }).query<{ rootpage: number }, []>(root).get()?.rootpage ?? 0;
  const bytes = readFileSync(path);
  bytes.fill(0xa5, (page - 1) * 4096, page * 4096);
  writeFileSync(path, bytes);

  const history = open(stack, folder);
  for (let index = 0; index < 10; index++) append(history, row(connection(index)));
  await until(() => history.status().failing !== null);
  expect(history.status().failing).toStartWith(`damaged database: ${path}: `);
  expect(append(history, row(connection(1)))).toBe(false);
  expect(history.status()).toMatchObject({ queued: 0, rowsWritten: 0 });
  expect(history.status().rowsDropped).toMatchObject({ write_error: 11 });
});

test("reading a file that is not there says so", () => {
  expect(() => createHistoryReader("/nonexistent/traffic.db")).toThrow(
    "history database /nonexistent/traffic.db: cannot be read",
  );
});
