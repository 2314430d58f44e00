import { closeSync, fdatasync, fstatSync, fsync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { SqlConnection } from "./connection.ts";

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

interface CheckpointResult {
  busy: number;
}

/**
 * The writing connection, its transactions and its checkpoints.
 *
 * SQLite would call fsync inside a checkpoint, which can hold the event loop for tens of milliseconds, so the
 * syncs are done here, in order, in the thread pool: the WAL, then (in SQLite, without syncing) its pages are
 * copied, then the database, and only then is the WAL truncated. Nobody writes meanwhile. That is what
 * synchronous=NORMAL guarantees: a power cut loses the last moments, never the file. While an older WAL could
 * still be overwritten in place (a reader held it), synchronous is NORMAL itself.
 */
export class Store {
  private readonly databaseFd: number;
  private walFd: number | null = null;
  private checkpointAt: number;
  private running: Promise<Error | null> | null = null;
  private isFolderSynced = false;
  private longestMs = 0;

  constructor(
    readonly path: string,
    readonly db: SqlConnection,
    private readonly closeDatabase: () => void,
    /** The WAL is checkpointed when it has this many bytes. */
    readonly walThreshold: number,
    /** Monotonic milliseconds. */
    private readonly clock: () => number,
  ) {
    this.databaseFd = openSync(path, "r");
    this.checkpointAt = walThreshold;
    this.setSynchronous(this.walBytes() === 0 ? "OFF" : "NORMAL");
  }

  /** Runs `work` in a transaction, all or nothing. @throws what `work` or SQLite threw. */
  transaction(work: () => void): void {
    this.timed(() => {
      this.db.run("BEGIN IMMEDIATE");
      try {
        work();
        this.db.run("COMMIT");
      } catch (error) {
        // SQLite has rolled back by itself after some errors, a full disk among them.
        if (this.db.db.inTransaction) this.db.run("ROLLBACK");
        throw error;
      }
    });
  }

  /** The longest that a transaction or a checkpoint has held the event loop, in milliseconds. */
  get longestHoldMs(): number {
    return this.longestMs;
  }

  walBytes(): number {
    if (this.walFd === null) {
      if (statSync(`${this.path}-wal`, { throwIfNoEntry: false }) === undefined) return 0;
      this.walFd = openSync(`${this.path}-wal`, "r");
    }
    return fstatSync(this.walFd).size;
  }

  /** Bytes of the database and its WAL on disk. */
  totalBytes(): number {
    return fstatSync(this.databaseFd).size + this.walBytes();
  }

  /** The checkpoint that is running, null when the database may be written. */
  get checkpointing(): Promise<Error | null> | null {
    return this.running;
  }

  /**
   * Starts a checkpoint when the WAL has grown enough and none runs.
   * Resolves to the error that stopped it, or null; nothing may be written before it does.
   */
  checkpointIfDue(): Promise<Error | null> | null {
    if (this.running === null && this.walBytes() >= this.checkpointAt) {
      this.running = this.checkpoint().finally(() => {
        this.running = null;
      });
    }
    return this.running;
  }

  /** Makes the next checkpoint due at once. */
  checkpointSoon(): void {
    this.checkpointAt = 1;
  }

  /** Ends a running checkpoint, then closes; SQLite checkpoints once more, syncing itself. */
  async close(): Promise<void> {
    await this.running;
    this.setSynchronous("NORMAL");
    this.closeDatabase();
    closeSync(this.databaseFd);
    if (this.walFd !== null) closeSync(this.walFd);
  }

  private async checkpoint(): Promise<Error | null> {
    try {
      await this.syncWal();
      this.setSynchronous("OFF");
      this.timed(() => this.db.run("PRAGMA wal_checkpoint(PASSIVE)"));
      await fdatasyncAsync(this.databaseFd);
      const result = this.timed(() =>
        this.db.query<CheckpointResult, []>("PRAGMA wal_checkpoint(TRUNCATE)").get(),
      );
      const isTruncated = result?.busy === 0;
      if (!isTruncated) this.setSynchronous("NORMAL");
      this.checkpointAt = this.walThreshold + (isTruncated ? 0 : this.walBytes());
      return null;
    } catch (error) {
      this.setSynchronous("NORMAL");
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private async syncWal(): Promise<void> {
    if (this.walFd !== null) await fdatasyncAsync(this.walFd);
    if (this.isFolderSynced) return;
    // Once: the entry of the new WAL in its folder must outlive a power cut too.
    const folder = openSync(dirname(this.path), "r");
    try {
      await fsyncAsync(folder);
    } finally {
      closeSync(folder);
    }
    this.isFolderSynced = true;
  }

  private timed<T>(work: () => T): T {
    const started = this.clock();
    try {
      return work();
    } finally {
      this.longestMs = Math.max(this.longestMs, this.clock() - started);
    }
  }

  private setSynchronous(mode: "OFF" | "NORMAL"): void {
    this.db.run(`PRAGMA synchronous = ${mode}`);
  }
}
