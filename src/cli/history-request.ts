import { chooseStep } from "../api/sums-query.ts";
import { suggest } from "../config/suggest.ts";
import { parseDuration, parseWholeNumber, splitList } from "../config/values.ts";
import { UsageError } from "../errors.ts";
import { formatFilterError, FilterError } from "../filter/errors.ts";
import { parseFilter } from "../filter/parse.ts";
import { compileSql } from "../filter/sql.ts";
import type { FilterExpression } from "../filter/types.ts";
import { GROUP_KEYS, type GroupKey, QUESTION_ORDERS, type QuestionOrder } from "../history/question-types.ts";
import { LOCAL_TIME_FORMS, parseLocalTime } from "./ask-time.ts";

/** The options of `ayaflow history` as commander gives them. */
export interface HistoryFlags {
  since?: string;
  until?: string;
  by?: string;
  top?: string;
  order?: string;
  step?: string;
  rows?: boolean;
  limit?: string;
  json?: boolean;
  csv?: boolean;
  ndjson?: boolean;
}

export type HistoryFormat = "table" | "json" | "csv" | "ndjson";

/** What `ayaflow history` is asked. Times in milliseconds since the epoch, the end exclusive. */
export interface HistoryRequest {
  /** As it was typed; blank for all. */
  text: string;
  filter: FilterExpression | null;
  sinceMs: number;
  untilMs: number;
  groupBy: readonly GroupKey[];
  order: QuestionOrder;
  /** Groups, or rows where `kind` is "rows". */
  limit: number;
  kind: "sums" | "series" | "rows";
  /** Width of a point of a series. */
  stepMs: number;
  format: HistoryFormat;
}

/** Shorter names for what sums are grouped by. */
export const GROUP_ALIASES: Readonly<Record<string, GroupKey>> = {
  name: "domain",
  port: "server_port",
  proto: "protocol",
  iface: "interface",
  registered: "registered_domain",
};

const DEFAULT_BY: readonly GroupKey[] = ["client", "server", "server_port", "protocol", "domain"];
const DEFAULT_SINCE = "-1h";
const DEFAULT_TOP = 20;
const DEFAULT_SERIES = 5;
const DEFAULT_ROWS = 10_000;
/** What the API takes. */
const MAX_TOP = 10_000;
const MAX_SERIES = 50;
const MAX_ROWS = 1_000_000;
const MAX_STEP_SECONDS = 366 * 86_400;
/** The last millisecond of the year 9999: RFC 3339 has no more digits. */
const LAST_MS = 253_402_300_799_999;
const FORMATS = ["json", "csv", "ndjson"] as const;

/** Collects what is wrong, so that all of it can be said at once. */
class Problems {
  readonly found: string[] = [];

  /** `value`, or `instead` and a problem where it is undefined. */
  take<T>(value: T | undefined, instead: T, problem: string): T {
    if (value === undefined) this.found.push(problem);
    return value ?? instead;
  }
}

function groupKey(word: string): GroupKey | undefined {
  const name = word.toLowerCase().replaceAll("-", "_");
  return GROUP_KEYS.find((key) => key === name) ?? GROUP_ALIASES[name];
}

function readKeys(text: string, problems: Problems): GroupKey[] {
  const known = [...GROUP_KEYS, ...Object.keys(GROUP_ALIASES)];
  const keys = splitList(text).map((word) => {
    const guess = suggest(word, known);
    const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
    return problems.take(
      groupKey(word),
      "domain",
      `--by: ${JSON.stringify(word)} is not one of ${known.join(", ")}${hint}`,
    );
  });
  return [...new Set(keys)];
}

function readTime(option: string, text: string, nowMs: number, problems: Problems): number {
  const ms = problems.take(
    parseLocalTime(text, nowMs),
    nowMs,
    `${option}: ${JSON.stringify(text)} is no time; give ${LOCAL_TIME_FORMS}`,
  );
  return Math.min(Math.max(0, ms), LAST_MS);
}

function readTimes(flags: HistoryFlags, nowMs: number, problems: Problems): [number, number] {
  const since = flags.since ?? DEFAULT_SINCE;
  const sinceMs = readTime("--since", since, nowMs, problems);
  const untilMs = readTime("--until", flags.until ?? "now", nowMs, problems);
  if (sinceMs > nowMs && /^\d{1,2}:/.test(since)) {
    problems.found.push(`--since: ${since} is still to come today; write "yesterday ${since}"`);
  } else if (problems.found.length === 0 && sinceMs >= untilMs) {
    problems.found.push(`--since ${since} is not before --until ${flags.until ?? "now"}`);
  }
  return [sinceMs, untilMs];
}

function readNumber(
  option: string,
  text: string | undefined,
  instead: number,
  most: number,
  problems: Problems,
): number {
  if (text === undefined) return instead;
  const number = parseWholeNumber(text);
  const isAllowed = number !== undefined && number >= 1 && number <= most;
  return problems.take(
    isAllowed ? number : undefined,
    instead,
    `${option}: ${JSON.stringify(text)} is not a whole number from 1 to ${most}`,
  );
}

/** Milliseconds. */
function readStep(text: string, rangeMs: number, problems: Problems): number {
  if (text === "auto") return chooseStep(rangeMs);
  const seconds = parseDuration(text);
  const isAllowed = seconds !== undefined && seconds >= 1 && seconds <= MAX_STEP_SECONDS;
  const words = "is no width of a point; give seconds, a time such as 30s, 5m, 1h or 1d, or auto";
  const taken = problems.take(isAllowed ? seconds : undefined, 1, `--step: ${JSON.stringify(text)} ${words}`);
  return taken * 1000;
}

function readFilter(text: string, problems: Problems): FilterExpression | null {
  try {
    const filter = parseFilter(text);
    // What history does not keep is told here, where the text is at hand.
    if (filter !== null) compileSql(filter);
    return filter;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    problems.found.push(...`filter: ${formatFilterError(error, text)}`.split("\n"));
    return null;
  }
}

function readOrder(text: string | undefined, problems: Problems): QuestionOrder {
  if (text === undefined) return "bytes";
  const order = QUESTION_ORDERS.find((one) => one === text.toLowerCase().replaceAll("-", "_"));
  const problem = `--order: ${JSON.stringify(text)} is not one of ${QUESTION_ORDERS.join(", ")}`;
  return problems.take(order, "bytes", problem);
}

/** Options that say nothing together. */
function contradictions(flags: HistoryFlags): string[] {
  const given = FORMATS.filter((format) => flags[format] === true).map((format) => `--${format}`);
  const ofSums = (["by", "top", "order", "step"] as const).filter((name) => flags[name] !== undefined);
  return [
    given.length > 1 ? `${given.join(" and ")}: give one` : "",
    flags.rows === true && ofSums.length > 0
      ? `--rows lists single rows: it takes no ${ofSums.map((name) => `--${name}`).join(", ")}`
      : "",
    flags.rows !== true && flags.limit !== undefined ? "--limit is of --rows; of sums give --top" : "",
  ].filter((problem) => problem !== "");
}

/**
 * The question in the words and options of a command line; a filter may come as one word or as several.
 * @throws UsageError with every problem.
 */
export function readRequest(words: readonly string[], flags: HistoryFlags, nowMs: number): HistoryRequest {
  const problems = new Problems();
  problems.found.push(...contradictions(flags));
  const kind = flags.rows === true ? "rows" : flags.step === undefined ? "sums" : "series";
  const [sinceMs, untilMs] = readTimes(flags, nowMs, problems);
  const text = words.join(" ").trim();
  const [topByDefault, maxTop] = kind === "series" ? [DEFAULT_SERIES, MAX_SERIES] : [DEFAULT_TOP, MAX_TOP];
  const top = readNumber("--top", flags.top, topByDefault, maxTop, problems);
  const rows = readNumber("--limit", flags.limit, DEFAULT_ROWS, MAX_ROWS, problems);
  const request: HistoryRequest = {
    text,
    filter: readFilter(text, problems),
    sinceMs,
    untilMs,
    groupBy: flags.by === undefined ? (kind === "sums" ? DEFAULT_BY : []) : readKeys(flags.by, problems),
    order: readOrder(flags.order, problems),
    limit: kind === "rows" ? rows : top,
    kind,
    stepMs: flags.step === undefined ? 0 : readStep(flags.step, untilMs - sinceMs, problems),
    format: FORMATS.find((format) => flags[format] === true) ?? "table",
  };
  if (problems.found.length > 0) throw new UsageError(problems.found);
  return request;
}
