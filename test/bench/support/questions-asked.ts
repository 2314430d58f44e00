/** The questions that the benchmark asks of a month of history, in the words of each that answers. */
import type { GroupKey } from "../../../src/history/question-types.ts";
import { DAY_MS } from "./day.ts";
import { MONTH_END_MS, MONTH_START_MS } from "./questions-month.ts";
import { siteName } from "./questions-pool.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const TOP = 20;

/** One question. Times in milliseconds since the epoch: from `sinceMs` on, before `untilMs`. */
export interface AskedQuestion {
  name: string;
  sinceMs: number;
  untilMs: number;
  groupBy: readonly GroupKey[];
  /** Largest by bytes; all with null. */
  limit: number | null;
  stepMs?: number;
  /** In the language of the filter, and in SQL over columns of the peers' flat table. */
  filter?: { text: string; sql: string };
  /** Milliseconds that were promised. */
  limitMs?: number;
}

/** Groups to ask for where all are wanted: more than there are. */
export const ALL_GROUPS = 1000;
const site = siteName(7);
const lastNight = Math.floor(MONTH_END_MS / DAY_MS) * DAY_MS + 3 * HOUR_MS + 12 * MINUTE_MS;
const odd = MONTH_END_MS - 12 * DAY_MS - 4 * HOUR_MS - 10 * MINUTE_MS - 3 * SECOND_MS;
const byDomain = { groupBy: ["domain"], limit: TOP } as const;

const before = (ms: number) => ({ sinceMs: MONTH_END_MS - ms, untilMs: MONTH_END_MS });
const wholeMonth = { sinceMs: MONTH_START_MS, untilMs: MONTH_END_MS };

export const QUESTIONS: readonly AskedQuestion[] = [
  { name: "top 20 domains, 1 h", ...before(HOUR_MS), ...byDomain, limitMs: 50 },
  { name: "top 20 domains, 24 h", ...before(DAY_MS), ...byDomain, limitMs: 150 },
  { name: "top 20 domains, 30 d", ...wholeMonth, ...byDomain, limitMs: 500 },
  {
    name: "top 20 domains, 1 h twelve days ago, to the second",
    sinceMs: odd,
    untilMs: odd + HOUR_MS,
    ...byDomain,
  },
  { name: "top 20 clients, 24 h", ...before(DAY_MS), groupBy: ["client"], limit: TOP },
  {
    name: "24 h by protocol, points of 15 min",
    sinceMs: MONTH_END_MS - DAY_MS - (MONTH_END_MS % (15 * MINUTE_MS)),
    untilMs: MONTH_END_MS - (MONTH_END_MS % (15 * MINUTE_MS)),
    groupBy: ["protocol"],
    limit: null,
    stepMs: 15 * MINUTE_MS,
  },
  {
    name: "03:12 of the last night, one minute, by server and domain",
    sinceMs: lastNight,
    untilMs: lastNight + MINUTE_MS,
    groupBy: ["server", "domain"],
    limit: TOP,
  },
  {
    name: `domain *.${site} and server port 443, top 20 servers, 30 d`,
    ...wholeMonth,
    groupBy: ["server"],
    limit: TOP,
    filter: {
      text: `domain *.${site} and server port 443`,
      sql: `(domain = '${site}' OR domain LIKE '%.${site}') AND server_port = 443`,
    },
  },
  {
    // The port of a client is in no rollup.
    name: `domain *.${site} and port 443, top 20 domains, 24 h`,
    ...before(DAY_MS),
    ...byDomain,
    filter: {
      text: `domain *.${site} and port 443`,
      sql: `(domain = '${site}' OR domain LIKE '%.${site}') AND (server_port = 443 OR client_port = 443)`,
    },
  },
  { name: "sum of all, 30 d", ...wholeMonth, groupBy: [], limit: null },
];

/** @throws when there is none of that name. */
export function questionOf(name: string): AskedQuestion {
  const question = QUESTIONS.find((one) => one.name === name);
  if (question === undefined) throw new Error(`no such question: ${name}`);
  return question;
}

/** One group of an answer, or one point of it. */
export interface AnsweredRow {
  /** Values of `groupBy`, then the point's start in milliseconds where there is a step. */
  key: readonly (string | number | null)[];
  bytes: number;
  packets: number;
  rows: number;
}

/** In one order whoever answered: by bytes, then by key. */
export function inOrder(rows: readonly AnsweredRow[]): AnsweredRow[] {
  const keyOf = ({ key }: AnsweredRow) => JSON.stringify(key);
  return rows.toSorted((a, b) => b.bytes - a.bytes || (keyOf(a) < keyOf(b) ? -1 : 1));
}
