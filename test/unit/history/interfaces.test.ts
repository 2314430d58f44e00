/** Names of interfaces go with the last conversation that has them, and no other does. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { SqlConnection } from "../../../src/history/connection.ts";
import type { History } from "../../../src/history/history.ts";
import { InterfaceSweep } from "../../../src/history/interface-sweep.ts";
import { InterfaceTable } from "../../../src/history/interfaces.ts";
import { migrate } from "../../../src/history/migrations.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { connection, open, queryAll, row, START_MS, temporaryFolder } from "./fixture.ts";
import { settle, TestClock, write } from "./fold-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const MANY = 100_000;
/** Names that a step may delete, and conversations that it may look at. */
const DELETED_AT_ONCE = 64;
const SEEN_AT_ONCE = 512;
/** Enough rows to finish a segment, the one that is open keeps its conversations. */
const A_SEGMENT = 5000;

/** A database as the agent makes it, in memory, with the parts that a sweep works on. */
function openEmpty(stack: DisposableStack): { db: SqlConnection; interfaces: InterfaceTable } {
  const db = new SqlConnection(new Database(":memory:"));
  stack.defer(() => db.close());
  migrate(db.db);
  return { db, interfaces: new InterfaceTable(db) };
}

function addConversation(db: SqlConnection, id: number, interfaceId: number): void {
  db.query("INSERT INTO conversations VALUES(?1, x'0a000001', x'c0000201', ?1, 6, ?2, 0, 0)").run(
    id,
    interfaceId,
  );
}

function namesOf(db: Database): string[] {
  return db
    .query<{ name: string }, []>("SELECT name FROM interfaces ORDER BY id")
    .all()
    .map(({ name }) => name);
}

function changesOf(db: SqlConnection): number {
  return db.query<{ n: number }, []>("SELECT total_changes() AS n").get()?.n ?? 0;
}

test("of 100,000 names those in use stay, and no step deletes more than a few", () => {
  using stack = new DisposableStack();
  const { db, interfaces } = openEmpty(stack);
  db.run("BEGIN");
  for (let index = 0; index < MANY; index++) interfaces.intern(`veth${index}/br0/eth0`);
  const used: string[] = [];
  for (let id = 1; id <= MANY; id += 997) {
    addConversation(db, id, id);
    used.push(`veth${id - 1}/br0/eth0`);
  }
  db.run("COMMIT");
  const sweep = new InterfaceSweep(db, interfaces);
  let steps = 0;
  for (let isDone = false; !isDone; steps++) {
    const before = changesOf(db);
    isDone = sweep.step();
    expect(changesOf(db) - before).toBeLessThanOrEqual(DELETED_AT_ONCE);
  }
  expect(namesOf(db.db)).toEqual(used);
  expect(steps).toBeLessThan((2 * MANY) / DELETED_AT_ONCE);
});

test("names that are all in use cost no look at all conversations; else a step looks at a few", () => {
  using stack = new DisposableStack();
  const { db, interfaces } = openEmpty(stack);
  const ids = ["eth0", "lo"].map((name) => interfaces.intern(name));
  db.run("BEGIN");
  for (let id = 1; id <= 100 * SEEN_AT_ONCE; id++) addConversation(db, id, ids[id % 2] ?? 0);
  db.run("COMMIT");
  const sweep = () => {
    const made = new InterfaceSweep(db, interfaces);
    let steps = 1;
    while (!made.step()) steps++;
    return steps;
  };
  expect(sweep()).toBeLessThan(5);
  interfaces.intern("gone");
  expect(sweep()).toBeGreaterThan(100);
  expect(namesOf(db.db)).toEqual(["eth0", "lo"]);
});

test("whenever the writer comes between two steps, what it uses stays, under its name", () => {
  const names = Array.from({ length: 500 }, (_, index) => `veth${index}`);
  const total = stepsBeside(() => {});
  expect(total).toBeGreaterThan(8);
  for (let at = 0; at <= total; at++) {
    stepsBeside((step, { db, interfaces, nextId }) => {
      if (step !== at) return;
      // One that the cache has, one that it has not, and one that may be given the id of another.
      for (const name of ["veth7", "veth199", "late"]) {
        addConversation(db, nextId(), interfaces.intern(name));
      }
    });
  }

  /** Sweeps names of which only the first ten are in use, with `between` before each step. Returns how many steps that took. */
  function stepsBeside(
    between: (
      step: number,
      at: { db: SqlConnection; interfaces: InterfaceTable; nextId: () => number },
    ) => void,
  ): number {
    using stack = new DisposableStack();
    const { db, interfaces } = openEmpty(stack);
    const expected = new Map<number, string>();
    let last = 0;
    const nextId = () => ++last;
    for (const name of names) interfaces.intern(name);
    for (let index = 0; index < 2 * SEEN_AT_ONCE; index++) {
      addConversation(db, nextId(), interfaces.intern(`veth${10 + (index % 10)}`));
    }
    const firstNew = last + 1;
    const sweep = new InterfaceSweep(db, interfaces);
    let steps = 0;
    for (let isDone = false; !isDone; steps++) {
      between(steps, { db, interfaces, nextId });
      isDone = sweep.step();
    }
    between(steps, { db, interfaces, nextId });
    ["veth7", "veth199", "late"].forEach((name, index) => expected.set(firstNew + index, name));
    const stored = db
      .query<{ id: number; name: string | null }, [number]>(
        `SELECT c.id, i.name FROM conversations AS c LEFT JOIN interfaces AS i ON i.id = c.interface_id
         WHERE c.id >= ? ORDER BY c.id`,
      )
      .all(firstNew);
    expect(stored).toEqual(stored.map(({ id }) => ({ id, name: expected.get(id) ?? "" })));
    const left = db
      .query<{ n: number }, []>(
        "SELECT count(*) AS n FROM conversations WHERE interface_id NOT IN (SELECT id FROM interfaces)",
      )
      .get();
    expect(left).toEqual({ n: 0 });
    return steps;
  }
});

/** A segment full of rows of a thousand connections on each of these. */
function rowsOn(interfaces: readonly string[], timestampMs: number): HistoryRow[] {
  return Array.from({ length: A_SEGMENT }, (_, index) =>
    row(connection(index % 1000, { interface: interfaces[index % interfaces.length] ?? "" }), {
      timestampMs,
      bytesSent: index,
    }),
  );
}

test("pods come and go: their interfaces leave history with their rows, and may come back", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, { ...clock.options, dataRetentionSeconds: 600 });
  using db = new Database(join(folder, "traffic.db"), { readonly: true });
  const pods = (round: number) => Array.from({ length: 20 }, (_, index) => `pod${round}x${index}/br0/eth0`);
  for (let round = 0; round < 12; round++) {
    await write(history, rowsOn(["eth0", ...pods(round)], clock.nowMs));
    clock.pass(300_000);
    await settle(history);
    // Those of ten minutes, of the segment that is open, and of the share that is not worth a sweep yet.
    expect(namesOf(db).length).toBeLessThanOrEqual(1 + 6 * 20);
    expectNamed(db);
  }
  expect(namesOf(db)).toContain("eth0");
  expect(namesOf(db)).not.toContain("pod0x0/br0/eth0");
  await back(history, clock, [...pods(0), "new0", "new1", ...pods(11)]);
  expectNamed(db);
});

/** Writes a row on each of these, and finds each under its name. */
async function back(history: History, clock: TestClock, interfaces: readonly string[]): Promise<void> {
  await write(
    history,
    interfaces.map((name, index) =>
      row(connection(index, { interface: name }), { timestampMs: clock.nowMs, bytesSent: 1_000_000 + index }),
    ),
  );
  const found = queryAll(history, { sinceMs: clock.nowMs });
  const paths = found.map((item) => [item.bytes_sent - 1_000_000, item.observation_points.join("/")]);
  expect(paths.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(
    interfaces.map((name, index) => [index, name]),
  );
}

function expectNamed(db: Database): void {
  expect(
    db
      .query("SELECT count(*) AS n FROM conversations WHERE interface_id NOT IN (SELECT id FROM interfaces)")
      .get(),
  ).toEqual({ n: 0 });
}

test("names that a process left behind go at the next start", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const first = open(stack, folder, { now: () => START_MS });
  await write(first, rowsOn(["eth0", "veth1/eth0"], START_MS));
  await first.close();
  {
    using db = new Database(path);
    const insert = db.prepare("INSERT INTO interfaces(name) VALUES(?)");
    for (let index = 0; index < 3000; index++) insert.run(`gone${index}`);
    insert.finalize();
  }
  const second = open(stack, folder, { now: () => START_MS });
  second.retention.start();
  await second.retention.settled();
  using db = new Database(path, { readonly: true });
  expect(namesOf(db)).toEqual(["eth0", "veth1/eth0"]);
  expect(queryAll(second, { interface: "veth1" })).toHaveLength(A_SEGMENT / 2);
});
