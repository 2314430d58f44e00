import { lossWords } from "../flow/loss-words.ts";
import { formatBytes, formatDuration, formatExact, formatRate } from "../top/numbers.ts";
import { safeText } from "../top/text.ts";
import type { Terminal } from "./ask-terminal.ts";
import { formatLocal } from "./ask-time.ts";
import { coverageLines } from "./history-about.ts";
import { type HealthAnswer, type LevelsAnswer, levelsSchema, type StatsAnswer } from "./stats-answers.ts";
import { type Column, formatTable } from "./table.ts";

const LABEL_CELLS = 13;

const INTERFACE_COLUMNS: readonly Column[] = [
  { head: "IFACE", align: "left" },
  { head: "DIRECTION", align: "left" },
  { head: "BYTES", align: "right" },
  { head: "PACKETS", align: "right" },
  { head: "IN CONNECTIONS", align: "right" },
  { head: "NO ROOM", align: "right", rank: 1 },
  { head: "NOT IP", align: "right", rank: 2 },
  { head: "MALFORMED", align: "right", rank: 3 },
];

/** Losses of the writer and the stream, which the agent's own words leave out. */
const MORE_LOSSES: Readonly<Record<string, string>> = {
  "history/queue_full": "rows came faster than the disk took them",
  "history/disk_full": "the disk was full: rows were not stored",
  "history/write_error": "rows could not be written",
  "history/shutdown": "rows were still queued when the agent had to end",
  "history/stale_packet": "raw packets were read after their connection was gone: no row",
  "stream/slow_reader": "messages to readers of /api/stream that did not keep up",
};

const line = (label: string, text: string) => `${`${label}:`.padEnd(LABEL_CELLS)}  ${text}\n`;

/** Lines under one label, which stands before the first only. */
function block(label: string, texts: readonly string[]): string {
  return texts
    .map((text, index) => (index === 0 ? line(label, text) : `${" ".repeat(LABEL_CELLS)}  ${text}\n`))
    .join("");
}

/** A share of 1 that says 100% only when nothing is missing. */
function coverageText({ coverage, total_packets, attributed_packets, interfaces }: StatsAnswer): string {
  if (total_packets === 0) return "nothing was seen yet";
  // Such packets have nothing by which to tell them at a second interface: they count at each.
  const notIp = interfaces.reduce((sum, one) => sum + one.not_ip_packets, 0);
  const missing = total_packets - notIp - attributed_packets;
  if (missing <= 0) return "100%: every packet belongs to a connection that is shown";
  const percent = Math.floor(coverage * 10_000) / 100;
  return `${percent}%: ${formatExact(missing)} packets are counted, but not by connection`;
}

/** What several interfaces saw. */
function againText({ duplicate_packets }: StatsAnswer): string {
  if (duplicate_packets === 0) return "";
  return `, each once; ${formatExact(duplicate_packets)} times one was seen at a further interface`;
}

function lossLines({ losses }: StatsAnswer): string[] {
  const lost = losses.filter(({ count }) => count > 0);
  if (lost.length === 0) return ["nothing"];
  return lost.map((loss) => {
    const words = MORE_LOSSES[`${loss.stage}/${loss.reason}`] ?? lossWords(loss);
    return `${formatExact(loss.count)}  ${loss.stage}/${loss.reason}: ${words}`;
  });
}

/** What history covers, one line a level, and what that takes. */
function levelLines(levels: LevelsAnswer): string[] {
  return levels.flatMap((level) => {
    const size = level.bytes === 0 ? "" : `, ${formatBytes(level.bytes)}`;
    const lost = level.lost === 0 ? "" : `; ${formatExact(level.lost)} were deleted before they were summed`;
    return coverageLines([level]).map((text) => text + size + lost);
  });
}

function historyLines({ history }: StatsAnswer): string[] {
  if (history === null) return ["none: it could not be opened"];
  const waiting = history.queued === 0 ? "" : `, ${formatExact(history.queued)} waiting`;
  return [
    `${formatExact(history.rows_written)} rows written${waiting}; the database has ${formatBytes(history.database_bytes)}`,
    ...(history.failing === null ? [] : [`FAILING: ${history.failing}`]),
    ...levelLines(history.levels),
  ];
}

/** `ayaflow stats` of a running agent, for a person. */
export function statsReport(
  place: string,
  stats: StatsAnswer,
  health: HealthAnswer,
  terminal: Terminal,
): string {
  const { interfaces, table } = stats;
  const rows = interfaces.map((one) => [
    safeText(one.interface, terminal.ascii),
    one.direction === "ingress" ? "in" : "out",
    formatBytes(one.bytes),
    formatExact(one.packets),
    formatExact(one.attributed_packets),
    formatExact(one.overflow_packets),
    formatExact(one.not_ip_packets),
    formatExact(one.malformed_packets),
  ]);
  const state = health.reasons.length === 0 ? "all is well" : `degraded: ${health.reasons.join("; ")}`;
  const text = [
    line("agent", `${place}, running for ${formatDuration(stats.uptime_seconds)}`),
    line("state", state),
    line(
      "now",
      `${formatRate(stats.bytes_per_second)}, ${formatExact(Math.round(stats.packets_per_second))} packets/s`,
    ),
    line(
      "connections",
      `${formatExact(stats.active_connections)} active; room for ${formatExact(table.size)}`,
    ),
    line(
      "since start",
      `${formatBytes(stats.total_bytes)} in ${formatExact(stats.total_packets)} packets${againText(stats)}`,
    ),
    line("coverage", coverageText(stats)),
    block("lost", lossLines(stats)),
    block("history", historyLines(stats)),
  ].join("");
  const safe = text
    .split("\n")
    .map((one) => safeText(one, terminal.ascii))
    .join("\n");
  return rows.length === 0 ? safe : `${safe}\n${formatTable(INTERFACE_COLUMNS, rows, terminal)}`;
}

/** What a database covers and takes, as `--json` prints it. */
export interface FileStats {
  path: string;
  /** With the -wal beside it. */
  database_bytes: number;
  /** Times of the first and the last row (RFC 3339); null without rows. */
  oldest_row: string | null;
  newest_row: string | null;
  /** As `/api/stats` shows them. */
  levels: readonly object[];
}

/** `ayaflow stats --db`, for a person. */
export function fileReport(stats: FileStats, { ascii }: Terminal): string {
  const { oldest_row: oldest, newest_row: newest } = stats;
  const local = (text: string) => formatLocal(Date.parse(text));
  const rows = oldest === null || newest === null ? "none" : `from ${local(oldest)} to ${local(newest)}`;
  return (
    line("database", `${safeText(stats.path, ascii)}, ${formatBytes(stats.database_bytes)}`) +
    line("rows", rows) +
    block("covers", levelLines(levelsSchema.parse(stats.levels)))
  );
}
