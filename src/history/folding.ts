import { errorMessage } from "../errors.ts";
import type { Logger } from "../log.ts";
import { AgeClock } from "./age-clock.ts";
import { FoldRows } from "./fold-rows.ts";
import { FoldSteps } from "./fold-steps.ts";
import type { LevelTable } from "./levels.ts";
import { bucketOf, bucketStart } from "./rollup-block.ts";
import type { RollupParts } from "./rollup-parts.ts";
import { PartReader } from "./rollup-reader.ts";
import { RollupSums } from "./rollup-sums.ts";
import type { Store } from "./store.ts";

const INTERVAL_MS = 5000;
const SLICE_MS = 4;
/** Between two slices, for everybody else. */
const PAUSE_MS = 1;
/** After its last window's end a minute stays open for so long: rows are made and queued in that time. */
const GRACE_MS = 15_000;

export interface FoldingOptions {
  store: Store;
  levels: LevelTable;
  parts: RollupParts;
  /** Length of the windows that rows are of, 0 for packets. */
  windowMs: number;
  /** Rows of the time before `untilMs` are to be noted as late. */
  claim: (untilMs: number) => void;
  /** Called when something was folded: rows may be deleted. */
  onFolded: () => void;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Monotonic milliseconds. */
  clock: () => number;
  /** Entries that are summed in memory at a time. */
  maxEntries?: number;
}

/**
 * Folds rows into minutes, minutes into hours, hours into days, in small slices, behind the checkpoints.
 * Whatever ends it, and whenever, each row is in the sums of a level once, or not yet.
 */
export class Folding {
  private readonly timer: Timer;
  private readonly ageClock: AgeClock;
  private readonly sums = new RollupSums();
  private readonly rows: FoldRows;
  private readonly steps: FoldSteps;
  private running: Promise<void> | null = null;
  private isStopped = false;
  private isAgain = false;
  private hasFinished = false;
  private hasFolded = false;

  constructor(private readonly options: FoldingOptions) {
    const { levels, parts, claim, store, log, maxEntries } = options;
    this.ageClock = new AgeClock(options.now, options.clock);
    this.rows = new FoldRows(store.db);
    const reader = new PartReader(store.db, (error) => {
      log.error(`${error.message}; it is left out of the sums`);
    });
    this.steps = new FoldSteps({
      rows: this.rows,
      parts,
      reader,
      levels,
      sums: this.sums,
      claim,
      ...(maxEntries === undefined ? {} : { maxEntries }),
    });
    this.timer = setInterval(() => this.start(), INTERVAL_MS);
    this.timer.unref();
  }

  /** Whether all that could be folded was, at some time since the start. */
  get isCaughtUp(): boolean {
    return this.hasFinished;
  }

  /** Whether sums that are in no database yet name a conversation. */
  holds(conversation: number): boolean {
    return this.sums.has(conversation);
  }

  /** Seconds of history that could be folded and are not. */
  lagSeconds(): number {
    const { levels, now } = this.options;
    const { watermark } = levels.read().minute;
    const sinceMs = watermark === -Infinity ? (this.rows.firstMs(watermark) ?? Infinity) : watermark;
    return Math.max(0, this.limitMs(now()) - sinceMs) / 1000;
  }

  /** Looks for work now, and does all there is. */
  start(): void {
    if (this.isStopped) return;
    this.isAgain = this.running !== null;
    this.running ??= this.work().finally(() => {
      this.running = null;
      if (this.isAgain) this.start();
    });
  }

  /** Resolves when the work that was found is done. */
  async settled(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** Ends after the slice under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async work(): Promise<void> {
    const { store, log } = this.options;
    const rounds = this.rounds();
    try {
      let isDone = false;
      while (!isDone) {
        isDone = await store.behindCheckpoint(() => this.isStopped || this.slice(rounds));
        if (this.isStopped) return;
        // Behind the writer: who starts a checkpoint before it has written makes the WAL longer.
        if (this.hasFolded) setImmediate(this.options.onFolded);
        this.hasFolded = false;
        if (!isDone) await new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      this.hasFinished = true;
    } catch (error) {
      // The writer reports a disk that is full or broken; this begins anew at the next interval.
      log.debug("history: folding stopped", { error: errorMessage(error) });
    } finally {
      this.sums.clear();
    }
  }

  /** True when there is nothing left to do. */
  private slice(rounds: Iterator<void>): boolean {
    const { clock, store } = this.options;
    const until = clock() + SLICE_MS;
    let isDone = false;
    store.transaction(() => {
      do {
        isDone = rounds.next().done === true;
      } while (!isDone && clock() < until);
    });
    return isDone;
  }

  /** All there is to do, in small steps. */
  private *rounds(): Generator<void, void, void> {
    const { steps } = this;
    yield* steps.clear();
    let hasWorked = true;
    while (hasWorked) {
      const now = this.ageClock.read();
      const minute = now !== null && (yield* steps.minute(this.limitMs(now)));
      const hour = yield* steps.coarser("hour");
      const day = yield* steps.coarser("day");
      const late = yield* steps.late();
      hasWorked = minute || hour || day || late;
      this.hasFolded ||= hasWorked;
      yield;
    }
  }

  /** End of the last minute of which no more rows are expected. */
  private limitMs(now: number): number {
    return bucketStart("minute", bucketOf("minute", now - this.options.windowMs - GRACE_MS));
  }
}
