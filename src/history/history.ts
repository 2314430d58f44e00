import { statSync } from "node:fs";
import { Database } from "bun:sqlite";
import type { Logger } from "../log.ts";
import { SqlConnection } from "./connection.ts";
import { type LockFile, openDatabase } from "./database.ts";
import { createHistoryReader, type HistoryReader } from "./query.ts";
import { Retention } from "./retention.ts";
import { Store } from "./store.ts";
import type { HistoryStatus } from "./types.ts";
import { createHistoryWriter, type HistoryWriter } from "./writer.ts";

const MAX_WAL_BYTES = 4 * 1024 * 1024;
const MIN_WAL_BYTES = 256 * 1024;
/** The WAL may have this share of the size cap. */
const WAL_SHARE = 1 / 128;

export interface HistoryOptions {
  path: string;
  lockFile: LockFile;
  /** Database and WAL together. */
  maxDbSizeBytes: number;
  /** 0 keeps rows for as long as there is space. */
  dataRetentionSeconds: number;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Monotonic milliseconds; performance.now by default. */
  clock?: () => number;
  queueCapacity?: number;
}

/** The open history of an agent. */
export interface History {
  writer: HistoryWriter;
  reader: HistoryReader;
  retention: Retention;
  status(): HistoryStatus;
  /** The longest that history has held the event loop at a time, in milliseconds. */
  longestHoldMs(): number;
  /** Stops and closes; flush the writer first to keep what is queued. */
  close: () => Promise<void>;
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

function moved(path: string): string {
  return `${path} was moved, replaced or deleted, rows go to the file that was there: restart the agent`;
}

/**
 * Opens the history of one agent for writing and reading.
 * @throws AyaflowError when the file is in use, newer, broken, another application's, or cannot be made.
 */
export function openHistory(options: HistoryOptions): History {
  const { path, log, now, maxDbSizeBytes, dataRetentionSeconds } = options;
  const clock = options.clock ?? (() => performance.now());
  const { db, close } = openDatabase(path, options.lockFile);
  const inode = inodeOf(path);
  const walThreshold = Math.max(MIN_WAL_BYTES, Math.min(MAX_WAL_BYTES, maxDbSizeBytes * WAL_SHARE));
  const guard = new SqlConnection(new Database(path, { readonly: true }));
  const store = new Store(path, db, close, guard, walThreshold, clock);
  const writer = createHistoryWriter({
    store,
    log,
    clock,
    onCheckpoint: () => retention.start(),
    ...(options.queueCapacity === undefined ? {} : { queueCapacity: options.queueCapacity }),
  });
  const retention = new Retention({
    store,
    segments: writer.segments,
    maxDbSizeBytes,
    dataRetentionSeconds,
    log,
    now,
    clock,
  });
  const reader = createHistoryReader(path, clock);
  retention.start();
  let closing: Promise<void> | null = null;
  const closeAll = async () => {
    writer.close();
    await retention.stop();
    reader.close();
    await store.close();
  };
  return {
    writer,
    reader,
    retention,
    status: () => {
      const status = writer.status();
      return { ...status, failing: status.failing ?? (inodeOf(path) === inode ? null : moved(path)) };
    },
    longestHoldMs: () => store.longestHoldMs,
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
