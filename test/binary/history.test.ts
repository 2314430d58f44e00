/** `ayaflow history` and `ayaflow stats` as a user runs them, on databases in every state. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { chmod, cp, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { History } from "../../src/history/history.ts";
import { APPLICATION_ID, MIGRATIONS } from "../../src/history/schema.ts";
import { BINARY } from "../lab/support/agent.ts";
import { exec, type ExecResult } from "../lab/support/process.ts";
import { append, connection, named, open, row, temporaryFolder } from "../unit/history/fixture.ts";

const ROWS = 300;
const NAMES = ["api.github.com", "github.com", "example.org"];
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
/** No agent of this host is to answer. */
const ENV = { AYAFLOW_PORT: "0", TZ: "UTC" };

let stack: AsyncDisposableStack;
let folder = "";
/** Made by an agent that ended well: one file. */
let database = "";
const path = (name: string) => join(folder, name);

interface Options {
  env?: Record<string, string>;
  command?: readonly string[];
}

const run = (args: readonly string[], { env = {}, command = [BINARY] }: Options = {}): Promise<ExecResult> =>
  exec([...command, ...args], { check: false, env: { ...ENV, ...env } });

/** Rows of the last five minutes. */
async function fill(history: History): Promise<void> {
  for (let index = 0; index < ROWS; index++) {
    const naming = named(NAMES[index % NAMES.length] ?? "");
    const timestampMs = Date.now() - index * 1000;
    append(history, row(connection(index % 10, { naming }), { timestampMs }));
  }
  await history.writer.flush(10_000);
}

async function totalRows(file: string, options: Options = {}): Promise<number> {
  const { stdout, stderr, exitCode } = await run(["history", "--db", file, "--json"], options);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return (JSON.parse(stdout) as { total: { rows: number } }).total.rows;
}

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = temporaryFolder(stack);
  await chmod(folder, 0o755);
  await mkdir(path("ended"));
  await using made = new AsyncDisposableStack();
  await fill(open(made, path("ended")));
  database = path("ended/traffic.db");
});
afterAll(async () => {
  await stack.disposeAsync();
});

/** A folder of its own with these files of the database in another, which its user may not write to. */
async function lockedFolder(name: string, from: string, suffixes: readonly string[]): Promise<string> {
  await mkdir(path(name));
  for (const suffix of suffixes) {
    const copy = join(path(name), `traffic.db${suffix}`);
    await cp(from + suffix, copy);
    await chmod(copy, 0o444);
  }
  await chmod(path(name), 0o555);
  return join(path(name), "traffic.db");
}

describe("a database without an agent", () => {
  test("is answered from as a table", async () => {
    const { stdout, stderr, exitCode } = await run([
      "history",
      "domain *.github.com",
      "--db",
      database,
      "--by",
      "name",
      "--since",
      "-1h",
    ]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^NAME +BYTES +SENT +RECEIVED +PACKETS +RETRANS +RTT +SHARE$/);
    expect(lines.slice(1, 4).map((line) => line.split(/ +/)[0])).toEqual([
      "api.github.com",
      "github.com",
      "total",
    ]);
    expect(lines[3]).toMatch(/ 640 kB +40\.0 kB +600 kB +1,000 .* 100%$/);
    expect(lines[4]).toMatch(/^\d{4}-\d\d-\d\d .* \(\+00:00\); 2 of 2 groups, most bytes first$/);
  });

  test("is the one of the configuration where no agent runs", async () => {
    const { stdout } = await run(["history", "--json"], { env: { AYAFLOW_DB_PATH: database } });
    expect(JSON.parse(stdout)).toMatchObject({ total: { rows: ROWS } });
  });

  test("is left as it is, alone", async () => {
    expect(await totalRows(database)).toBe(ROWS);
    expect(await readdir(dirname(database))).toEqual(["traffic.db"]);
  });

  test("shows times of the user's zone", async () => {
    const { stdout } = await run(["history", "--db", database], { env: { TZ: "Asia/Kolkata" } });
    expect(stdout).toContain(" (+05:30); ");
  });

  test("tells what it covers and takes", async () => {
    const { stdout, exitCode } = await run(["stats", "--db", database]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^database: +\/.*traffic\.db, [\d.]+ kB\nrows: +from \d{4}-.* to \d{4}-.*\ncovers: +single rows: all\n/,
    );
    const { stdout: json } = await run(["stats", "--db", database, "--json"]);
    expect(JSON.parse(json)).toMatchObject({
      path: database,
      oldest_row: expect.stringMatching(/Z$/) as never,
      levels: [{ level: "raw" }, { level: "minute" }, { level: "hour" }, { level: "day" }],
    });
  });

  test("gives as much as its reader takes", async () => {
    const listing = `${BINARY} history --rows --csv --db ${database} | head -1; echo \${PIPESTATUS[0]}`;
    const { stdout, stderr } = await exec(["bash", "-c", listing], { env: ENV });
    expect(stdout).toMatch(/^timestamp,.*\r\n0\n$/);
    expect(stderr).toBe("");
  });
});

describe("nobody, who may only read, gets an answer", () => {
  const asNobody = { command: [...NOBODY, BINARY] };

  test("in a folder that is not theirs", async () => {
    const file = await lockedFolder("locked", database, [""]);
    expect(await totalRows(file, asNobody)).toBe(ROWS);
    expect(await readdir(path("locked"))).toEqual(["traffic.db"]);
  });

  test("while an agent writes, after it was killed, and as far as can be after a part was lost", async () => {
    await mkdir(path("running"));
    await using running = new AsyncDisposableStack();
    const history = open(running, path("running"));
    await fill(history);
    const live = path("running/traffic.db");
    for (const suffix of ["", "-wal", "-shm"]) await chmod(live + suffix, 0o644);
    expect(await totalRows(live, asNobody)).toBe(ROWS);

    const killed = await lockedFolder("killed", live, ["", "-wal", "-shm"]);
    expect(await totalRows(killed, asNobody)).toBe(ROWS);
    expect(await totalRows(killed)).toBe(ROWS);

    const torn = await lockedFolder("torn", live, ["", "-wal"]);
    const { stderr, exitCode } = await run(["history", "--db", torn], asNobody);
    expect(exitCode).toBe(0);
    expect(stderr).toBe(`ayaflow: ${torn}-wal cannot be read: what was written last is missing\n`);
    expect((await readdir(path("torn"))).toSorted()).toEqual(["traffic.db", "traffic.db-wal"]);
  });

  test("but not of a file that is not readable to them", async () => {
    await cp(database, path("secret.db"));
    await chmod(path("secret.db"), 0o600);
    const { stderr, exitCode } = await run(["history", "--db", path("secret.db")], asNobody);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`history database ${path("secret.db")}: no permission to read it. Run this as`);
  });
});

describe("what is no history is named, with the fix: exit 1", () => {
  test.each([
    ["missing", async () => {}, "there is no such file. Give another with --db"],
    ["empty", (file: string) => Bun.write(file, ""), "it is empty. An agent has to use it first"],
    [
      "text",
      (file: string) => Bun.write(file, "x".repeat(500)),
      "it is not a SQLite database. Give another file with --db\n",
    ],
    [
      "foreign",
      (file: string) => {
        using db = new Database(file);
        db.run("CREATE TABLE a(b)");
      },
      "it belongs to another application",
    ],
    [
      "old",
      (file: string) => {
        using db = new Database(file);
        for (const migration of MIGRATIONS.slice(0, 2)) db.run(migration);
        db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
        db.run("PRAGMA user_version = 2");
      },
      "an older AyaFlow wrote it (schema 2, this one reads",
    ],
    [
      "new",
      async (file: string) => {
        await cp(database, file);
        using db = new Database(file);
        db.run("PRAGMA user_version = 99");
      },
      "it was written by a newer AyaFlow (schema 99",
    ],
    ["folder", (file: string) => mkdir(file), "it is not a regular file. Give a file with --db\n"],
  ] as [string, (file: string) => unknown, string][])("%s", async (name, make, words) => {
    const file = path(`${name}.db`);
    await make(file);
    for (const command of ["history", "stats"]) {
      const { stdout, stderr, exitCode } = await run([command, "--db", file]);
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
      expect(stderr).toContain(`ayaflow: history database ${file}: ${words}`);
    }
    await rm(file, { recursive: true, force: true });
  });

  test("neither agent nor database", async () => {
    const env = { AYAFLOW_PORT: "9", AYAFLOW_DB_PATH: path("none.db") };
    const { stderr, exitCode } = await run(["history"], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `ayaflow: no agent at http://127.0.0.1:9 (connection refused) and no database ${path("none.db")}: ` +
        "start the agent, or name one with --url, or its database with --db\n",
    );
  });
});

test("a bad filter points at the character: exit 2", async () => {
  const { stdout, stderr, exitCode } = await run([
    "history",
    "port",
    "443",
    "and",
    "bogus",
    "--db",
    database,
  ]);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
  expect(stderr).toMatch(/^ayaflow: filter: at character 14: "bogus"/);
  expect(stderr).toContain("ayaflow:   port 443 and bogus\nayaflow:                ^^^^^\n");
});

test("a terminal gets what fits, in ASCII where its locale has no more, and is told of the source", async () => {
  const command = `stty cols 70; exec ${BINARY} history --db-path ${database}`;
  const { stdout } = await exec(["script", "-qec", command, "/dev/null"], { env: { ...ENV, LC_ALL: "C" } });
  const lines = stdout.replaceAll("\r", "").trimEnd().split("\n");
  expect(lines[0]).toBe(`history: from the database ${database}`);
  const table = lines.slice(1, -2);
  expect(table[0]).toMatch(/^CLIENT +SERVER +PORT +PROTO +NAME +BYTES/);
  expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(70);
  expect(stdout).toMatch(/^[\r\n -~]*$/);
});

test("a proxy of the environment is not asked for an agent on this host", async () => {
  using agent = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.json({ error: { code: "query_limit", message: "too much" } }, { status: 503 }),
  });
  const env = { http_proxy: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" };
  const { stderr } = await run(["history", "--url", agent.url.origin], { env });
  expect(stderr).toBe(`ayaflow: the agent at ${agent.url.origin}: too much\n`);
});
