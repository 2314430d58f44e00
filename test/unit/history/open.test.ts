import { expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { AyaflowError } from "../../../src/errors.ts";
import { openHistory } from "../../../src/history/history.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "../../../src/history/schema.ts";
import { append, connection, open, options, row, temporaryFolder } from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

function hashes(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

/** Opens the folder's database; the error it is refused with. Nothing in the folder may change. */
function refusal(folder: string): string {
  const before = hashes(folder);
  let message = "";
  try {
    void openHistory(options(folder)).close();
  } catch (error) {
    expect(error).toBeInstanceOf(AyaflowError);
    message = (error as AyaflowError).message;
  }
  expect(hashes(folder)).toEqual(before);
  return message;
}

async function filled(folder: string, rows: number): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, folder);
  for (let index = 0; index < rows; index++) append(history, row(connection(index)));
  await history.writer.flush(10_000);
  return join(folder, "traffic.db");
}

test("makes the folder, the file and what is in it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = join(temporaryFolder(stack), "var", "ayaflow");
  const history = open(stack, folder);
  expect(statSync(folder).mode & 0o777).toBe(0o750);
  expect(statSync(join(folder, "traffic.db")).mode & 0o777).toBe(0o640);
  await history.close();
  const db = new Database(join(folder, "traffic.db"), { readonly: true });
  const pragma = (name: string) => Object.values(db.query(`PRAGMA ${name}`).get() as object)[0];
  expect(pragma("application_id")).toBe(APPLICATION_ID);
  expect(pragma("user_version")).toBe(SCHEMA_VERSION);
  expect(pragma("auto_vacuum")).toBe(2);
  expect(pragma("journal_mode")).toBe("wal");
  db.close();
});

test("opens what it wrote, again and again", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  for (let round = 1; round <= 3; round++) {
    const path = await filled(folder, 10);
    const reader = createHistoryReader(path);
    expect(reader.query({ limit: 1000 }).returned).toBe(10 * round);
    reader.close();
  }
});

test.each([
  ["garbage", Buffer.from("not a database at all".repeat(1000)), "it is not a SQLite database"],
  ["a few bytes", Buffer.from("SQLite"), "it is not a SQLite database"],
])("refuses %s and leaves it alone", (_name, bytes, problem) => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  writeFileSync(join(folder, "traffic.db"), bytes);
  expect(refusal(folder)).toBe(
    `history database ${folder}/traffic.db: ${problem}. The file is left as it is: move it away, or give another file with --db-path`,
  );
});

test("refuses a database of the original AyaFlow, or of anybody else", () => {
  using stack = new DisposableStack();
  for (const [table, problem] of [
    ["packets", "it is a database of the original AyaFlow (table packets)"],
    ["moz_places", "it belongs to another application (application_id 0)"],
  ] as const) {
    const folder = temporaryFolder(stack);
    const db = new Database(join(folder, "traffic.db"));
    db.run("PRAGMA journal_mode = WAL");
    db.run(`CREATE TABLE ${table}(id INTEGER PRIMARY KEY, src_ip TEXT NOT NULL)`);
    db.close();
    expect(refusal(folder)).toContain(problem);
  }
});

test("refuses a newer version", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 10);
  const db = new Database(path);
  db.run(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  db.close();
  expect(refusal(folder)).toContain(
    `it was written by a newer AyaFlow (schema ${SCHEMA_VERSION + 1}, this one knows ${SCHEMA_VERSION})`,
  );
});

test("refuses a newer version that only the WAL tells of", async () => {
  using stack = new DisposableStack();
  const [source, folder] = [temporaryFolder(stack), temporaryFolder(stack)];
  const path = await filled(source, 10);
  const db = new Database(path);
  db.run("PRAGMA wal_autocheckpoint = 0");
  db.run(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  for (const suffix of ["", "-wal", "-shm"]) {
    copyFileSync(`${path}${suffix}`, join(folder, `traffic.db${suffix}`));
  }
  db.close();
  const before = hashes(folder);
  expect(() => openHistory(options(folder))).toThrow("written by a newer AyaFlow");
  const after = hashes(folder);
  expect(after["traffic.db"]).toBe(before["traffic.db"]);
  expect(after["traffic.db-wal"]).toBe(before["traffic.db-wal"]);
});

test("refuses a file that was cut short", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 5000);
  truncateSync(path, statSync(path).size - 4096);
  expect(refusal(folder)).toContain("it is broken (");
});

test("refuses a file with damaged pages", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 5000);
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 8192, bytes.length - 4096);
  writeFileSync(path, bytes);
  expect(refusal(folder)).toContain("it is broken (");
});

test("refuses a file without its tables", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 1);
  const db = new Database(path);
  db.run("DROP TABLE segments");
  db.close();
  expect(refusal(folder)).toContain("it is broken (no table segments)");
});

test("refuses a folder in place of the file", () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  mkdirSync(join(folder, "traffic.db"));
  expect(() => openHistory(options(folder))).toThrow("it is not a regular file");
});

test("says when the folder cannot be made", () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  writeFileSync(join(folder, "file"), "");
  const path = join(folder, "file", "traffic.db");
  expect(() => openHistory({ ...options(folder), path })).toThrow(
    `history database ${path}: it cannot be reached`,
  );
});

test("refuses a second agent, in another process", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 1);
  const holder = Bun.spawn(["flock", "--exclusive", "--no-fork", path, "sh", "-c", "echo held; exec cat"], {
    stdin: "pipe",
    stdout: "pipe",
  });
  stack.defer(async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  });
  await holder.stdout.getReader().read();
  expect(refusal(folder)).toBe(
    `history database ${path}: another agent is using it. Stop that one, or give this one its own file with --db-path`,
  );
  holder.kill("SIGKILL");
  await holder.exited;
  await filled(folder, 1);
});

test("an agent keeps its lock until it has closed, and SQLite its own", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  const path = join(folder, "traffic.db");
  const tryLock = () => Bun.spawnSync(["flock", "--nonblock", path, "true"]).exitCode;
  expect(tryLock()).toBe(1);
  // Another process that could take SQLite's locks would delete the WAL as it closes.
  Bun.spawnSync([
    process.execPath,
    "-e",
    `new (require("bun:sqlite").Database)("${path}").query("SELECT count(*) FROM rows").get()`,
  ]);
  expect(readdirSync(folder).sort()).toEqual(["traffic.db", "traffic.db-shm", "traffic.db-wal"]);
  await history.close();
  expect(tryLock()).toBe(0);
  expect(readdirSync(folder)).toEqual(["traffic.db"]);
});

test("others read while the agent writes", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  append(history, row(connection(1)));
  await history.writer.flush(1000);
  const reader = createHistoryReader(join(folder, "traffic.db"));
  expect(reader.query({ limit: 10 }).returned).toBe(1);
  append(history, row(connection(2)));
  await history.writer.flush(1000);
  expect(reader.query({ limit: 10 }).returned).toBe(2);
  reader.close();
});

test("a mode given by hand stays", async () => {
  using stack = new DisposableStack();
  const folder = temporaryFolder(stack);
  const path = await filled(folder, 1);
  chmodSync(path, 0o600);
  await filled(folder, 1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("says so when the file is taken away under it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const history = open(stack, folder);
  expect(history.status().failing).toBeNull();
  renameSync(join(folder, "traffic.db"), join(folder, "elsewhere.db"));
  expect(history.status().failing).toContain("was moved, replaced or deleted");
  renameSync(join(folder, "elsewhere.db"), join(folder, "traffic.db"));
  expect(history.status().failing).toBeNull();
});
