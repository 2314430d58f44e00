import { safeText } from "../top/text.ts";
import type { Terminal } from "./ask-terminal.ts";
import { formatLocal, formatRange } from "./ask-time.ts";
import type { AboutAnswer, CoverageAnswer } from "./history-answers.ts";
import type { HistoryRequest } from "./history-request.ts";

const LEVEL_WORDS: Readonly<Record<string, string>> = {
  raw: "single rows",
  minute: "sums by minute",
  hour: "sums by hour",
  day: "sums by day",
};

const levelWords = (level: string) => LEVEL_WORDS[level] ?? level;

/** `level hour: sums by hour, and at the ends single rows and sums by minute`. */
function levelLine({ level, parts }: AboutAnswer): string {
  const finer = [...new Set(parts.map((part) => part.level))].filter((one) => one !== level);
  const ends = finer.length === 0 ? "" : `; at the ends ${finer.map(levelWords).join(", ")}`;
  return `level ${level}: ${levelWords(level)}${ends}`;
}

/** Lines below a table: what time it is about, how it was read, and what it lacks. */
export function aboutLines(answer: AboutAnswer, shown: string, { ascii }: Terminal): string {
  const notes = answer.notes.map((note) => `note: ${safeText(note, ascii)}`);
  const pruned = answer.pruned
    ? ["note: there were more groups than fit in memory: small ones may show too little"]
    : [];
  const lines = [`${formatRange(answer.since, answer.until)}${shown}`, safeText(levelLine(answer), ascii)];
  return [...lines, ...pruned, ...notes].map((line) => `${line}\n`).join("");
}

/** What history covers, in one line a level. */
export function coverageLines(coverage: CoverageAnswer): string[] {
  return coverage.flatMap(({ level, since, until }) => {
    if (until === null && level !== "raw") return [];
    // Without a floor nothing was ever deleted.
    const from = since === null ? "all" : `from ${formatLocal(since)}`;
    return [`${levelWords(level)}: ${from}${until === null ? "" : ` until ${formatLocal(until)}`}`];
  });
}

/** What is said instead of an empty table. */
export function emptyLines(
  request: Pick<HistoryRequest, "text" | "sinceMs" | "untilMs">,
  coverage: CoverageAnswer,
  { ascii }: Terminal,
): string {
  const what =
    request.text === ""
      ? "nothing in that time"
      : `nothing in that time matches ${safeText(request.text, ascii)}`;
  const covered = coverageLines(coverage).map((line) => `  ${safeText(line, ascii)}`);
  const lines = [`${what}: ${formatRange(request.sinceMs, request.untilMs)}`];
  if (covered.length > 0) lines.push("history covers:", ...covered);
  return lines.map((line) => `${line}\n`).join("");
}
