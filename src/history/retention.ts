import { errorMessage } from "../errors.ts";
import type { Logger } from "../log.ts";
import { AgeClock } from "./age-clock.ts";
import type { Folding } from "./folding.ts";
import type { InterfaceTable } from "./interfaces.ts";
import type { LevelTable } from "./levels.ts";
import { OrphanRetention } from "./orphan-retention.ts";
import { PartRetention } from "./part-retention.ts";
import type { RollupParts } from "./rollup-parts.ts";
import { type Level, ROLLUP_LEVELS } from "./rollup-types.ts";
import { RowRetention } from "./row-retention.ts";
import type { SegmentTracker } from "./segments.ts";
import { Space } from "./space.ts";
import type { Store } from "./store.ts";

const INTERVAL_MS = 10_000;
const SLICE_MS = 4;
/** Between two slices, for everybody else. */
const PAUSE_MS = 1;
/** Up to this share of the largest size neither rows nor sums have to give way to the other. */
const SHARE = 1 / 2;
const FEW_BYTES = 256 * 1024;

/** Seconds that each level is kept for; 0 for as long as there is space. */
export type LevelSeconds = Readonly<Record<Level, number>>;

/** The sizes and ages are read at each use: they may change. */
export interface RetentionOptions {
  store: Store;
  segments: SegmentTracker;
  interfaces: InterfaceTable;
  levels: LevelTable;
  parts: RollupParts;
  folding: Pick<Folding, "isCaughtUp" | "holds">;
  /** Database and WAL together. */
  maxDbSizeBytes: number;
  /** Nothing of any level is kept for longer; 0 for no such bound. */
  dataRetentionSeconds: number;
  levelSeconds: LevelSeconds;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Monotonic milliseconds. */
  clock: () => number;
}

/**
 * Keeps history within its age and size: deletes the oldest of each level, then what only that used, in small slices.
 * What is not folded into the next level yet waits for that, unless nothing may be so old or there is no room for it.
 */
export class Retention {
  private readonly timer: Timer;
  private readonly ageClock: AgeClock;
  private readonly rows: RowRetention;
  private readonly parts: PartRetention;
  private readonly orphans: OrphanRetention;
  private readonly space: Space;
  private readonly usedAtStart: number;
  private running: Promise<void> | null = null;
  private isStopped = false;
  private hasOld = true;

  constructor(private readonly options: RetentionOptions) {
    const { store, levels, parts, segments, interfaces, folding } = options;
    this.ageClock = new AgeClock(options.now, options.clock);
    this.rows = new RowRetention(store.db, levels);
    this.parts = new PartRetention(levels, parts);
    this.orphans = new OrphanRetention({
      db: store.db,
      segments,
      interfaces,
      levels,
      get levelSeconds() {
        return options.levelSeconds;
      },
      isHeld: (conversation) => folding.holds(conversation),
    });
    this.space = new Space(store, () => options.maxDbSizeBytes);
    this.usedAtStart = this.space.usedBytes();
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
        isDone = await store.behindCheckpoint(() => this.isStopped || this.slice());
        if (!isDone) await new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      await store.checkpointIfDue();
    } catch (error) {
      // The writer reports a disk that is full or broken; this tries again at the next interval.
      this.orphans.reset();
      this.options.log.debug("history: retention stopped", { error: errorMessage(error) });
    }
  }

  /** True when there is nothing left to do. */
  private slice(): boolean {
    const { clock, store } = this.options;
    const until = clock() + SLICE_MS;
    let isDone = false;
    store.transaction(() => {
      this.hasOld = true;
      do {
        isDone = !this.step();
      } while (!isDone && clock() < until);
    });
    return isDone;
  }

  /** Does a little of all that is needed; false when nothing is. */
  private step(): boolean {
    const hasSwept = this.orphans.sweep(this.space.usedBytes());
    // Nothing more becomes too old within a slice.
    this.hasOld &&= this.deleteOld();
    const hasDeleted = this.hasOld || this.makeRoom();
    const hasCleared = this.orphans.deleteSegments(this.rows.hasReleased);
    return hasSwept || hasDeleted || hasCleared || this.space.giveBackPages();
  }

  private deleteOld(): boolean {
    const now = this.ageClock.read();
    if (now === null) return false;
    const { dataRetentionSeconds, levelSeconds } = this.options;
    const before = (seconds: number) => (seconds === 0 ? -Infinity : now - seconds * 1000);
    const startMs = before(dataRetentionSeconds);
    const hasDeleted = this.rows.deleteAll(startMs) || this.rows.deleteFolded(before(levelSeconds.raw));
    const deleted = ROLLUP_LEVELS.filter((level) =>
      this.parts.deleteOld(level, { endMs: before(levelSeconds[level]), startMs }),
    );
    this.orphans.releasedParts += this.parts.takeReleased();
    return hasDeleted || deleted.length > 0;
  }

  private makeRoom(): boolean {
    const { space, rows, parts, orphans, options } = this;
    // What a sweep frees is not known yet: until then only room is made for what is new. What was there at the start waits to be folded.
    const startBytes = options.folding.isCaughtUp ? 0 : this.usedAtStart;
    const pressure = space.pressure(orphans.usedBefore, startBytes);
    if (pressure === "none") return false;
    const hasDeleted =
      rows.deleteFolded(Infinity) ||
      (space.isMoreThan(SHARE, parts.bytes()) && parts.deleteOldest()) ||
      (pressure === "high" && this.makeRoomAtAnyCost());
    orphans.releasedParts += parts.takeReleased();
    return hasDeleted;
  }

  /** Nothing that is folded, and is most of the file, is left to go: the rest in the order of how much it is missed. */
  private makeRoomAtAnyCost(): boolean {
    const { space, rows, parts, orphans } = this;
    const rowBytes = orphans.rowBytes();
    return (
      (space.isMoreThan(SHARE, rowBytes) && rows.deleteUnfolded()) ||
      parts.deleteOldest() ||
      orphans.sweepSoon() ||
      // The newest would hardly make room.
      (rowBytes > FEW_BYTES && rows.deleteUnfolded()) ||
      parts.deleteUnfolded()
    );
  }
}
