import type { Store } from "./store.ts";

const PAGES_PER_STEP = 64;
/** Free pages up to this share of the file are kept for rows to come. */
const FREE_SHARE = 1 / 10;
const MIN_FREE_PAGES = 256;
/** Room kept for the WAL and for what is written before rows are deleted, in thresholds of the WAL. */
const WAL_RESERVE = 6;
/** So much earlier what is folded goes, before anything else must: by this factor of the room. */
const EARLY = 5 / 4;
/** Having reached the cap, goes this far below it. */
const SLACK_SHARE = 1 / 100;

/** Whether something is to be deleted: `some` what can be done without, `high` anything. */
export type Pressure = "none" | "some" | "high";

/** How full the database is, against its largest size. */
export class Space {
  private readonly pageSize: number;
  private isShrinking = false;

  constructor(
    private readonly store: Store,
    /** Read at each use: it may change. */
    private readonly largest: () => number,
  ) {
    this.pageSize = this.pragma("page_size");
  }

  private get maxBytes(): number {
    return this.largest();
  }

  usedBytes(): number {
    return (this.pragma("page_count") - this.pragma("freelist_count")) * this.pageSize;
  }

  /** Whether `bytes` are more than a share of the largest size. */
  isMoreThan(share: number, bytes: number): boolean {
    return bytes > this.maxBytes * share;
  }

  /** Below `allowed` bytes there is none, below `unhurried` not a high one, whatever the largest size. */
  pressure(allowed: number, unhurried: number): Pressure {
    const { store, maxBytes } = this;
    const used = this.usedBytes();
    // At most a quarter: a WAL that a reader holds back would eat up all rows.
    const wal = Math.min(Math.max(store.walBytes(), WAL_RESERVE * store.walThreshold), maxBytes / 4);
    const limit = Math.max(maxBytes - wal * EARLY, allowed);
    this.isShrinking = used > (this.isShrinking ? limit - maxBytes * SLACK_SHARE : limit);
    if (!this.isShrinking) return "none";
    return used > Math.max(maxBytes - wal, allowed, unhurried) ? "high" : "some";
  }

  /** Gives some free pages back to the disk. False when there are none, or few. */
  giveBackPages(): boolean {
    const { store, maxBytes } = this;
    const pages = this.pragma("page_count");
    const free = this.pragma("freelist_count");
    const isTooLarge = pages * this.pageSize + store.walBytes() > maxBytes && free > 0;
    const isMostlyFree = free > MIN_FREE_PAGES && free > pages * FREE_SHARE;
    if (!isTooLarge && !isMostlyFree) return false;
    store.db.run(`PRAGMA incremental_vacuum(${PAGES_PER_STEP})`);
    // The file itself becomes shorter at a checkpoint.
    store.checkpointSoon();
    return true;
  }

  private pragma(name: "page_count" | "freelist_count" | "page_size"): number {
    return this.store.db.query<Record<string, number>, []>(`PRAGMA ${name}`).get()?.[name] ?? 0;
  }
}
