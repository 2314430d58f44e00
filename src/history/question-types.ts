import type { FilterExpression } from "../filter/types.ts";
import type { Level, LevelCoverage } from "./rollup-types.ts";

/** What sums can be grouped by. `network`: the /24 (IPv4) or /48 (IPv6) of an end. */
export const GROUP_KEYS = [
  "client",
  "server",
  "server_port",
  "protocol",
  "interface",
  "domain",
  "registered_domain",
  "source",
  "client_network",
  "server_network",
] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

export const QUESTION_ORDERS = [
  "bytes",
  "packets",
  "bytes_sent",
  "bytes_received",
  "packets_sent",
  "packets_received",
  "retransmits",
  "rows",
] as const;
export type QuestionOrder = (typeof QUESTION_ORDERS)[number];

/** A question whose answer is sums. Times in milliseconds since the epoch: from `sinceMs` on, before `untilMs`. */
export interface Question {
  sinceMs: number;
  untilMs: number;
  filter: FilterExpression | null;
  /** None: one sum of all. */
  groupBy: readonly GroupKey[];
  /** Largest first. */
  order: QuestionOrder;
  /** Groups to answer at most; the rest is in `other`. */
  limit: number;
  /** Width of a point of the time series; none without. */
  stepMs?: number;
  /** Ends the work when nobody waits for it any more. */
  signal?: AbortSignal;
}

/** Sums over rows; sent and received by the clients. */
export interface Sums {
  /** Rows of history that were added up. */
  rows: number;
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
  bytesReceived: number;
  retransmits: number;
  /** Mean round trip over the rows that have one, in nanoseconds. */
  rttMeanNs: number | null;
}

/** The value of each key of `groupBy`, in its order: text as the API shows it, a port as a number; null for no name. */
export type GroupValues = readonly (string | number | null)[];

export interface AnsweredGroup {
  key: GroupValues;
  sums: Sums;
  /** With a step: one for each point, in the order of `pointsMs`. */
  points?: readonly Sums[];
}

/** A stretch of time and the level its rows were read from. */
export interface AnsweredPart {
  level: Level;
  sinceMs: number;
  untilMs: number;
}

/** `groups` and `other` add up to `total`. */
export interface Answer {
  groups: AnsweredGroup[];
  other: AnsweredGroup;
  total: AnsweredGroup;
  /** How many groups there were in all; a lower bound when `isPruned`. */
  groupCount: number;
  /** There were more groups than are kept: the smallest went to `other` meanwhile, what came of them later is a lower bound. */
  isPruned: boolean;
  /** Starts of the points, with a step. */
  pointsMs?: readonly number[];
  /** What was summed: the range asked for, moved outwards to whole buckets where nothing finer is left. */
  sinceMs: number;
  untilMs: number;
  /** The coarsest level that was read. */
  level: Level;
  /** Which level answered for which time, oldest first. */
  parts: AnsweredPart[];
  coverage: LevelCoverage[];
  /** Rows and folded entries that were read. */
  scanned: number;
  /** Sentences on where the answer is less than was asked; empty mostly. */
  notes: string[];
}

/** Answers questions over a database of history, in slices between which the event loop runs. */
export interface QuestionAnswerer {
  /** Rejects with HistoryQueryError for a question that cannot be answered, HistoryLimitError when it takes too long. */
  ask(question: Question): Promise<Answer>;
}
