import type { LevelChoice, Plan, TimeSpan } from "./question-plan.ts";
import type { AnsweredPart } from "./question-types.ts";
import type { Level, LevelCoverage } from "./rollup-types.ts";

interface Noted {
  plan: Plan;
  asked: TimeSpan;
  coverage: readonly LevelCoverage[];
  choice: LevelChoice;
  hasStep: boolean;
}

const BUCKETS: Readonly<Record<Level, string>> = {
  raw: "rows",
  minute: "whole minutes",
  hour: "whole hours",
  day: "whole days",
};

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function widened({ plan, asked }: Noted): string[] {
  const said = (end: "from" | "until", from: number, to: number, part: AnsweredPart | undefined) =>
    from === to || part === undefined
      ? []
      : [`of ${time(from)} only ${BUCKETS[part.level]} are kept: summed ${end} ${time(to)}`];
  return [
    ...said("from", asked.sinceMs, plan.sinceMs, plan.parts[0]),
    ...said("until", asked.untilMs, plan.untilMs, plan.parts.at(-1)),
  ];
}

/** When everything that any level has begins; null where nothing was ever deleted. */
function everythingSince(coverage: readonly LevelCoverage[]): number | null {
  const begins = coverage.flatMap(({ sinceMs, untilMs }) => (untilMs === null ? [] : (sinceMs ?? -Infinity)));
  const first = Math.min(...begins);
  return first === -Infinity ? null : first;
}

function missing({ plan, coverage, choice, hasStep }: Noted): string[] {
  if (plan.gaps.length === 0) return [];
  const oldest = everythingSince(coverage);
  const rest = plan.gaps.some(({ untilMs }) => oldest === null || untilMs > oldest);
  const spans = plan.gaps.map(({ sinceMs, untilMs }) => `${time(sinceMs)} to ${time(untilMs)}`).join(", ");
  if (!rest) return [`history before ${time(oldest ?? 0)} was deleted`];
  const why =
    choice === "raw_only"
      ? "bytes, packets, rtt and retrans are tests of single rows, which are not kept that long"
      : hasStep
        ? "nothing is kept in buckets that divide the step: take a step of whole minutes, hours or days"
        : "nothing is kept of it";
  return [`left out: ${spans}: ${why}`];
}

function simplified({ plan, choice }: Noted): string[] {
  const hasRollups = plan.parts.some(({ level }) => level !== "raw");
  if (choice !== "raw_first" || !hasRollups) return [];
  const since = plan.parts.find(({ level }) => level === "raw")?.sinceMs ?? plan.untilMs;
  return [
    `client ports, and who sent a packet, are known from ${time(since)} on: before, port means the server's, src the client and dst the server`,
  ];
}

function incomplete({ plan, coverage }: Noted): string[] {
  const spans = plan.parts.flatMap(({ level, sinceMs, untilMs }) => {
    const span = coverage.find((each) => each.level === level)?.incomplete;
    if (span === undefined || span.sinceMs >= untilMs || span.untilMs <= sinceMs) return [];
    return { sinceMs: Math.max(sinceMs, span.sinceMs), untilMs: Math.min(untilMs, span.untilMs) };
  });
  if (spans.length === 0) return [];
  const since = Math.min(...spans.map(({ sinceMs }) => sinceMs));
  const until = Math.max(...spans.map(({ untilMs }) => untilMs));
  return [
    `between ${time(since)} and ${time(until)} history was deleted for want of space before it was added up: ` +
      "sums of that time can be too small; give --max-db-size more room",
  ];
}

/** Sentences on where an answer is less than was asked; none mostly. */
export function notesOf(noted: Noted): string[] {
  return [...widened(noted), ...missing(noted), ...incomplete(noted), ...simplified(noted)];
}
