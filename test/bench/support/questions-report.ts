/** What the benchmark of questions found, as tables and bounds. */
import type { Asking } from "./questions-ask.ts";
import { type AskedQuestion, inOrder, QUESTIONS } from "./questions-asked.ts";
import type { Made } from "./questions-database.ts";
import type { LoadedQuestions } from "./questions-load.ts";
import type { Subject } from "./questions-subjects.ts";
import { SUBJECTS } from "./questions-subjects.ts";
import type { LevelSums, RangeSums } from "./questions-sums.ts";
import { median } from "./measure.ts";
import { atMost, type Bound, type Table } from "./report.ts";

/** What a subject answered. */
export interface Asked {
  subject: Subject;
  /** Each question over and over. */
  warm: Asking;
  /** Each once by a new process. */
  fresh: Asking[];
  /** The same with nothing of the file in the page cache; null: no answer in the time that a question may take. */
  disk: { name: string; asking: Asking | null }[];
  bytes: number;
}

export interface QuestionResults {
  made: Made;
  asked: readonly Asked[];
  levels: readonly LevelSums[];
  ranges: readonly RangeSums[];
  load: LoadedQuestions;
}

const TITLES: Readonly<Record<Subject, string>> = {
  ours: "AyaFlow",
  rows: "its rows by SQL",
  naive: "SQLite, one table",
  duckdb: "DuckDB",
  clickhouse: "ClickHouse (chdb)",
};
const MEGABYTE = 1e6;
const NONE = "-";

const whole = (value: number) => Math.round(value).toLocaleString("en");
const megabytes = (bytes: number) => (bytes / MEGABYTE).toFixed(1);
const milliseconds = (value: number) => value.toFixed(value < 100 ? 1 : 0);

/** The first answer found the caches of the process empty. */
function warmTimes(asking: Asking, name: string): number[] {
  return asking.questions.find((one) => one.name === name)?.times.slice(1) ?? [];
}

/** Milliseconds of the first answer of a new process, opening the file included. */
function firstMs(askings: readonly (Asking | null)[], name: string): number {
  for (const asking of askings) {
    const [time] = asking?.questions.find((one) => one.name === name)?.times ?? [];
    if (asking !== null && time !== undefined) return asking.openMs + time;
  }
  return Number.NaN;
}

/** One table of a figure for each question and subject. */
function comparison(
  title: string,
  note: string,
  asked: readonly Asked[],
  figure: (one: Asked, name: string) => string,
  questions: readonly AskedQuestion[] = QUESTIONS,
): Table {
  return {
    title,
    columns: ["", ...asked.map(({ subject }) => TITLES[subject])],
    rows: questions.map(({ name }) => [name, ...asked.map((one) => figure(one, name))]),
    note,
  };
}

function timeTables(asked: readonly Asked[]): Table[] {
  return [
    comparison(
      "Asked again, median / worst, ms",
      "one process for each store, each question asked twice to thirty times in a row; DuckDB and ClickHouse use both processors",
      asked,
      ({ warm }, name) => {
        const times = warmTimes(warm, name);
        return `${milliseconds(median(times))} / ${milliseconds(Math.max(...times))}`;
      },
    ),
    comparison(
      "Asked of a new process, ms",
      "its first answer; opening the file included, loading the program not; the file is in the page cache",
      asked,
      ({ fresh }, name) => milliseconds(firstMs(fresh, name)),
    ),
    comparison(
      "Asked of a new process with nothing in the page cache, ms",
      "as above, but everything comes from the disk; no question may take over ten seconds",
      asked,
      ({ disk }, name) => {
        const time = firstMs(
          disk.map(({ asking }) => asking),
          name,
        );
        return Number.isNaN(time) ? "over 10 s" : milliseconds(time);
      },
      QUESTIONS.filter(({ limitMs }) => limitMs !== undefined),
    ),
  ];
}

function storeTable(asked: readonly Asked[], rows: number): Table {
  return {
    title: "Space and memory",
    columns: ["", "on disk, MB", "bytes/row", "memory of the asking process at most, MB"],
    rows: asked.map(({ subject, bytes, warm, fresh }) => [
      TITLES[subject],
      megabytes(bytes),
      (bytes / rows).toFixed(1),
      megabytes(Math.max(...[warm, ...fresh].map(({ peakBytes }) => peakBytes))),
    ]),
    note: "resident memory, the runtime of each process (Bun) and mapped files included",
  };
}

function historyTable({ made }: QuestionResults): Table {
  const perRow = (bytes: number) => (bytes / made.rows).toFixed(2);
  return {
    title: "What AyaFlow's file is made of",
    columns: ["", "MB", "bytes a row of history"],
    rows: made.parts.map(({ name, bytes }) => [name, megabytes(bytes), perRow(bytes)]),
    note: `${whole(made.rows)} rows, ${whole(made.conversations)} conversations, ${whole(made.domains)} names; written and folded in ${whole(made.seconds)} s`,
  };
}

function sumTables({ levels, ranges }: QuestionResults): Table[] {
  return [
    {
      title: "Sums of each level against SQL over the rows",
      columns: ["", "rows", "entries", "rows/entry", "sums compared", "different"],
      rows: levels.map(({ level, rows, entries, compared, different }) => [
        level,
        whole(rows),
        whole(entries),
        (rows / entries).toFixed(1),
        whole(compared),
        whole(different),
      ]),
      note: "all whole buckets of the month; by conversation and direction: rows, packets, bytes, retransmits, round trips",
    },
    {
      title: "Sums of ranges as the engine answers them, against SQL over the rows",
      columns: ["", "levels read", "rows", "equal"],
      rows: ranges.map((one) => [
        one.range,
        one.levels.join(", "),
        whole(one.rows),
        one.isEqual ? "yes" : "NO",
      ]),
    },
  ];
}

function loadTable({ load }: QuestionResults): Table {
  return {
    title: `Asked over HTTP of an agent that captures ${whole(load.achieved)} packets/s, ms`,
    columns: ["", "asked", "median", "worst"],
    rows: load.questions.map(({ name, times }) => [
      name,
      String(times.length),
      milliseconds(median(times)),
      milliseconds(Math.max(...times)),
    ]),
    note: `one after the other without a pause for ${load.seconds.toFixed(0)} s; agent, generator and client share two processors`,
  };
}

function agentTable({ load }: QuestionResults): Table {
  const { account, cost, before, after } = load;
  return {
    title: "The agent meanwhile",
    columns: [
      "packets counted not once",
      "lost",
      "coverage",
      "loop delay p50 / p99, ms",
      "own CPU, %",
      "RSS before / after, MB",
      "anonymous before / after, MB",
    ],
    rows: [
      [
        whole(account.miscounted),
        whole(account.lost),
        account.coverage.toString(),
        `${account.eventLoop.p50.toFixed(1)} / ${account.eventLoop.p99.toFixed(1)}`,
        cost.cpuPercent.toFixed(1),
        `${megabytes(before.rss)} / ${megabytes(after.rss)}`,
        `${megabytes(before.anonymous)} / ${megabytes(after.anonymous)}`,
      ],
    ],
  };
}

/** All tables, in the order of the document. */
export function tablesOf(results: QuestionResults): Table[] {
  return [
    ...timeTables(results.asked),
    storeTable(results.asked, results.made.rows),
    historyTable(results),
    ...sumTables(results),
    loadTable(results),
    agentTable(results),
  ];
}

/** Questions that a store answered otherwise than AyaFlow. */
export function disagreements(asked: readonly Asked[]): string[] {
  const answerOf = (one: Asked | undefined, name: string) =>
    JSON.stringify(inOrder(one?.warm.questions.find((question) => question.name === name)?.answer ?? []));
  const ours = asked.find(({ subject }) => subject === "ours");
  return QUESTIONS.flatMap(({ name }) =>
    asked.flatMap((one) =>
      answerOf(one, name) === answerOf(ours, name) ? [] : [`${TITLES[one.subject]}: ${name}`],
    ),
  );
}

function timeBounds({ asked, load }: QuestionResults): Bound[] {
  const ours = asked.find(({ subject }) => subject === "ours");
  return QUESTIONS.flatMap(({ name, limitMs }) => {
    if (limitMs === undefined || ours === undefined) return [];
    const loaded = load.questions.find((one) => one.name === name)?.times ?? [];
    return [
      atMost(`${name}: during capture over HTTP, median`, median(loaded), limitMs, "ms"),
      atMost(`${name}: asked again, median`, median(warmTimes(ours.warm, name)), limitMs, "ms"),
      atMost(`${name}: asked of a new process`, firstMs(ours.fresh, name), limitMs, "ms"),
    ];
  });
}

/** All bounds. */
export function boundsOf(results: QuestionResults): Bound[] {
  const { load, levels, ranges, asked } = results;
  const different = levels.reduce((sum, one) => sum + one.different, 0);
  return [
    ...timeBounds(results),
    atMost("during capture: lost at any stage", load.account.lost, 0, "losses", 0),
    atMost("during capture: packets counted not once", load.account.miscounted, 0, "packets", 0),
    atMost("sums of minutes, hours and days that differ from the rows'", different, 0, "sums", 0),
    atMost("sums of ranges that differ", ranges.filter((one) => !one.isEqual).length, 0, "ranges", 0),
    {
      what: "answers that differ between stores",
      limit: "none",
      reached: disagreements(asked).join("; ") || NONE,
      holds: disagreements(asked).length === 0,
    },
  ];
}

/** As charts and later comparison need them: without the answers. */
export function figuresOf({ asked, ...rest }: QuestionResults): unknown {
  const withoutAnswers = (asking: Asking) => ({
    ...asking,
    questions: asking.questions.map(({ name, times }) => ({ name, times })),
  });
  return {
    ...rest,
    asked: SUBJECTS.flatMap((subject) =>
      asked
        .filter((one) => one.subject === subject)
        .map((one) => ({
          ...one,
          warm: withoutAnswers(one.warm),
          fresh: one.fresh.map(withoutAnswers),
          disk: one.disk.map(({ name, asking }) => ({
            name,
            asking: asking === null ? null : withoutAnswers(asking),
          })),
        })),
    ),
  };
}
