import { Database } from "bun:sqlite";
import { expect } from "bun:test";
import { SqlConnection } from "../../../src/history/connection.ts";
import type { History, HistoryOptions } from "../../../src/history/history.ts";
import { bucketOf, bucketStart } from "../../../src/history/rollup-block.ts";
import { LATE_RANGE_SQL, LATE_ROWS_SQL, RollupReader } from "../../../src/history/rollup-reader.ts";
import { ROLLUP_LEVELS, type RollupLevel } from "../../../src/history/rollup-types.ts";
import { EPOCH_MS, idsBetween } from "../../../src/history/rowid.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { append, connection, row, until } from "./fixture.ts";

const WRITTEN_AT_ONCE = 20_000;

/** A wall clock that a test sets; the monotonic one goes with it, forwards only. */
export class TestClock {
  private offset = 0;

  constructor(private wallMs: number) {}

  readonly options: Pick<HistoryOptions, "now" | "clock"> = {
    now: () => this.wallMs,
    clock: () => performance.now() + this.offset,
  };

  get nowMs(): number {
    return this.wallMs;
  }

  /** Time passes. */
  pass(ms: number): void {
    this.wallMs += ms;
    this.offset += ms;
  }

  /** The wall clock is set. */
  set(ms: number): void {
    this.wallMs = ms;
  }
}

/** A row of one of `connections` at a time, with numbers of any size. */
export function randomRow(
  pick: (below: number) => number,
  connections: number,
  timestampMs: number,
): HistoryRow {
  const isPacket = pick(3) === 0;
  return row(connection(pick(connections)), {
    timestampMs: isPacket ? timestampMs + pick(1000) / 1000 : timestampMs,
    kind: isPacket ? "packet" : "window",
    direction: pick(3) === 0 ? "ingress" : "egress",
    packetsSent: pick(20),
    bytesSent: pick(5) === 0 ? pick(2 ** 31) * 1000 : pick(5000),
    packetsReceived: pick(20),
    bytesReceived: pick(100_000),
    tcpFlags: 1 << pick(9),
    rttNs: pick(3) === 0 ? null : pick(2 ** 31),
    retransmits: pick(10) === 0 ? pick(100) : 0,
  });
}

/** Writes rows and waits until they are in the database. */
export async function write(history: History, rows: readonly HistoryRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += WRITTEN_AT_ONCE) {
    for (const each of rows.slice(from, from + WRITTEN_AT_ONCE)) append(history, each);
    await until(() => history.status().queued === 0);
  }
}

/** Folds and deletes all there is to fold and to delete. */
export async function settle(history: History): Promise<void> {
  for (let round = 0; round < 3; round++) {
    history.folding.start();
    await history.folding.settled();
    history.retention.start();
    await history.retention.settled();
  }
}

/** By bucket, conversation and direction: rows, packets and bytes both ways, retransmits, round trips and their sum, flags. */
export type SumsByKey = Map<string, number[]>;

const ROW_SQL = `SELECT (r.id >> 22) + ${EPOCH_MS}, r.conversation_id, r.direction, 1, packets_sent, bytes_sent, packets_received,
  bytes_received, retransmits, r.rtt IS NOT NULL, coalesce(r.rtt, 0), tcp_flags`;
const FLAGS = 8;

function add(to: SumsByKey, key: string, sums: number[]): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, sums);
  else for (let index = 0; index < FLAGS; index++) known[index]! += sums[index] ?? 0;
  if (known !== undefined) known[FLAGS]! |= sums[FLAGS] ?? 0;
}

function addRows(to: SumsByKey, level: RollupLevel, rows: unknown[][]): void {
  for (const [ms, conversation, direction, ...sums] of rows as number[][]) {
    add(to, `${bucketOf(level, ms ?? 0)} ${conversation} ${direction}`, sums);
  }
}

/** Plain sums over all rows by the buckets of a level. */
export function sumsOfRows(path: string, level: RollupLevel): SumsByKey {
  using db = new Database(path, { readonly: true });
  const sums: SumsByKey = new Map();
  addRows(sums, level, db.query(`${ROW_SQL} FROM rows AS r`).values());
  return sums;
}

/** The same as a reader of rollups has it: parts, late rows in their time, and rows where nothing is folded yet. */
export function sumsOfLevel(path: string, level: RollupLevel): SumsByKey {
  const db = new SqlConnection(new Database(path, { readonly: true }));
  try {
    db.run("BEGIN");
    const reader = new RollupReader(db);
    const folded = reader.coverage().find((each) => each.level === level)?.untilMs ?? -Infinity;
    const sums: SumsByKey = new Map();
    for (const { bucketMs, columns: c } of reader.parts(level, -Infinity, Infinity)) {
      const bucket = bucketOf(level, bucketMs);
      for (let index = 0; index < c.length; index++) {
        const of = [
          c.rows,
          c.packetsSent,
          c.bytesSent,
          c.packetsReceived,
          c.bytesReceived,
          c.retransmits,
          c.rttRows,
        ];
        const key = `${bucket} ${c.conversation[index]} ${c.direction[index]}`;
        add(
          sums,
          key,
          [...of, c.rttSumNs, c.tcpFlags].map((column) => column[index] ?? 0),
        );
      }
    }
    const late = idsBetween(-Infinity, folded);
    const lateRows = db
      .query(`${ROW_SQL} FROM ${LATE_ROWS_SQL} WHERE ${LATE_RANGE_SQL}`)
      .values(late.low, late.high);
    expect(reader.lateRows(-Infinity, folded)).toBe(lateRows.length);
    addRows(sums, level, lateRows);
    const { low } = idsBetween(folded, Infinity);
    addRows(sums, level, db.query(`${ROW_SQL} FROM rows AS r WHERE r.id >= ?`).values(low));
    return sums;
  } finally {
    db.close();
  }
}

/** At every level the sums are those of the rows, bucket by bucket. */
export function expectExactSums(path: string): void {
  for (const level of ROLLUP_LEVELS) {
    const [found, wanted] = [sumsOfLevel(path, level), sumsOfRows(path, level)];
    const differing = [...new Set([...found.keys(), ...wanted.keys()])].filter(
      (key) => found.get(key)?.join() !== wanted.get(key)?.join(),
    );
    expect(
      differing.slice(0, 3).map((key) => ({ level, key, found: found.get(key), wanted: wanted.get(key) })),
    ).toEqual([]);
  }
}

/** What is wrong with a database, by what holds at any time: parts in order, sizes as counted, no name without its conversation. */
export function expectSound(path: string): void {
  using db = new Database(path, { readonly: true });
  const all = (sql: string) => db.query(sql).all();
  expect(all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  const overlapping = `SELECT a.id FROM rollups AS a JOIN rollups AS b ON a.level = b.level AND a.bucket = b.bucket
    AND a.id <> b.id AND a.first_conversation BETWEEN b.first_conversation AND b.last_conversation`;
  expect(all(overlapping)).toEqual([]);
  expect(all("SELECT id FROM rollups WHERE entries > 1024 OR entries = 0")).toEqual([]);
  const counted = `SELECT l.id, l.parts, l.bytes FROM levels AS l WHERE l.id > 0 AND (l.parts, l.bytes) <>
    (SELECT count(*), coalesce(sum(length(conversations) + length(data)), 0) FROM rollups WHERE level = l.id)`;
  expect(all(counted)).toEqual([]);
  expect(all("SELECT id FROM late WHERE id NOT IN (SELECT id FROM rows)")).toEqual([]);
}

/** Every conversation that rows or parts name is there. */
export function expectConversations(path: string): void {
  const db = new SqlConnection(new Database(path, { readonly: true }));
  try {
    const known = new Set(
      db
        .query<{ id: number }, []>("SELECT id FROM conversations")
        .all()
        .map(({ id }) => id),
    );
    const named = db.query<{ id: number }, []>("SELECT DISTINCT conversation_id AS id FROM rows").all();
    const missing = named.filter(({ id }) => !known.has(id)).map(({ id }) => `rows ${id}`);
    const reader = new RollupReader(db);
    for (const level of ROLLUP_LEVELS) {
      for (const { columns } of reader.parts(level, -Infinity, Infinity)) {
        const ids = columns.conversation.subarray(0, columns.length);
        missing.push(...[...ids].filter((id) => !known.has(id)).map((id) => `${level} ${id}`));
      }
    }
    expect(missing).toEqual([]);
  } finally {
    db.close();
  }
}

/** How many parts count at a level, and the times of the first and the last bucket. */
export function extent(
  path: string,
  level: RollupLevel,
): { parts: number; firstMs: number | null; lastMs: number | null } {
  using db = new Database(path, { readonly: true });
  const id = ROLLUP_LEVELS.indexOf(level) + 1;
  const found = db
    .query<{ n: number; first: number | null; last: number | null }, [number]>(
      "SELECT count(*) AS n, min(bucket) AS first, max(bucket) AS last FROM rollups WHERE level = ?",
    )
    .get(id);
  const start = (bucket: number | null | undefined) => (bucket == null ? null : bucketStart(level, bucket));
  return { parts: found?.n ?? 0, firstMs: start(found?.first), lastMs: start(found?.last) };
}
