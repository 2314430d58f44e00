import { statSync } from "node:fs";
import { Database } from "bun:sqlite";
import { errorMessage } from "../errors.ts";
import type { Logger } from "../log.ts";
import { SqlConnection } from "./connection.ts";
import { type LockFile, openDatabase } from "./database.ts";
import { Folding } from "./folding.ts";
import { coverageOf, type LevelState, LevelTable } from "./levels.ts";
import { createHistoryReader, type HistoryReader } from "./query.ts";
import { type LevelSeconds, Retention } from "./retention.ts";
import { RollupParts } from "./rollup-parts.ts";
import type { Level } from "./rollup-types.ts";
import { Store } from "./store.ts";
import type { HistoryStatus, LevelStatus } from "./types.ts";
import { createHistoryWriter, type HistoryWriter } from "./writer.ts";

const WINDOW_MS = 10_000;
const KEEP_ALL: LevelSeconds = { raw: 0, minute: 0, hour: 0, day: 0 };
const MAX_WAL_BYTES = 4 * 1024 * 1024;
const MIN_WAL_BYTES = 256 * 1024;
/** The WAL may have this share of the size cap. */
const WAL_SHARE = 1 / 128;

/** The sizes and ages are read at each use, so that getters may change them; call `retention.start` then. */
export interface HistoryOptions {
  path: string;
  lockFile: LockFile;
  /** Database and WAL together. */
  maxDbSizeBytes: number;
  /** Nothing of any level is kept for longer; 0 for no such bound. */
  dataRetentionSeconds: number;
  /** How long each level is kept; 0, as by default, for as long as there is space. */
  levelSeconds?: LevelSeconds;
  /** Length of the windows that rows are of, 0 for packets; 10 s by default. */
  windowMs?: number;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Monotonic milliseconds; performance.now by default. */
  clock?: () => number;
  queueCapacity?: number;
  /** Entries that are summed in memory at a time. */
  maxFoldEntries?: number;
}

/** The open history of an agent. */
export interface History {
  writer: HistoryWriter;
  reader: HistoryReader;
  folding: Folding;
  retention: Retention;
  status(): HistoryStatus;
  /** The longest that history has held the event loop at a time, in milliseconds. */
  longestHoldMs(): number;
  /** Stops and closes; flush the writer first to keep what is queued. */
  close: () => Promise<void>;
}

function levelStatus(states: Record<Level, LevelState>): LevelStatus[] {
  return coverageOf(states).map((coverage) => {
    const { parts, bytes, lost } = states[coverage.level];
    return { ...coverage, parts, bytes, lost };
  });
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
  const { path, log, now, maxDbSizeBytes } = options;
  const clock = options.clock ?? (() => performance.now());
  const { db, close } = openDatabase(path, options.lockFile);
  const inode = inodeOf(path);
  const walThreshold = Math.max(MIN_WAL_BYTES, Math.min(MAX_WAL_BYTES, maxDbSizeBytes * WAL_SHARE));
  const guard = new SqlConnection(new Database(path, { readonly: true }));
  const store = new Store(path, db, close, guard, walThreshold, clock);
  const levels = new LevelTable(db);
  const parts = new RollupParts(db, levels, (error) => {
    log.error(`${errorMessage(error)}; it is replaced by what is folded into it now`);
  });
  const writer = createHistoryWriter({
    store,
    log,
    clock,
    onCheckpoint: () => {
      retention.start();
      // Behind the writer: a checkpoint that this begins would otherwise be in its way.
      setImmediate(() => folding.start());
    },
    ...(options.queueCapacity === undefined ? {} : { queueCapacity: options.queueCapacity }),
  });
  const folding = new Folding({
    store,
    levels,
    parts,
    windowMs: options.windowMs ?? WINDOW_MS,
    claim: (untilMs) => writer.claim(untilMs),
    onFolded: () => retention.start(),
    log,
    now,
    clock,
    ...(options.maxFoldEntries === undefined ? {} : { maxEntries: options.maxFoldEntries }),
  });
  const retention = new Retention({
    store,
    segments: writer.segments,
    interfaces: writer.interfaces,
    levels,
    parts,
    folding,
    get maxDbSizeBytes() {
      return options.maxDbSizeBytes;
    },
    get dataRetentionSeconds() {
      return options.dataRetentionSeconds;
    },
    get levelSeconds() {
      return options.levelSeconds ?? KEEP_ALL;
    },
    log,
    now,
    clock,
  });
  const reader = createHistoryReader(path, clock);
  folding.start();
  retention.start();
  let closing: Promise<void> | null = null;
  const closeAll = async () => {
    writer.close();
    await Promise.all([folding.stop(), retention.stop()]);
    reader.close();
    await store.close();
  };
  return {
    writer,
    reader,
    folding,
    retention,
    status: () => {
      const status = writer.status();
      return {
        ...status,
        failing: status.failing ?? (inodeOf(path) === inode ? null : moved(path)),
        levels: levelStatus(levels.read()),
        foldingLagSeconds: folding.lagSeconds(),
      };
    },
    longestHoldMs: () => store.longestHoldMs,
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
