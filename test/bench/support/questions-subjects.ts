/** Who answers the benchmark's questions. */
import { Database } from "bun:sqlite";
import { statSync } from "node:fs";
import { join } from "node:path";
import { parseFilter } from "../../../src/filter/parse.ts";
import type { AnsweredGroup, Question } from "../../../src/history/question-types.ts";
import { createQuestions } from "../../../src/history/questions.ts";
import { ALL_GROUPS, type AnsweredRow, type AskedQuestion } from "./questions-asked.ts";
import { type Engine, load, openChdb, openDuckDb } from "./questions-packages.ts";
import { clickHouseBytes, PEER_FILES, PEERS } from "./questions-peers.ts";
import { answeredRows, flatSql, ownSql, type SqlRow } from "./questions-sql.ts";

/** `rows` is history's own file asked by SQL, without rollups. */
export const SUBJECTS = ["ours", "rows", ...PEERS] as const;
export type Subject = (typeof SUBJECTS)[number];

export const HISTORY_FILE = "history.db";

/** File or folder of a subject within the folder of a month. */
export function fileOf(folder: string, subject: Subject): string {
  return join(folder, subject === "ours" || subject === "rows" ? HISTORY_FILE : PEER_FILES[subject]);
}

/** Bytes on disk of what a subject answers from. */
export async function sizeOf(folder: string, subject: Subject): Promise<number> {
  const path = fileOf(folder, subject);
  return subject === "clickhouse" ? await clickHouseBytes(path) : statSync(path).size;
}

/** The file itself, or all files below a folder. */
export function filesIn(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return [...new Bun.Glob("**/*").scanSync({ cwd: path, dot: true })].map((name) => join(path, name));
}

/** One that was opened. */
export interface Answerer {
  ask(question: AskedQuestion): Promise<AnsweredRow[]>;
  close(): void;
}

/** A question of the benchmark as history takes it. */
export function asQuestion(question: AskedQuestion): Question {
  const { sinceMs, untilMs, groupBy, limit, stepMs, filter } = question;
  return {
    sinceMs,
    untilMs,
    groupBy,
    filter: filter === undefined ? null : parseFilter(filter.text),
    order: "bytes",
    limit: limit ?? ALL_GROUPS,
    ...(stepMs === undefined ? {} : { stepMs }),
  };
}

function rowOf(key: AnsweredRow["key"], sums: AnsweredGroup["sums"]): AnsweredRow {
  const bytes = sums.bytesSent + sums.bytesReceived;
  return { key, bytes, packets: sums.packetsSent + sums.packetsReceived, rows: sums.rows };
}

/** The groups, or each of their points that is not empty. */
function rowsOf(groups: readonly AnsweredGroup[], pointsMs: readonly number[] | undefined): AnsweredRow[] {
  if (pointsMs === undefined) return groups.map(({ key, sums }) => rowOf(key, sums));
  return groups.flatMap(({ key, points = [] }) =>
    points.flatMap((sums, index) =>
      sums.rows === 0 ? [] : [rowOf([...key, pointsMs[index] ?? null], sums)],
    ),
  );
}

function openOurs(path: string): Answerer {
  const questions = createQuestions(path);
  return {
    ask: async (question) => {
      const { groups, pointsMs, total } = await questions.ask(asQuestion(question));
      return rowsOf(question.groupBy.length === 0 ? [total] : groups, pointsMs);
    },
    close: () => questions.close(),
  };
}

function openSqlite(path: string, sqlOf: (question: AskedQuestion) => string): Answerer {
  const db = new Database(path, { readonly: true });
  return {
    ask: async (question) => answeredRows(question, db.query<SqlRow, []>(sqlOf(question)).all()),
    close: () => db.close(),
  };
}

function asking(engine: Engine): Answerer {
  return {
    ask: async (question) => answeredRows(question, await engine.all(flatSql(question))),
    close: () => engine.close(),
  };
}

/** Loads the program that `subject` takes, so that it is not timed. */
export async function prepare(subject: Subject): Promise<void> {
  if (subject === "duckdb") await load("@duckdb/node-api");
  if (subject === "clickhouse") await load("chdb");
}

/** Opens `subject` in the folder of a month. */
export async function open(folder: string, subject: Subject): Promise<Answerer> {
  const file = fileOf(folder, subject);
  switch (subject) {
    case "ours":
      return openOurs(file);
    case "rows":
      return openSqlite(file, ownSql);
    case "naive":
      return openSqlite(file, flatSql);
    case "duckdb":
      return asking(await openDuckDb(file));
    case "clickhouse":
      return asking(await openChdb(file));
  }
}
