import { closeSync, fdatasync, fstatSync, fsync, ftruncate, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { SqlConnection } from "./connection.ts";

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

const ftruncateAsync = promisify(ftruncate);

const WAL_HEADER_BYTES = 32;

/**
 * The writing connection, its transactions and its checkpoints.
 *
 * Within a checkpoint SQLite would sync and cut files, which can hold the event loop for tens of milliseconds, so
 * that is done here, in the thread pool: the WAL is synced, then (in SQLite, without syncing) its pages are copied,
 * then the database is synced, and only then is the WAL cut to nothing. That is what synchronous=NORMAL guarantees:
 * a power cut loses the last moments, never the file. Meanwhile a second connection holds a read transaction: what
 * is written then goes behind what is being copied, never over it, and the WAL is left for the next checkpoint.
 * Until that one, synchronous is NORMAL itself: should SQLite begin the WAL anew in place, it syncs its header.
 */
export class Store {
  private readonly databaseFd: number;
  private walFd: number | null = null;
  private checkpointAt: number;
  private running: Promise<Error | null> | null = null;
  private isFolderSynced = false;
  private longestMs = 0;
  private transactions = 0;
  private isCutting = false;

  constructor(
    readonly path: string,
    readonly db: SqlConnection,
    private readonly closeDatabase: () => void,
    /** A connection of its own for reading. */
    private readonly guard: SqlConnection,
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
    this.transactions++;
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

  /** Whether the WAL is being cut: there can be no transaction until the running checkpoint ends. */
  get isLocked(): boolean {
    return this.isCutting;
  }

  walBytes(): number {
    if (this.walFd === null) {
      if (statSync(`${this.path}-wal`, { throwIfNoEntry: false }) === undefined) return 0;
      this.walFd = openSync(`${this.path}-wal`, "r+");
    }
    return fstatSync(this.walFd).size;
  }

  /** Bytes of the database and its WAL on disk. */
  totalBytes(): number {
    return fstatSync(this.databaseFd).size + this.walBytes();
  }

  /**
   * Starts a checkpoint when the WAL has grown enough and none runs; null when none does.
   * Resolves to the error that stopped it, or null. Who writes before it does makes the WAL longer.
   */
  checkpointIfDue(): Promise<Error | null> | null {
    if (this.running === null && this.walBytes() >= this.checkpointAt) {
      this.running = this.checkpoint().finally(() => {
        this.running = null;
      });
    }
    return this.running;
  }

  /**
   * Starts a checkpoint if one is due, and does `work` once none runs: what it writes then does not make the WAL longer.
   * Those who waited each do theirs before the next is begun. @throws what stopped the checkpoint, and what `work` throws.
   */
  async behindCheckpoint<T>(work: () => T): Promise<T> {
    for (let running = this.checkpointIfDue(); running !== null; running = this.running) {
      const error = await running;
      if (error !== null) throw error;
    }
    return work();
  }

  /** Makes the next checkpoint due at once. */
  checkpointSoon(): void {
    this.checkpointAt = 1;
  }

  /** Ends a running checkpoint, then closes; SQLite checkpoints once more, syncing itself. */
  async close(): Promise<void> {
    await this.running;
    this.setSynchronous("NORMAL");
    this.guard.close();
    this.closeDatabase();
    closeSync(this.databaseFd);
    if (this.walFd !== null) closeSync(this.walFd);
  }

  private async checkpoint(): Promise<Error | null> {
    const before = this.transactions;
    try {
      this.guard.run("BEGIN");
      this.guard.query("SELECT 1 FROM rows LIMIT 1").get();
      await this.syncWal();
      this.setSynchronous("OFF");
      this.timed(() => this.db.run("PRAGMA wal_checkpoint(PASSIVE)"));
      await fdatasyncAsync(this.databaseFd);
      this.guard.run("COMMIT");
      const isEmpty = this.transactions === before && (await this.cutWal());
      if (!isEmpty) this.setSynchronous("NORMAL");
      this.checkpointAt = this.walThreshold + (isEmpty ? 0 : this.walBytes());
      return null;
    } catch (error) {
      if (this.guard.db.inTransaction) this.guard.run("ROLLBACK");
      this.setSynchronous("NORMAL");
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** What a TRUNCATE checkpoint does, with nothing left to copy. False when a reader still needs the WAL. */
  private async cutWal(): Promise<boolean> {
    if (this.walFd === null) return false;
    const header = this.walHeader(this.walFd);
    const restart = this.db.query<{ busy: number }, []>("PRAGMA wal_checkpoint(RESTART)");
    if (this.timed(() => restart.get())?.busy !== 0) return false;
    this.db.run("BEGIN IMMEDIATE");
    this.isCutting = true;
    try {
      // Another process may have written between the two: then the header is its own.
      if (!header.equals(this.walHeader(this.walFd))) return false;
      await ftruncateAsync(this.walFd, 0);
      return true;
    } finally {
      this.isCutting = false;
      this.db.run("COMMIT");
    }
  }

  private walHeader(walFd: number): Buffer {
    const header = Buffer.alloc(WAL_HEADER_BYTES);
    readSync(walFd, header, 0, WAL_HEADER_BYTES, 0);
    return header;
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
