/** Whether history's sums are those of the rows: level by level and conversation by conversation, and as the engine answers. */
import { Database } from "bun:sqlite";
import { SqlConnection } from "../../../src/history/connection.ts";
import type { Level, RollupLevel } from "../../../src/history/rollup-types.ts";
import { BUCKET_MS, ROLLUP_LEVELS } from "../../../src/history/rollup-types.ts";
import { RollupReader } from "../../../src/history/rollup-reader.ts";
import { createQuestions } from "../../../src/history/questions.ts";
import { MONTH_END_MS, MONTH_START_MS } from "./questions-month.ts";
import { rowsBetween } from "./questions-sql.ts";

/** Sums in a fixed order: rows, packets and bytes sent and received, retransmits, rows with a round trip, their sum. */
type Sums = number[];
type SumRow = { key: string } & Record<"s0" | "s1" | "s2" | "s3" | "s4" | "s5" | "s6" | "s7", number>;

export interface LevelSums {
  level: RollupLevel;
  /** Whole buckets. Milliseconds since the epoch. */
  sinceMs: number;
  untilMs: number;
  /** Rows of history in them, and what they are folded into. */
  rows: number;
  entries: number;
  /** Conversations, by direction, whose sums were compared, and how many were not equal. */
  compared: number;
  different: number;
}

const SQL_SUMS = `count(*) AS s0, sum(r.packets_sent) AS s1, sum(r.bytes_sent) AS s2, sum(r.packets_received) AS s3,
  sum(r.bytes_received) AS s4, sum(r.retransmits) AS s5, count(r.rtt) AS s6, coalesce(sum(r.rtt), 0) AS s7`;

function sumsOf(row: SumRow): Sums {
  return [row.s0, row.s1, row.s2, row.s3, row.s4, row.s5, row.s6, row.s7];
}

function addTo(sums: Map<string, Sums>, key: string, values: Sums): void {
  const known = sums.get(key);
  if (known === undefined) sums.set(key, values);
  else for (const [index, value] of values.entries()) known[index] = (known[index] ?? 0) + value;
}

/** Sums of a level by conversation and direction, and how many entries they were in. */
function folded(reader: RollupReader, level: RollupLevel, sinceMs: number, untilMs: number) {
  const sums = new Map<string, Sums>();
  let entries = 0;
  for (const { columns } of reader.parts(level, sinceMs, untilMs)) {
    entries += columns.length;
    for (let at = 0; at < columns.length; at++) {
      const { rows, packetsSent, bytesSent, packetsReceived, bytesReceived } = columns;
      const { retransmits, rttRows, rttSumNs } = columns;
      const all = [
        rows,
        packetsSent,
        bytesSent,
        packetsReceived,
        bytesReceived,
        retransmits,
        rttRows,
        rttSumNs,
      ];
      addTo(
        sums,
        `${columns.conversation[at]} ${columns.direction[at]}`,
        all.map((column) => column[at] ?? Number.NaN),
      );
    }
  }
  return { sums, entries };
}

/** Whether those of `a` are the first of `b`. */
function isEqual(a: Sums, b: Sums | undefined): boolean {
  return b !== undefined && a.every((value, index) => value === b[index]);
}

/** Compares a level, over all of the month that is folded, with SQL over the rows. */
function compareLevel(db: Database, reader: RollupReader, level: RollupLevel): LevelSums {
  const bucketMs = BUCKET_MS[level];
  const until = reader.coverage().find((one) => one.level === level)?.untilMs ?? MONTH_START_MS;
  const sinceMs = Math.ceil(MONTH_START_MS / bucketMs) * bucketMs;
  const untilMs = Math.floor(Math.min(until, MONTH_END_MS) / bucketMs) * bucketMs;
  const { sums, entries } = folded(reader, level, sinceMs, untilMs);
  const query = db.query<
    SumRow,
    []
  >(`SELECT r.conversation_id || ' ' || r.direction AS key, ${SQL_SUMS} FROM rows r
    WHERE ${rowsBetween(sinceMs, untilMs)} GROUP BY r.conversation_id, r.direction`);
  const result: LevelSums = { level, sinceMs, untilMs, rows: 0, entries, compared: 0, different: 0 };
  for (const row of query.iterate()) {
    result.rows += row.s0;
    result.compared++;
    if (!isEqual(sumsOf(row), sums.get(row.key))) result.different++;
  }
  // What is folded of conversations that have no row is wrong too.
  result.different += Math.max(0, sums.size - result.compared);
  return result;
}

/** Every level of the history `file` against its rows. */
export function levelSums(file: string): LevelSums[] {
  const connection = new SqlConnection(new Database(file, { readonly: true }));
  const reader = new RollupReader(connection);
  const compared = ROLLUP_LEVELS.map((level) => compareLevel(connection.db, reader, level));
  connection.close();
  return compared;
}

export interface RangeSums {
  range: string;
  /** Levels that the engine read. */
  levels: Level[];
  rows: number;
  isEqual: boolean;
}

const MINUTE_MS = BUCKET_MS.minute;
const HOUR_MS = BUCKET_MS.hour;
const DAY_MS = BUCKET_MS.day;
const lastDay = Math.floor(MONTH_END_MS / DAY_MS) * DAY_MS;
const noon = lastDay - 3 * DAY_MS + 12 * HOUR_MS;

/** Ranges that fit one level, and some that fit none. */
const RANGES: readonly (readonly [string, number, number])[] = [
  ["within a minute", noon + 20_000, noon + 50_000],
  ["20 whole minutes", noon + 5 * MINUTE_MS, noon + 25 * MINUTE_MS],
  ["5 whole hours", noon - 2 * HOUR_MS, noon + 3 * HOUR_MS],
  ["28 whole days", lastDay - 28 * DAY_MS, lastDay],
  ["3 days less a second at each end", lastDay - 3 * DAY_MS + 1000, lastDay - 1000],
  ["the month", MONTH_START_MS, MONTH_END_MS],
  ["to the newest row and beyond", MONTH_END_MS - 90_000, MONTH_END_MS + HOUR_MS],
];

/** What the engine sums over ranges of the history `file`, against SQL over its rows. */
export async function rangeSums(file: string): Promise<RangeSums[]> {
  const db = new Database(file, { readonly: true });
  const questions = createQuestions(file);
  const compared: RangeSums[] = [];
  for (const [range, sinceMs, untilMs] of RANGES) {
    const question = { sinceMs, untilMs, filter: null, groupBy: [], order: "bytes", limit: 1 } as const;
    const { total, parts } = await questions.ask(question);
    const { rows, packetsSent, bytesSent, packetsReceived, bytesReceived, retransmits, rttMeanNs } =
      total.sums;
    const row = db
      .query<SumRow, []>(`SELECT '' AS key, ${SQL_SUMS} FROM rows r WHERE ${rowsBetween(sinceMs, untilMs)}`)
      .get();
    if (row === null) throw new Error("a sum has no row");
    const sums = [rows, packetsSent, bytesSent, packetsReceived, bytesReceived, retransmits];
    const isMeanEqual = Math.abs((rttMeanNs ?? 0) - (row.s6 === 0 ? 0 : row.s7 / row.s6)) < 1;
    compared.push({
      range,
      levels: [...new Set(parts.map(({ level }) => level))],
      rows,
      isEqual: isMeanEqual && isEqual(sums, sumsOf(row)),
    });
  }
  questions.close();
  db.close();
  return compared;
}
