import { errorMessage } from "../errors.ts";
import type { Logger } from "../log.ts";
import { classifyFailure, type DropReason, type Failure } from "./errors.ts";
import { Identities } from "./identities.ts";
import { InterfaceTable } from "./interfaces.ts";
import { readLevels } from "./levels.ts";
import { emptyRow, RowQueue } from "./queue.ts";
import { RowInserter } from "./row-inserter.ts";
import { SegmentTracker } from "./segments.ts";
import type { Store } from "./store.ts";
import type { RowValues, WriterStatus } from "./types.ts";
import { Wakeup } from "./wakeup.ts";

const QUEUE_CAPACITY = 100_000;
const SLICE_MS = 6;
const ROWS_PER_CLOCK = 128;
/** With fewer rows queued a slice waits a little for more: each costs a commit. */
const EAGER_ROWS = 2048;
const GATHER_MS = 20;
const RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** How often its threshold the WAL may grow to while the disk is slow, before rows are lost. */
const MAX_WAL_GROWTH = 16;
/** Rows appended between two looks at whether to go on waiting for a checkpoint. */
const ROWS_PER_LOOK = 1024;
/** Rows of the first slice after a failure: should it fail again, few are lost. */
const PROBE_ROWS = 64;

export interface HistoryWriterOptions {
  store: Store;
  log: Logger;
  /** Monotonic milliseconds. */
  clock: () => number;
  /** Called after each checkpoint: the database has grown. */
  onCheckpoint?: () => void;
  queueCapacity?: number;
  /** What a slice may take, its commit not included. */
  sliceMs?: number;
  /** First wait after a failure; doubles up to 10 s. */
  retryMs?: number;
}

/**
 * Writes history rows in slices between which the event loop runs. It never throws at its callers:
 * rows appended = rows written + rows dropped + rows queued, at any time.
 */
export class HistoryWriter {
  readonly segments: SegmentTracker;
  readonly identities = new Identities();
  readonly interfaces: InterfaceTable;
  private readonly inserter: RowInserter;
  private readonly queue: RowQueue;
  /** The row at hand. */
  private readonly row = emptyRow();
  /** Rows that the queue takes: none once all that come are lost. */
  private limit: number;
  private readonly sliceMs: number;
  private readonly firstRetryMs: number;
  private readonly dropped: Record<DropReason, number> = {
    queue_full: 0,
    disk_full: 0,
    write_error: 0,
    shutdown: 0,
  };
  private written = 0;
  private failure: Failure | null = null;
  private retryMs: number;
  private isClosed = false;
  private isWaiting = false;
  private readonly wakeup = new Wakeup(() => this.run());

  constructor(private readonly options: HistoryWriterOptions) {
    const { store } = options;
    this.queue = new RowQueue(options.queueCapacity ?? QUEUE_CAPACITY, this.identities);
    this.limit = this.queue.capacity;
    this.sliceMs = options.sliceMs ?? SLICE_MS;
    this.firstRetryMs = options.retryMs ?? RETRY_MS;
    this.retryMs = this.firstRetryMs;
    this.segments = new SegmentTracker(store.db);
    this.recover();
    this.interfaces = new InterfaceTable(store.db);
    const { watermark } = readLevels(store.db).minute;
    const { segments, identities, interfaces } = this;
    this.inserter = new RowInserter(store.db, segments, identities, interfaces, watermark);
  }

  // Without it searches only take longer.
  private recover(): void {
    try {
      this.options.store.transaction(() => this.segments.recover());
    } catch (error) {
      this.options.log.warn("history: segments left by a crash stay open", { error: errorMessage(error) });
    }
  }

  /** Rows of the time before `untilMs` that are written from now on are noted as late. */
  claim(untilMs: number): void {
    this.inserter.claim(untilMs);
  }

  /** Queues a row about an identity of `identities`. False when it was dropped, and counted. */
  appendOf(identity: number, row: RowValues): boolean {
    return this.accepts ? this.enqueue(identity, row) : this.refuse();
  }

  /** Whether a row would be queued. Where not, to `refuse` it costs less than to make it. */
  get accepts(): boolean {
    return this.queue.length < this.limit;
  }

  /** Counts a row that is not even made as dropped. */
  refuse(): false {
    this.dropped[this.isClosed ? "shutdown" : (this.failure?.reason ?? "queue_full")]++;
    return false;
  }

  status(): WriterStatus {
    return {
      rowsWritten: this.written,
      rowsDropped: { ...this.dropped },
      queued: this.queue.length,
      queueCapacity: this.queue.capacity,
      databaseBytes: this.options.store.totalBytes(),
      failing: this.failure?.message ?? null,
    };
  }

  /**
   * Writes what is queued for at most `deadlineMs` milliseconds. What is left then, or cannot be written,
   * is dropped as `shutdown`, or for the reason why writing fails.
   */
  async flush(deadlineMs: number): Promise<void> {
    const { clock, store } = this.options;
    const end = clock() + deadlineMs;
    let isFailing = false;
    while (this.queue.length > 0 && !isFailing && clock() < end) {
      if (store.isLocked) await store.checkpointIfDue();
      this.slice(Infinity);
      isFailing = this.failure !== null;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.dropFirst(this.queue.length, this.failure?.reason ?? "shutdown");
  }

  /** Stops; rows still queued, and any that come, are dropped as `shutdown`. */
  close(): void {
    this.isClosed = true;
    this.limit = 0;
    this.wakeup.cancel();
    this.dropFirst(this.queue.length, "shutdown");
  }

  private enqueue(identity: number, row: RowValues): boolean {
    this.queue.push(identity, row);
    // Looking is a system call: not for each row.
    if (!this.isWaiting || this.queue.length % ROWS_PER_LOOK === 0) this.schedule();
    return true;
  }

  private schedule(): void {
    if (this.wakeup.isNext || this.failure !== null || this.mustWait()) return;
    if (this.queue.length >= EAGER_ROWS) this.wakeup.next();
    else this.wakeup.within(GATHER_MS);
  }

  /** One slice and what is to follow it. */
  private run(): void {
    if (this.isClosed || this.failure?.isPermanent === true) return;
    this.followCheckpoint();
    if (!this.mustWait()) this.writeOn();
  }

  private writeOn(): void {
    this.slice(this.failure === null ? Infinity : PROBE_ROWS);
    this.followCheckpoint();
    if (this.queue.length > 0) this.schedule();
  }

  /** Starts a checkpoint if one is due; `run` goes on after it. */
  private followCheckpoint(): void {
    if (this.isWaiting) return;
    const checkpoint = this.options.store.checkpointIfDue();
    if (checkpoint === null) return;
    this.isWaiting = true;
    void checkpoint.then((error) => {
      // Behind retention, which waits too: were it to write during the next checkpoint, the WAL would never be cut.
      setImmediate(() => this.checkpointed(error));
    });
  }

  private checkpointed(error: Error | null): void {
    this.isWaiting = false;
    if (this.isClosed) return;
    this.options.onCheckpoint?.();
    if (error !== null) this.fail(error, 0);
    else if (this.failure?.isPermanent !== true) this.writeOn();
  }

  /** Rows wait while a checkpoint runs, so that the WAL can begin anew; unless the disk is slow and they get many. */
  private mustWait(): boolean {
    if (!this.isWaiting) return false;
    const { store } = this.options;
    return (
      store.isLocked ||
      this.queue.length < this.queue.capacity / 2 ||
      store.walBytes() > MAX_WAL_GROWTH * store.walThreshold
    );
  }

  private slice(maxRows: number): void {
    const { store } = this.options;
    let attempted = 0;
    try {
      if (this.segments.isFull) {
        store.transaction(() => this.segments.finishSets());
        this.segments.next();
      }
      if (this.queue.length > 0) {
        store.transaction(() => {
          const until = this.options.clock() + this.sliceMs;
          const rows = Math.min(this.queue.length, maxRows);
          while (attempted < rows) {
            this.queue.read(attempted++, this.row);
            this.inserter.insert(this.row);
            if (attempted % ROWS_PER_CLOCK === 0 && this.options.clock() >= until) break;
          }
          this.segments.store();
        });
      }
    } catch (error) {
      this.inserter.rolledBack();
      this.fail(error, attempted);
      return;
    }
    this.inserter.committed();
    this.queue.drop(attempted);
    this.written += attempted;
    this.succeeded(attempted);
  }

  private succeeded(rows: number): void {
    if (rows > PROBE_ROWS) this.retryMs = this.firstRetryMs;
    if (this.failure === null) return;
    if (rows === 0) {
      // Nothing was tried: still failing, as far as is known.
      this.retry();
      return;
    }
    this.failure = null;
    this.options.log.info("history: rows are written again", { lost: this.lostToFailure() });
  }

  private fail(error: unknown, attempted: number): void {
    const failure = classifyFailure(error, this.options.store.path);
    if (this.failure?.message !== failure.message) {
      this.options.log.error(`history: ${failure.message}; traffic is counted on, rows wait or are lost`);
    }
    this.failure = failure;
    this.wakeup.cancel();
    if (failure.isPermanent) this.giveUp(failure.reason);
    else if (!failure.isBusy) this.dropFirst(attempted, failure.reason);
    if (!failure.isPermanent) this.retry();
  }

  private giveUp(reason: DropReason): void {
    this.limit = 0;
    this.dropFirst(this.queue.length, reason);
  }

  private retry(): void {
    this.wakeup.after(this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS);
  }

  private dropFirst(rows: number, reason: DropReason): void {
    this.queue.drop(rows);
    this.dropped[reason] += rows;
  }

  private lostToFailure(): number {
    return this.dropped.disk_full + this.dropped.write_error;
  }
}

/** Makes the writer of the database that `options.store` keeps. */
export function createHistoryWriter(options: HistoryWriterOptions): HistoryWriter {
  return new HistoryWriter(options);
}
