import { type StatsAnswer, watchesSeveral } from "./answers.ts";
import { formatDuration, formatExact, formatRate, formatShare, formatTime } from "./numbers.ts";
import { type Line, apart, fitLine, type Span, span, textOf } from "./spans.ts";
import { sparkline } from "./sparkline.ts";
import type { TopState } from "./state.ts";
import { safeText, widthOf } from "./text.ts";
import { DEFINITIONS, VIEWS } from "./views.ts";

/** What is lost at a stage, for a person who does not know the stages. */
const LOST: Record<string, string> = {
  table: "packets that found no room for their connection",
  ring: "events that came too fast",
  inspect: "looks for names",
  history: "rows of history",
  stream: "messages to viewers",
};

function titleLine({ url, figures, isPaused, looks, size }: TopState): Span[] {
  const up = figures === null ? "" : `  up ${formatDuration(figures.stats.uptime_seconds)}`;
  const title = [span("ayaflow top", "bold"), span(`  ${safeText(url, looks.ascii)}${up}`)];
  const right = isPaused ? [span(" PAUSED ", "bold", "inverse")] : [];
  return apart(title, right, size.columns, looks.ascii);
}

function throughputLine({ figures, throughput, looks, size }: TopState): Span[] {
  if (figures === null) return fitLine([], size.columns, looks.ascii);
  const { bytesInPerSecond, bytesOutPerSecond, stats } = figures;
  const connections = stats.active_connections;
  const rates: Line = watchesSeveral(stats)
    ? [span("Traffic "), span(formatRate(stats.bytes_per_second), "bold")]
    : [
        span("In "),
        span(formatRate(bytesInPerSecond), "bold"),
        span("  Out "),
        span(formatRate(bytesOutPerSecond), "bold"),
      ];
  const left: Line = [
    ...rates,
    span(`  ${formatExact(connections)} active ${connections === 1 ? "connection" : "connections"}  `),
  ];
  const room = size.columns - widthOf(textOf(left));
  return fitLine(
    [...left, span(sparkline(throughput, room, looks.ascii), "accent")],
    size.columns,
    looks.ascii,
  );
}

/** Coverage and losses in words. */
export function healthWords(stats: StatsAnswer): { text: string; isWell: boolean } {
  const lost = new Map<string, number>();
  for (const { stage, count } of stats.losses) lost.set(stage, (lost.get(stage) ?? 0) + count);
  const losses = [...lost].filter(([, count]) => count > 0);
  const coverage = `Counts ${formatShare(stats.coverage)} of IP packets on connections`;
  if (losses.length === 0) return { text: `${coverage}; nothing lost.`, isWell: stats.coverage >= 1 };
  const words = losses.map(([stage, count]) => `${formatExact(count)} ${LOST[stage] ?? stage}`);
  return { text: `${coverage}. Lost since start: ${words.join(", ")}.`, isWell: false };
}

function healthLine({ figures, trouble, looks, size }: TopState): Span[] {
  const safe = (text: string) => safeText(text, looks.ascii);
  const shown = (line: Span) => fitLine([line], size.columns, looks.ascii);
  if (trouble !== null) {
    const since = formatTime(trouble.sinceMs);
    return shown(span(safe(`No answer since ${since}: ${trouble.reason}; still trying.`), "bold", "bad"));
  }
  if (figures === null) return shown(span("Waiting for the first answer ..."));
  if (figures.reasons.length > 0) {
    return shown(span(safe(`Attention: ${figures.reasons.join("; ")}`), "bold", "warning"));
  }
  const { text, isWell } = healthWords(figures.stats);
  return shown(span(safe(text), isWell ? "good" : "warning"));
}

function tabLine({ view, looks, size }: TopState): Span[] {
  const tabs = VIEWS.map((one, index) => {
    const text = `${index + 1} ${DEFINITIONS[one].label}`;
    // Brackets tell it where inverse does not.
    return one === view ? span(`[${text}]`, "bold", "inverse") : span(` ${text} `);
  });
  return fitLine(tabs, size.columns, looks.ascii);
}

/** The four lines over the table. */
export function headerLines(state: TopState): Span[][] {
  return [titleLine(state), throughputLine(state), healthLine(state), tabLine(state)];
}
