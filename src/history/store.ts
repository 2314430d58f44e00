import { closeSync, fdatasync, fstatSync, fsync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { SqlConnection } from "./connection.ts";

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);

/** Bytes of one page in the WAL, with its header. */
const FRAME_BYTES = 4096 + 24;
/** A WAL file that has become this many thresholds long is cut; else it is written over, which costs less. */
const MAX_WAL_FILE = 4;

/**
 * The writing connection, its transactions and its checkpoints.
 *
 * SQLite would call fsync inside a checkpoint, which can hold the event loop for tens of milliseconds, so the
 * large syncs are done here, in the thread pool: the WAL, then (in SQLite, without syncing) its pages are copied,
 * then the database, and only then does the WAL begin anew. That is what synchronous=NORMAL guarantees: a power
 * cut loses the last moments, never the file. Meanwhile a second connection holds a read transaction: what is
 * written then goes behind what is being copied, never over it, and the WAL is left for the next checkpoint.
 */
export class Store {
  private readonly databaseFd: number;
  private walFd: number | null = null;
  private checkpointAt: number;
  private running: Promise<Error | null> | null = null;
  private isFolderSynced = false;
  private longestMs = 0;
  private transactions = 0;

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

  /** Bytes of the WAL that the next checkpoint copies or writes over. */
  pendingBytes(): number {
    const state = this.db.query<{ log: number }, []>("PRAGMA wal_checkpoint(NOOP)").get();
    return Math.max(0, state?.log ?? 0) * FRAME_BYTES;
  }

  /** Bytes of the WAL on disk. */
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

  /**
   * Starts a checkpoint when the WAL has grown enough and none runs; null when none does.
   * Resolves to the error that stopped it, or null. Who writes before it does makes the WAL longer.
   */
  checkpointIfDue(): Promise<Error | null> | null {
    if (this.running === null && this.pendingBytes() >= this.checkpointAt) {
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
      this.copyPages();
      await fdatasyncAsync(this.databaseFd);
      this.guard.run("COMMIT");
      const isAnew = this.transactions === before && this.beginWalAnew();
      this.checkpointAt = this.walThreshold + (isAnew ? 0 : this.pendingBytes());
      return null;
    } catch (error) {
      if (this.guard.db.inTransaction) this.guard.run("ROLLBACK");
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private copyPages(): void {
    this.db.run("PRAGMA synchronous = OFF");
    try {
      this.timed(() => this.db.run("PRAGMA wal_checkpoint(PASSIVE)"));
    } finally {
      this.db.run("PRAGMA synchronous = NORMAL");
    }
  }

  /** False when a reader still needs the WAL. */
  private beginWalAnew(): boolean {
    const mode = this.walBytes() > MAX_WAL_FILE * this.walThreshold ? "TRUNCATE" : "RESTART";
    const checkpoint = this.db.query<{ busy: number }, []>(`PRAGMA wal_checkpoint(${mode})`);
    return this.timed(() => checkpoint.get())?.busy === 0;
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
}
