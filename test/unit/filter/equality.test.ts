import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import { join } from "node:path";
import { FilterError } from "../../../src/filter/errors.ts";
import { formatFilter } from "../../../src/filter/format.ts";
import { MAX_DEPTH, MAX_TESTS } from "../../../src/filter/terms.ts";
import { parseFilter } from "../../../src/filter/parse.ts";
import { compilePredicate } from "../../../src/filter/predicate.ts";
import { compileSql } from "../../../src/filter/sql.ts";
import type { FilterExpression } from "../../../src/filter/types.ts";
import type { History } from "../../../src/history/history.ts";
import { DETAIL_JOIN } from "../../../src/history/naming-table.ts";
import { ID_MS_SQL, timestampOf } from "../../../src/history/rowid.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { append, open, queryAll, temporaryFolder } from "../history/fixture.ts";
import { expression, unplaced } from "./arbitrary.ts";
import { sampleRows, subjectOf } from "./rows.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(120_000);

const ROWS = 400;
const RUNS = 300;
const SEED = 5;

const stack = new AsyncDisposableStack();
const rows = sampleRows(ROWS);
let history: History;
let db: Database;

beforeAll(async () => {
  const folder = temporaryFolder(stack);
  // A segment that is closed, so that what is in it is known, and one that is open.
  const write = async (to: History, some: readonly HistoryRow[]) => {
    for (const each of some) append(to, each);
    await to.writer.flush(30_000);
    expect(to.status().rowsWritten).toBe(some.length);
  };
  await using first = new AsyncDisposableStack();
  await write(open(first, folder), rows.slice(0, ROWS / 2));
  await first.disposeAsync();
  history = open(stack, folder);
  await write(history, rows.slice(ROWS / 2));
  db = new Database(join(folder, "traffic.db"), { readonly: true });
  stack.defer(() => db.close());
});
afterAll(() => stack.disposeAsync());

/** The times of the rows for which the condition is true; fails where it is neither true nor false. */
function timesInSql(filter: FilterExpression): number[] {
  const { sql, bound } = compileSql(filter);
  const found = db
    .query<{ ms: number; holds: number | null }, typeof bound>(
      `SELECT ${ID_MS_SQL} AS ms, (${sql}) AS holds
       FROM rows AS r CROSS JOIN conversations AS c ON c.id = r.conversation_id ${DETAIL_JOIN} ORDER BY r.id`,
    )
    .all(...bound);
  expect(found.length).toBe(ROWS);
  expect(found.every(({ holds }) => holds === 0 || holds === 1)).toBe(true);
  return found.filter(({ holds }) => holds === 1).map(({ ms }) => timestampOf(ms, 0, false));
}

function timesByPredicate(filter: FilterExpression): number[] {
  const holds = compilePredicate(filter);
  return rows.filter((row) => holds(subjectOf(row))).map(({ timestampMs }) => timestampMs);
}

test("SQL, the predicate and a query of history find the same rows", () => {
  let found = 0;
  fc.assert(
    fc.property(expression(), (filter) => {
      const wanted = timesByPredicate(filter);
      found += wanted.length;
      expect(timesInSql(filter)).toEqual(wanted);
      const items = queryAll(history, { filter });
      expect(items.map(({ timestamp }) => timestamp).toReversed()).toEqual(wanted);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(found).toBeGreaterThan(ROWS);
  expect(found).toBeLessThan(ROWS * RUNS * 0.9);
});

test("each test finds some rows and leaves some out, in both", () => {
  const texts = [
    "host 10.0.0.0/8",
    "src host 10.0.0.1",
    "dst port 443",
    "client port 53",
    "proto tcp",
    "iface eth*",
    "iface veth[1]",
    "iface br0",
    "iface *0",
    "ingress",
    "domain *.example.org",
    "domain none",
    "source dns",
    "source none",
    "alpn H2",
    "ja4 t13*",
    "bytes > 1k",
    "packets = 1",
    "retrans > 0",
    "rtt > 1ns",
    "not rtt > 1ns",
    "rtt != 5ns",
  ];
  for (const text of texts) {
    const filter = parseFilter(text);
    if (filter === null) throw new Error(text);
    const wanted = timesByPredicate(filter);
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(ROWS);
    expect(timesInSql(filter)).toEqual(wanted);
  }
});

test("a round trip that is not known compares with nothing, and `not` makes that true", () => {
  const unknown = rows.filter(({ rttNs }) => rttNs === null).map(({ timestampMs }) => timestampMs);
  const filter = parseFilter("not (rtt < 1s or rtt >= 1s)");
  if (filter === null) throw new Error("no filter");
  expect(timesInSql(filter)).toEqual(unknown);
  expect(timesByPredicate(filter)).toEqual(unknown);
});

test("the largest and the deepest filter are understood by SQLite", () => {
  const terms = Array.from({ length: MAX_TESTS }, (_, index) => `src ::${index.toString(16)}`);
  const some = terms.join("||");
  const pairs = MAX_DEPTH / 2;
  for (const text of [some, terms.join("&&"), `${"not(".repeat(pairs)}${some}${")".repeat(pairs)}`]) {
    const filter = parseFilter(text);
    if (filter === null) throw new Error("no filter");
    const wanted = timesByPredicate(filter);
    expect(timesInSql(filter)).toEqual(wanted);
    expect(queryAll(history, { filter }).length).toBe(wanted.length);
  }
});

test("nothing of the text of a filter is in its SQL", () => {
  fc.assert(
    fc.property(expression(), (filter) => {
      const { sql } = compileSql(filter);
      expect(sql).toMatch(/^[\w\s().,?<>=+'*]+$/);
      for (const literal of sql.match(/'[^']*'/g) ?? []) expect(literal).toBe("''");
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

test("a filter written out is read as the same tree", () => {
  fc.assert(
    fc.property(expression({ withState: true }), (filter) => {
      const parsed = parseFilter(formatFilter(filter));
      expect(parsed === null ? null : unplaced(parsed)).toEqual(filter);
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

test("values of any characters survive being written out", () => {
  const text = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((each) => each.length <= 255 && !/[\p{Cc}]|\*\*/u.test(each));
  fc.assert(
    fc.property(text, (value) => {
      for (const one of [
        { kind: "interface", pattern: value },
        { kind: "alpn", protocol: value },
      ] as const) {
        const parsed = parseFilter(formatFilter({ kind: "test", test: one, at: 0, length: 0 }));
        expect(parsed).toMatchObject({ kind: "test", test: one });
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
});

test("state is refused of history, where it stands", () => {
  const text = "host 10.0.0.1 and not state closed";
  const filter = parseFilter(text);
  if (filter === null) throw new Error("no filter");
  const refusal = () => compileSql(filter);
  expect(refusal).toThrow(FilterError);
  expect(refusal).toThrow("at character 23: state is known of live connections only");
  expect(() => history.reader.query({ limit: 1, filter })).toThrow(FilterError);
});
