/** The agent's terms in words for someone who sees them for the first time. */
import type { DomainSource } from "../../flow/naming.ts";
import { splitPath } from "../../flow/path.ts";
import type { ShedStep } from "../../flow/restraint.ts";
import type { ConnectionState } from "../../flow/types.ts";
import type { Level } from "../../history/rollup-types.ts";
import type { LossAnswer } from "../data/answers.ts";

/** A path of interfaces as the way that a connection takes. */
export const pathText = (path: string): string => splitPath(path).join(" › ");

const SOURCES: Readonly<Record<DomainSource, { short: string; sentence: string }>> = {
  sni: { short: "TLS", sentence: "Named by the TLS handshake (SNI): the client asked for this name." },
  quic: { short: "QUIC", sentence: "Named by the QUIC handshake (SNI): the client asked for this name." },
  http: { short: "HTTP", sentence: "Named by the HTTP request (Host): the client asked for this name." },
  dns: { short: "DNS", sentence: "Named by a DNS lookup: an answer for this name had the server's address." },
  ptr: {
    short: "reverse",
    sentence: "Named by a reverse lookup (PTR): what the owner of the address calls it.",
  },
};

export const sourceShort = (source: DomainSource): string => SOURCES[source].short;
export const sourceSentence = (source: DomainSource): string => SOURCES[source].sentence;

const STATES: Readonly<Record<ConnectionState, { word: string; sentence: string }>> = {
  none: { word: "active", sentence: "This protocol has no states of its own." },
  syn_sent: { word: "opening", sentence: "The client asked to connect; the server has not answered." },
  syn_received: { word: "opening", sentence: "The server answered; the client has yet to confirm." },
  established: { word: "open", sentence: "Data can flow." },
  closing: { word: "closing", sentence: "One end has said goodbye, the other has not." },
  closed: { word: "closed", sentence: "Both ends have said goodbye." },
  reset: { word: "reset", sentence: "One end broke it off (RST)." },
};

export const stateWord = (state: ConnectionState): string => STATES[state].word;
export const stateSentence = (state: ConnectionState): string => STATES[state].sentence;

/** What each loss means; the reasons are from fixed sets of the agent. */
const LOSSES: Readonly<Record<string, string>> = {
  "table full":
    "packets counted in the totals, but not on a connection: the connection table was full (--max-connections)",
  "table insert_failed":
    "packets counted in the totals, but not on a connection: it could not be entered in the table",
  "ring open_event": "new connections that were noticed late: too many at once",
  "ring packet_event": "single packets not written to history: they came faster than they could be read",
  "ring payload_event": "packets not looked into for names: they came faster than they could be read",
  "history no_connection": "single packets not written to history: they had no connection",
  "history shed_packet": "single packets not written to history, to keep to the agent's own budget",
  "history queue_full": "rows of history dropped: the disk was slower than they came",
  "history disk_full": "rows of history dropped: the disk, or the size set for the database, was full",
  "history write_error": "rows of history dropped: they could not be written",
  "history shutdown": "rows of history not written in time when the agent was stopped",
  "inspect shed_payload": "packets not looked into for names, to keep to the agent's own budget",
  "stream slow_reader": "messages not sent to a WebSocket reader that was too slow",
};

/** The meaning of a loss in words. */
export function lossWords({ stage, reason }: LossAnswer): string {
  return LOSSES[`${stage} ${reason}`] ?? `${reason.replaceAll("_", " ")} (${stage})`;
}

const SHED: Readonly<Record<ShedStep, string>> = {
  raw_rows: "single packets are not written to history",
  inspection: "packets are not looked into for names and DNS",
  history_detail: "small connections are written to history with less detail",
  sweep_rate: "figures are brought up to date less often than once a second",
};

export const shedWords = (step: ShedStep): string => SHED[step];

const LEVELS: Readonly<Record<Level, { name: string; sentence: string }>> = {
  raw: { name: "Full detail", sentence: "the full detail" },
  minute: { name: "By the minute", sentence: "sums by the minute" },
  hour: { name: "By the hour", sentence: "sums by the hour" },
  day: { name: "By the day", sentence: "sums by the day" },
};

export const levelName = (level: Level): string => LEVELS[level].name;
export const levelSentence = (level: Level): string => LEVELS[level].sentence;

export type Mood = "good" | "warn" | "bad";

const FULL_COVERAGE = 0.999;
const LOW_COVERAGE = 0.99;

/** How well the agent sees, from its coverage and what it says of itself. */
export function moodOf(coverage: number, reasons: readonly string[]): Mood {
  if (coverage < LOW_COVERAGE) return "bad";
  return coverage < FULL_COVERAGE || reasons.length > 0 ? "warn" : "good";
}

/** All that was lost since the agent started. */
export function lostCount(losses: readonly LossAnswer[]): number {
  return losses.reduce((sum, { count }) => sum + count, 0);
}
