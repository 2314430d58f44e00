/** Rows through the history writer of an agent, and what they take. */
import { rmSync, statSync } from "node:fs";
import { openHistory } from "../../../src/history/history.ts";
import { createLogger } from "../../../src/log.ts";
import { type HistoryRow, RowFeed } from "../../support/history-rows.ts";

export interface WriteShape {
  name: string;
  rows: number;
  /** Rows a second, in bursts each BURST_MS as the ring brings them; as fast as they are taken unless given. */
  rate?: number;
  /** Database and WAL together; unlimited unless given. */
  maxDbSizeBytes?: number;
  /** Makes the next row. */
  next: () => HistoryRow;
}

export interface WriteCost {
  name: string;
  rows: number;
  rowsPerSecond: number;
  /** Share of one processor of all threads, making the rows not counted, in percent. */
  cpuPercent: number;
  /** Nanoseconds of processor, user and system, for a row, making it not counted. */
  cpuNsPerRow: number;
  /** Of the database file when closed; null when a cap left only some of the rows in it. */
  bytesPerRow: number | null;
  /** Milliseconds that history held the event loop at a time. */
  longestHoldMs: number;
  dropped: number;
  /** Largest size of database and WAL, as the agent tells it. */
  largestBytes: number;
}

const BURST_MS = 20;
const LARGEST_BURST_ROWS = 4000;
const FLUSH_MS = 60_000;
/** Rows that making one is timed with. */
const CALIBRATION_ROWS = 300_000;

/** Microseconds of processor that this process had, all threads. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** An open history of the file `path`, without a limit by age. */
export function openAt(path: string, maxDbSizeBytes = Number.MAX_SAFE_INTEGER) {
  return openHistory({
    path,
    lockFile: () => ({ release: () => undefined }),
    maxDbSizeBytes,
    dataRetentionSeconds: 0,
    log: createLogger("warn", "text"),
    now: Date.now,
  });
}

/** Nanoseconds of processor that making a row takes. */
export function makingNs(next: () => HistoryRow): number {
  const started = cpuMicroseconds();
  for (let made = 0; made < CALIBRATION_ROWS; made++) next();
  return ((cpuMicroseconds() - started) * 1000) / CALIBRATION_ROWS;
}

/** Writes the rows of `shape` to a new file `path`. `ownNs` is what making a row takes, by `makingNs`. */
export async function writeRows(path: string, shape: WriteShape, ownNs: number): Promise<WriteCost> {
  const { name, rows, rate, next } = shape;
  const history = openAt(path, shape.maxDbSizeBytes);
  const { writer } = history;
  const feed = new RowFeed(writer);
  const started = performance.now();
  const cpu = cpuMicroseconds();
  let largestBytes = 0;
  for (let appended = 0; appended < rows; ) {
    const { queued, queueCapacity, databaseBytes } = writer.status();
    largestBytes = Math.max(largestBytes, databaseBytes);
    const due =
      rate === undefined
        ? Math.min(LARGEST_BURST_ROWS, queueCapacity - queued)
        : Math.floor(((performance.now() - started) * rate) / 1000) - appended;
    const end = Math.min(rows, appended + Math.max(0, due));
    for (; appended < end; appended++) feed.append(next());
    await Bun.sleep(rate === undefined ? 0 : BURST_MS);
  }
  await writer.flush(FLUSH_MS);
  const seconds = (performance.now() - started) / 1000;
  const cpuNs = (cpuMicroseconds() - cpu) * 1000 - rows * ownNs;
  const { rowsWritten, rowsDropped } = writer.status();
  await history.close();
  return {
    name,
    rows,
    rowsPerSecond: rowsWritten / seconds,
    cpuPercent: cpuNs / 1e7 / seconds,
    cpuNsPerRow: cpuNs / rowsWritten,
    bytesPerRow: shape.maxDbSizeBytes === undefined ? statSync(path).size / rowsWritten : null,
    longestHoldMs: history.longestHoldMs(),
    dropped: Object.values(rowsDropped).reduce((sum, count) => sum + count, 0),
    largestBytes,
  };
}

/** Removes a database with what SQLite keeps beside it. */
export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}
