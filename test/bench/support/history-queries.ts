/** What the API offers to ask of history, each question over and over with another parameter, and how long it takes. */
import type { HistoryReader } from "../../../src/history/query.ts";
import type { HistoryQuery } from "../../../src/history/types.ts";
import {
  CLIENTS,
  clientAddress,
  DAY_MS,
  INTERFACES,
  nameOf,
  NAMES,
  Random,
  RARE_PORTS,
  rarePort,
} from "./day.ts";
import { median } from "./measure.ts";
import { percentile } from "./percentile.ts";

export interface QueryTimes {
  name: string;
  /** How often it was asked. */
  count: number;
  /** Milliseconds until the page was full, or there was no more. */
  medianMs: number;
  p99Ms: number;
  /** Milliseconds that one call held the event loop at most. */
  longestCallMs: number;
  /** Of an answer, on average: calls, as one that takes too long ends early and says where to go on; and rows. */
  calls: number;
  rows: number;
}

type Question = Omit<HistoryQuery, "limit">;
/** Makes question number `index`. */
type Ask = (random: Random, index: number) => Question;

/** As the API answers unless asked for another number. */
const PAGE_ROWS = 100;
const LARGE_PAGE_ROWS = 1000;
const HOUR_MS = 3_600_000;
const PORTS = [443, 53, 80, 22];
const PROTOCOLS = [6, 17];
const WILDCARDS = ["*.example.com", "*.example.net", "*.example.org", "*.test.example"];

function pick<T>(from: readonly T[], index: number): T {
  const one = from[index % from.length];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
}

/** All questions about a day that began at `startMs`. */
function questions(startMs: number): Record<string, Ask> {
  const client = (random: Random) => clientAddress(random.next(CLIENTS)).join(".");
  return {
    "newest page": () => ({}),
    "one client": (random) => ({ ip: client(random) }),
    "one network (/28)": (random) => ({ ip: `10.0.${random.next(2)}.${16 * random.next(8)}/28` }),
    "server port": (_, index) => ({ port: pick(PORTS, index) }),
    "rare port": (random) => ({ port: rarePort(50 * random.next(RARE_PORTS)) }),
    protocol: (_, index) => ({ protocol: pick(PROTOCOLS, index) }),
    interface: (_, index) => ({ interface: pick(INTERFACES, index) }),
    direction: (_, index) => ({ direction: index % 2 === 0 ? "ingress" : "egress" }),
    domain: (random) => ({ domain: nameOf(random.next(NAMES)) }),
    "*.domain": (_, index) => ({ domain: pick(WILDCARDS, index) }),
    "one hour of the day": (random) => {
      const sinceMs = startMs + random.next(DAY_MS - HOUR_MS);
      return { sinceMs, untilMs: sinceMs + HOUR_MS };
    },
    "one client in one hour": (random) => {
      const sinceMs = startMs + random.next(DAY_MS - HOUR_MS);
      return { ip: client(random), sinceMs, untilMs: sinceMs + HOUR_MS };
    },
    "nobody's address": (random) => ({ ip: `172.16.0.${random.next(256)}` }),
    "nobody's port": (random) => ({ port: 1 + random.next(20) }),
  };
}

interface Answer {
  ms: number;
  longestCallMs: number;
  calls: number;
  rows: number;
}

/** Asks until there is a page of `limit` rows, or no more of them, as a client follows `next_cursor`. */
function answer(
  reader: HistoryReader,
  question: Question,
  limit: number,
): Answer & { cursor: string | null } {
  const got: Answer = { ms: 0, longestCallMs: 0, calls: 0, rows: 0 };
  let cursor: string | null = question.cursor ?? null;
  do {
    const started = performance.now();
    const page = reader.query({
      ...question,
      limit: limit - got.rows,
      ...(cursor === null ? {} : { cursor }),
    });
    const ms = performance.now() - started;
    got.ms += ms;
    got.longestCallMs = Math.max(got.longestCallMs, ms);
    got.calls++;
    got.rows += page.returned;
    cursor = page.next_cursor;
  } while (cursor !== null && got.rows < limit);
  return { ...got, cursor };
}

function summary(name: string, answers: readonly Answer[]): QueryTimes {
  const times = answers.map(({ ms }) => ms);
  const sum = (of: (one: Answer) => number) => answers.reduce((total, one) => total + of(one), 0);
  return {
    name,
    count: answers.length,
    medianMs: median(times),
    p99Ms: percentile(times, 0.99),
    longestCallMs: Math.max(...answers.map(({ longestCallMs }) => longestCallMs)),
    calls: sum(({ calls }) => calls) / answers.length,
    rows: sum(({ rows }) => rows) / answers.length,
  };
}

/** Pages of 1,000 rows one after the other, from the newest down. */
function paging(reader: HistoryReader, pages: number): Answer[] {
  const answers: Answer[] = [];
  let cursor: string | null = null;
  do {
    const page = answer(reader, cursor === null ? {} : { cursor }, LARGE_PAGE_ROWS);
    answers.push(page);
    ({ cursor } = page);
  } while (cursor !== null && answers.length < pages);
  return answers;
}

/**
 * Asks each question `count` times, or until `budgetMs` are over for it, of the day that began at `startMs`
 * milliseconds since the epoch.
 */
export function timeQueries(
  reader: HistoryReader,
  startMs: number,
  count: number,
  budgetMs: number,
): QueryTimes[] {
  const random = new Random();
  const times = Object.entries(questions(startMs)).map(([name, ask]) => {
    const answers: Answer[] = [];
    const until = performance.now() + budgetMs;
    for (let index = 0; index < count && performance.now() < until; index++) {
      answers.push(answer(reader, ask(random, index), PAGE_ROWS));
    }
    return summary(name, answers);
  });
  return [...times, summary("page after page of 1,000 rows", paging(reader, count))];
}

export interface SumTimes {
  hours: number;
  medianMs: number;
  longestMs: number;
  /** Rows of one sum. */
  rows: number;
  /** Every row of the time was in the sum: it was not cut short. */
  isWhole: boolean;
}

/** Sums by domain, as `/api/domains` answers them, over `hours` hours from `count` different times of the day. */
export async function timeSums(
  reader: HistoryReader,
  startMs: number,
  hours: number,
  count: number,
): Promise<SumTimes> {
  const random = new Random();
  const times: number[] = [];
  const sum: Omit<SumTimes, "hours" | "medianMs" | "longestMs"> = { rows: 0, isWhole: true };
  for (let index = 0; index < count; index++) {
    const sinceMs = startMs + random.next(DAY_MS - hours * HOUR_MS + 1);
    const started = performance.now();
    const totals = await reader.domains({
      sinceMs,
      untilMs: sinceMs + hours * HOUR_MS,
      limit: PAGE_ROWS,
      order: "bytes",
    });
    times.push(performance.now() - started);
    sum.rows = totals.rows;
    sum.isWhole &&= totals.notes.length === 0;
  }
  return { hours, medianMs: median(times), longestMs: Math.max(...times), ...sum };
}
