import type { HistoryStatus, LevelStatus } from "../history/types.ts";
import { registerCounter, registerGauge, type Sample } from "./instruments.ts";
import type { Registry } from "./prom-client.ts";

const MS_PER_SECOND = 1000;

/** A sample of each level that has what `pick` picks. */
function byLevel(status: HistoryStatus | null, pick: (level: LevelStatus) => number | null): Sample[] {
  return (status?.levels ?? []).flatMap((level): Sample[] => {
    const value = pick(level);
    return value === null || !Number.isFinite(value) ? [] : [[value, { level: level.level }]];
  });
}

const inSeconds = (ms: number | null): number | null => (ms === null ? null : ms / MS_PER_SECOND);

/** Rows are not sums: what is said of those leaves them out. */
const ofSums = (pick: (level: LevelStatus) => number) => (level: LevelStatus) =>
  level.level === "raw" ? null : pick(level);

function registerLevels(registry: Registry, status: () => HistoryStatus | null): void {
  const labelNames = ["level"] as const;
  registerGauge(registry, {
    name: "ayaflow_history_covered_since_timestamp_seconds",
    help: "All history from then on is there, by level; absent where nothing was ever deleted",
    labelNames,
    read: () => byLevel(status(), ({ sinceMs }) => inSeconds(sinceMs)),
  });
  registerGauge(registry, {
    name: "ayaflow_history_folded_until_timestamp_seconds",
    help: "All history before is summed in the level; absent while none is",
    labelNames,
    read: () => byLevel(status(), ({ untilMs }) => inSeconds(untilMs)),
  });
  registerGauge(registry, {
    name: "ayaflow_history_sums_bytes",
    help: "Size of the sums of a level",
    labelNames,
    read: () =>
      byLevel(
        status(),
        ofSums(({ bytes }) => bytes),
      ),
  });
  registerCounter(registry, {
    name: "ayaflow_history_unfolded_lost_total",
    help: "Rows, or sums of the level below, that went for want of space before they were summed in the level",
    labelNames,
    read: () =>
      byLevel(
        status(),
        ofSums(({ lost }) => lost),
      ),
  });
  registerGauge(registry, {
    name: "ayaflow_history_folding_lag_seconds",
    help: "Time of history that could be summed by minute and is not yet",
    read: () => [[status()?.foldingLagSeconds ?? 0]],
  });
}

/** Registers everything read from the history. */
export function registerHistory(registry: Registry, status: () => HistoryStatus | null): void {
  registerCounter(registry, {
    name: "ayaflow_history_rows_written_total",
    help: "Rows written to the history database",
    read: () => [[status()?.rowsWritten ?? 0]],
  });
  registerCounter(registry, {
    name: "ayaflow_history_rows_dropped_total",
    help: "Rows that history could not keep, by reason",
    labelNames: ["reason"],
    read: () => Object.entries(status()?.rowsDropped ?? {}).map(([reason, count]) => [count, { reason }]),
  });
  registerGauge(registry, {
    name: "ayaflow_history_queued_rows",
    help: "Rows waiting to be written",
    read: () => [[status()?.queued ?? 0]],
  });
  registerGauge(registry, {
    name: "ayaflow_history_database_bytes",
    help: "Size of the history database",
    read: () => [[status()?.databaseBytes ?? 0]],
  });
  registerGauge(registry, {
    name: "ayaflow_history_up",
    help: "1 while rows are being written, 0 while history is failing or could not be opened",
    read: () => [[status()?.failing === null ? 1 : 0]],
  });
  registerLevels(registry, status);
}
