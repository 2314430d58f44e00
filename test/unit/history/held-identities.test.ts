import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import {
  append,
  connection,
  droppedRows,
  named,
  open,
  queryAll,
  row,
  START_MS,
  temporaryFolder,
  until,
} from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

test("what a failed slice stored of a held identity is stored again", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack));
  const { writer } = history;
  const identity = writer.identities.open(connection(1, { naming: named("example.org") }), 4);
  writer.appendOf(identity, row(connection(0)));
  append(history, row(connection(2), { bytesSent: Number.NaN }));
  await until(() => history.status().failing !== null);
  expect(writer.identities.conversation[identity]).toBe(0);
  writer.appendOf(identity, row(connection(0), { bytesSent: 7 }));
  await until(() => history.status().queued === 0);
  const items = queryAll(history, { ip: "10.0.0.1" });
  expect(items.map(({ bytes_sent, domain }) => [bytes_sent, domain])).toEqual([[7, "example.org"]]);
});

test("a row is accepted exactly while the queue has room, and refused rows are counted", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack), { queueCapacity: 2 });
  const { writer } = history;
  const accounted = () => history.status().rowsWritten + droppedRows(history) + history.status().queued;
  const identity = writer.identities.open(connection(1), 4);
  const accepted: boolean[] = [];
  for (let index = 0; index < 4; index++) {
    accepted.push(writer.accepts);
    if (writer.accepts) writer.appendOf(identity, row(connection(0)));
    else writer.refuse();
  }
  expect(accepted).toEqual([true, true, false, false]);
  expect(history.status().rowsDropped).toMatchObject({ queue_full: 2 });
  await until(() => history.status().queued === 0);
  expect([writer.accepts, accounted()]).toEqual([true, 4]);
  writer.close();
  expect([writer.accepts, writer.refuse(), accounted()]).toEqual([false, false, 5]);
  expect(history.status().rowsDropped).toMatchObject({ shutdown: 1 });
});

test("held through the deletion of its conversation an identity gets a new one, others keep theirs", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  let now = START_MS;
  const history = open(stack, folder, { dataRetentionSeconds: 100, now: () => now });
  const { identities } = history.writer;
  const silent = identities.open(connection(500_000), 4);
  const busy = identities.open(connection(600_000), 4);
  const appendOf = (identity: number, bytesSent: number) =>
    history.writer.appendOf(identity, row(connection(0), { timestampMs: now, bytesSent }));
  const fill = async (rows: number) => {
    for (let index = 0; index < rows; index++) {
      append(history, row(connection(index % 100), { timestampMs: now }));
    }
    appendOf(busy, 7);
    await until(() => history.status().queued === 0);
  };
  appendOf(silent, 1);
  await fill(20_000);
  const [first, kept] = [identities.conversation[silent] ?? 0, identities.conversation[busy]];
  now += 60_000;
  await fill(20_000);
  now += 60_000;
  await fill(20_000);
  history.retention.start();
  await history.retention.settled();
  using db = new Database(path, { readonly: true });
  expect(db.query("SELECT id FROM conversations WHERE id = ?").get(first)).toBeNull();
  appendOf(silent, 424_242);
  appendOf(silent, 434_343);
  await fill(20_000);
  expect(identities.conversation[silent]).toBeGreaterThan(first);
  expect(identities.conversation[busy]).toBe(kept ?? -1);
  const items = queryAll(history, { ip: "10.7.161.32" });
  expect(items.map((item) => item.bytes_sent)).toEqual([434_343, 424_242]);
  expect(queryAll(history, { ip: "10.9.39.192" })).toHaveLength(3);
});
