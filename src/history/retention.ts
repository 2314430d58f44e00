import type { Statement } from "bun:sqlite";
import type { Logger } from "../log.ts";
import { errorMessage } from "../errors.ts";
import { AgeClock } from "./age-clock.ts";
import { OrphanSweep } from "./orphans.ts";
import { idMs, SUB_RANGE } from "./rowid.ts";
import type { SegmentTracker } from "./segments.ts";
import type { Store } from "./store.ts";

const INTERVAL_MS = 10_000;
const SLICE_MS = 4;
/** Between two slices, for everybody else. */
const PAUSE_MS = 1;
const ROWS_PER_STEP = 2000;
const SEGMENTS_PER_STEP = 64;
const PAGES_PER_STEP = 64;
/** Orphans are looked for once this share of the segments is gone. */
const SWEEP_SHARE = 1 / 8;
/** Free pages up to this share of the file are kept for rows to come. */
const FREE_SHARE = 1 / 10;
const MIN_FREE_PAGES = 256;
/** Room kept for the WAL and for what is written before rows are deleted, in thresholds of the WAL. */
const WAL_RESERVE = 6;
const MAX_ID = "9223372036854775807";
/** Having reached the cap, goes this far below it. */
const SLACK_SHARE = 1 / 100;

export interface RetentionOptions {
  store: Store;
  segments: SegmentTracker;
  /** Database and WAL together. */
  maxDbSizeBytes: number;
  /** 0 keeps rows for as long as there is space. */
  dataRetentionSeconds: number;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Monotonic milliseconds. */
  clock: () => number;
}

/** Keeps history within its age and size: deletes the oldest rows, then what only they used, in small slices. */
export class Retention {
  private readonly timer: Timer;
  private readonly ageClock: AgeClock;
  private readonly pageSize: number;
  private readonly deleteOldest: Statement<unknown, [number, number]>;
  private readonly deleteEmptySegments: Statement<unknown, [number, number]>;
  private running: Promise<void> | null = null;
  private isStopped = false;
  private isShrinking = false;
  private sweep: OrphanSweep | null = null;
  private usedBeforeSweep = 0;
  private segmentsGone = 0;

  constructor(private readonly options: RetentionOptions) {
    const { db } = options.store;
    this.ageClock = new AgeClock(options.now, options.clock);
    this.pageSize = this.pragma("page_size");
    this.deleteOldest = db.prepare(
      `DELETE FROM rows WHERE id <=
         (SELECT max(id) FROM (SELECT id FROM rows WHERE id < ?1 * ${SUB_RANGE} ORDER BY id LIMIT ?2))`,
    );
    this.deleteEmptySegments = db.prepare(
      `DELETE FROM segments WHERE id IN (
         SELECT id FROM segments WHERE last_id < coalesce((SELECT min(id) FROM rows), ${MAX_ID}) AND id <> ?1
         ORDER BY last_id LIMIT ?2)`,
    );
    this.timer = setInterval(() => this.start(), INTERVAL_MS);
    this.timer.unref();
  }

  /** Looks for work now, and does all there is. */
  start(): void {
    if (this.isStopped) return;
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
  }

  /** Resolves when the work that was found is done. */
  async settled(): Promise<void> {
    await this.running;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async work(): Promise<void> {
    const { store } = this.options;
    try {
      let isDone = false;
      while (!isDone && !this.isStopped) {
        const error = await store.checkpointIfDue();
        if (error !== null) throw error;
        if (this.isStopped) return;
        isDone = this.slice();
        if (!isDone) await new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      await store.checkpointIfDue();
    } catch (error) {
      // The writer reports a disk that is full or broken; this tries again at the next interval.
      this.sweep = null;
      this.options.log.debug("history: retention stopped", { error: errorMessage(error) });
    }
  }

  /** True when there is nothing left to do. */
  private slice(): boolean {
    const { clock, store } = this.options;
    const until = clock() + SLICE_MS;
    let isDone = false;
    store.transaction(() => {
      do {
        isDone = !this.step();
      } while (!isDone && clock() < until);
    });
    return isDone;
  }

  /** Does a little of all that is needed; false when nothing is. */
  private step(): boolean {
    const hasSwept = this.sweepOrphans();
    const hasDeleted = this.deleteRows();
    const hasCleared = this.deleteSegments();
    return hasSwept || hasDeleted || hasCleared || this.giveBackPages();
  }

  private deleteRows(): boolean {
    const before = this.boundary();
    if (before === null) return false;
    return this.deleteOldest.run(before, ROWS_PER_STEP).changes > 0;
  }

  /** Rows of milliseconds before this one go: too old, or the oldest while there is too much; null for none. */
  private boundary(): number | null {
    if (this.isOverSize()) return idMs(Infinity);
    const { dataRetentionSeconds } = this.options;
    const now = this.ageClock.read();
    return dataRetentionSeconds === 0 || now === null ? null : idMs(now - dataRetentionSeconds * 1000);
  }

  private isOverSize(): boolean {
    const { store, maxDbSizeBytes } = this.options;
    const used = this.usedBytes();
    // At most a quarter: a WAL that a reader holds back would eat up all rows.
    const wal = Math.min(Math.max(store.walBytes(), WAL_RESERVE * store.walThreshold), maxDbSizeBytes / 4);
    // What a sweep will free is not known yet: until then rows only make room for new ones.
    const limit = Math.max(maxDbSizeBytes - wal, this.sweep === null ? 0 : this.usedBeforeSweep);
    this.isShrinking = used > (this.isShrinking ? limit - maxDbSizeBytes * SLACK_SHARE : limit);
    return this.isShrinking;
  }

  private deleteSegments(): boolean {
    const gone = this.deleteEmptySegments.run(this.options.segments.openId, SEGMENTS_PER_STEP).changes;
    this.segmentsGone += gone;
    return gone > 0;
  }

  private sweepOrphans(): boolean {
    if (this.sweep === null) {
      if (this.segmentsGone === 0 || this.segmentsGone < this.countSegments() * SWEEP_SHARE) return false;
      this.segmentsGone = 0;
      this.usedBeforeSweep = this.usedBytes();
      this.sweep = this.beginSweep(0);
      if (this.sweep === null) return false;
    }
    if (this.sweep.step()) this.sweep = this.beginSweep(this.sweep.end);
    return true;
  }

  private beginSweep(from: number): OrphanSweep | null {
    return OrphanSweep.begin(this.options.store.db, this.options.segments, from);
  }

  private giveBackPages(): boolean {
    const { store, maxDbSizeBytes } = this.options;
    const pages = this.pragma("page_count");
    const free = this.pragma("freelist_count");
    const isTooLarge = pages * this.pageSize + store.walBytes() > maxDbSizeBytes && free > 0;
    const isMostlyFree = free > MIN_FREE_PAGES && free > pages * FREE_SHARE;
    if (!isTooLarge && !isMostlyFree) return false;
    store.db.run(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`);
    // The file itself becomes shorter at a checkpoint.
    store.checkpointSoon();
    return true;
  }

  private usedBytes(): number {
    return (this.pragma("page_count") - this.pragma("freelist_count")) * this.pageSize;
  }

  private countSegments(): number {
    return this.options.store.db.query<{ n: number }, []>("SELECT count(*) AS n FROM segments").get()?.n ?? 0;
  }

  private pragma(name: "page_count" | "freelist_count" | "page_size"): number {
    const row = this.options.store.db.query<Record<string, number>, []>(`PRAGMA ${name}`).get();
    return row?.[name] ?? 0;
  }
}
