import { expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { History } from "../../../src/history/history.ts";
import { migrate, schemaVersion } from "../../../src/history/migrations.ts";
import { joinId, idMs } from "../../../src/history/rowid.ts";
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from "../../../src/history/schema.ts";
import {
  append,
  connection,
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

function ids(path: string, table: "domains" | "details"): number[] {
  using db = new Database(path, { readonly: true });
  return db
    .query<{ id: number }, []>(`SELECT id FROM ${table} ORDER BY id`)
    .all()
    .map(({ id }) => id);
}

/** A file as version 1 left it: two conversations, one of them with a domain, and a row of each. */
function makeVersion1(path: string): void {
  const db = new Database(path);
  db.run("PRAGMA auto_vacuum = INCREMENTAL");
  db.run(MIGRATIONS[0] ?? "");
  db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.run("PRAGMA user_version = 1");
  db.run("PRAGMA journal_mode = WAL");
  db.run("INSERT INTO interfaces VALUES(1, 'eth0')");
  db.run("INSERT INTO domains VALUES(5, 'www.example.org'), (6, 'b\u00fccher.example')");
  db.run(`INSERT INTO conversations VALUES(1, x'0a000001', x'c0000201', 443, 6, 1, 5)`);
  db.run(`INSERT INTO conversations VALUES(2, x'0a000002', x'c0000202', 53, 17, 1, 0)`);
  const insert = db.prepare("INSERT INTO rows VALUES(?, ?, 40000, 0, 1, 1, 100, 2, 2000, 27, NULL, 0)");
  insert.run(joinId(idMs(START_MS), 1), 1);
  insert.run(joinId(idMs(START_MS), 2), 2);
  insert.finalize();
  const segment = db.prepare("INSERT INTO segments(id, first_id, last_id) VALUES(1, ?, ?)");
  segment.run(joinId(idMs(START_MS), 1), joinId(idMs(START_MS), 2));
  segment.finalize();
  db.close();
}

test("a file of version 1 is brought to the newest version with all that is in it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  makeVersion1(path);
  const history = open(stack, folder);
  const { items } = history.reader.query({ limit: 10 });
  expect(items.map((item) => [item.src_ip, item.dst_ip, item.dst_port, item.bytes_received])).toEqual([
    ["10.0.0.2", "192.0.2.2", 53, 2000],
    ["10.0.0.1", "192.0.2.1", 443, 2000],
  ]);
  expect(items.map((item) => item.domain)).toEqual([undefined, "www.example.org"]);
  expect(items.some((item) => "domain_source" in item || "ech" in item)).toBe(false);
  expect(queryAll(history, { domain: "*.example.org" })).toHaveLength(1);

  const again = connection(1, { client: Uint8Array.of(10, 0, 0, 2), server: Uint8Array.of(192, 0, 2, 2) });
  append(history, row({ ...again, serverPort: 53, protocol: 17 }));
  append(history, row(connection(9, { naming: named("b\u00fccher.example") })));
  await history.writer.flush(5000);
  expect(ids(path, "domains")).toEqual([5, 6]);
  await history.close();
  using db = new Database(path, { readonly: true });
  expect(schemaVersion(db)).toBe(SCHEMA_VERSION);
  expect(db.query("SELECT count(*) AS n FROM conversations").get()).toEqual({ n: 3 });
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

test("a migration that fails leaves version 1 as it was", () => {
  using stack = new DisposableStack();
  const path = join(temporaryFolder(stack), "traffic.db");
  makeVersion1(path);
  const db = new Database(path);
  db.run("CREATE TABLE details(mine)");
  expect(() => migrate(db)).toThrow("table details already exists");
  expect(schemaVersion(db)).toBe(1);
  expect(db.query("SELECT name FROM domains ORDER BY id").all()).toHaveLength(2);
  db.close();
});

test("what is known of a connection is kept once and shown with its rows", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  const naming = named("example.org", {
    alpn: ["h2", "http/1.1"],
    tlsVersion: "TLS 1.3",
    ja4: "t13d",
    ech: true,
  });
  for (let index = 0; index < 20; index++) append(history, row(connection(index, { naming })));
  append(history, row(connection(20, { naming: { ...naming, alpn: ["h2"] } })));
  append(history, row(connection(21)));
  await history.writer.flush(5000);
  const { items } = history.reader.query({ limit: 100 });
  const shown = ({ domain, domain_source, alpn, tls_version, ja4, ech }: (typeof items)[number]) => [
    domain,
    domain_source,
    alpn,
    tls_version,
    ja4,
    ech,
  ];
  expect(items.map(shown).slice(0, 3)).toEqual([
    [undefined, undefined, undefined, undefined, undefined, undefined],
    ["example.org", "sni", ["h2"], "TLS 1.3", "t13d", true],
    ["example.org", "sni", ["h2", "http/1.1"], "TLS 1.3", "t13d", true],
  ]);
  const path = join(folder, "traffic.db");
  expect([ids(path, "domains").length, ids(path, "details").length]).toEqual([1, 2]);
});

/** Writes a row of each of `count` names, then enough others that their segment is finished. */
async function writeNames(history: History, count: number, prefix: string, at: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const naming = named(`${prefix}${index}.example`, { ja4: `${prefix}${index}` });
    append(history, row(connection(index, { naming }), { timestampMs: at }));
  }
  for (let index = 0; index < 10_000; index++) {
    append(history, row(connection(index % 100), { timestampMs: at }));
  }
  await until(() => history.status().queued === 0);
}

test("names that no row has any more are deleted, and what is written later is named right", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  let now = START_MS;
  const history = open(stack, folder, { dataRetentionSeconds: 100, now: () => now });
  const settle = async () => {
    history.retention.start();
    await history.retention.settled();
  };
  const silent = connection(70_000, { naming: named("silent.example", { ja4: "silent" }) });
  append(history, row(silent, { timestampMs: now }));
  await writeNames(history, 5000, "old", now);
  expect(ids(path, "domains")).toHaveLength(5001);
  expect(ids(path, "details")).toHaveLength(5001);
  now += 200_000;
  await writeNames(history, 10, "new", now);
  await writeNames(history, 10, "new", now);
  await settle();
  expect(ids(path, "domains")).toHaveLength(10);
  expect(ids(path, "details")).toHaveLength(10);

  // The ids of what was deleted are free again; whoever still held one must not show another's name.
  await writeNames(history, 20, "late", now);
  append(history, row(silent, { timestampMs: now, bytesSent: 424_242 }));
  append(
    history,
    row(connection(3, { naming: named("old3.example") }), { timestampMs: now, bytesSent: 434_343 }),
  );
  await history.writer.flush(5000);
  const [renamed, kept] = history.reader.query({ limit: 2 }).items;
  expect([renamed?.bytes_sent, renamed?.domain]).toEqual([434_343, "old3.example"]);
  expect([kept?.bytes_sent, kept?.domain, kept?.ja4]).toEqual([424_242, "silent.example", "silent"]);
  expect(queryAll(history, { domain: "*.example" })).toHaveLength(42);
  now += 200_000;
  await writeNames(history, 0, "", now);
  await writeNames(history, 0, "", now);
  await settle();
  // The segment that was open when the last of them came may still name some.
  expect(ids(path, "domains").length).toBeLessThan(5);
  expect(ids(path, "details").length).toBeLessThan(5);
  await history.close();
  using db = new Database(path, { readonly: true });
  expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});

test("names without end do not make the file grow without end", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const cap = 12 * 1024 * 1024;
  const history = open(stack, folder, { maxDbSizeBytes: cap, now: () => START_MS });
  let largest = 0;
  for (let from = 0; from < 45_000; from += 1000) {
    for (let index = from; index < from + 1000; index++) {
      const naming = named(`${"x".repeat(60)}${index}.example`, { ja4: `hostile${index}` });
      append(history, row(connection(index % 500, { naming }), { timestampMs: START_MS + index }));
    }
    await until(() => history.status().queued < 5000);
    largest = Math.max(largest, statSync(path).size);
  }
  await until(() => history.status().queued === 0);
  history.retention.start();
  await history.retention.settled();
  // At full speed the file can be some pages over before what is deleted makes room.
  expect(largest).toBeLessThan(cap * 1.1);
  expect(statSync(path).size).toBeLessThanOrEqual(cap);
  const [newest] = queryAll(history, { sinceMs: START_MS + 44_999 });
  expect(newest?.domain).toBe(`${"x".repeat(60)}44999.example`);
  using db = new Database(path, { readonly: true });
  const broken = `SELECT count(*) AS n FROM conversations AS c LEFT JOIN domains AS d ON d.id = c.domain_id
    LEFT JOIN details AS t ON t.id = c.detail_id WHERE d.id IS NULL OR t.id IS NULL OR substr(t.ja4, 8) <> substr(d.name, 61, length(t.ja4) - 7)`;
  expect(db.query(broken).get()).toEqual({ n: 0 });
  expect(ids(path, "domains").length).toBeLessThan(30_000);
});

test("a rolled back slice leaves no name behind that is not there", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack));
  append(history, row(connection(1, { naming: named("lost.example", { ja4: "lost" }) })));
  append(history, row(connection(2), { bytesSent: Number.NaN }));
  await until(() => history.status().failing !== null);
  append(history, row(connection(3, { naming: named("kept.example", { ja4: "kept" }) })));
  append(history, row(connection(4, { naming: named("lost.example", { ja4: "lost" }) })));
  await until(() => history.status().queued === 0);
  const { items } = history.reader.query({ limit: 10 });
  expect(items.map(({ domain, ja4 }) => [domain, ja4])).toEqual([
    ["lost.example", "lost"],
    ["kept.example", "kept"],
  ]);
});
