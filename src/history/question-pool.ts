import { Database } from "bun:sqlite";
import { AyaflowError, errorMessage } from "../errors.ts";
import { SegmentWalk } from "./candidates.ts";
import { SqlConnection } from "./connection.ts";
import { RollupReader } from "./rollup-reader.ts";

/** Each takes up to CACHE_KIB of memory and one of these seldom waits long for another. */
const MAX_CONNECTIONS = 2;
const CACHE_KIB = 2048;
/** A connection that nobody used for so long is closed, which gives its memory back. */
const IDLE_MS = 30_000;

/** A reading connection of its own: a snapshot at a time. */
export interface QuestionConnection {
  db: SqlConnection;
  reader: RollupReader;
  walk: SegmentWalk;
}

function prepared(db: SqlConnection): QuestionConnection {
  try {
    db.run(`PRAGMA cache_size = -${CACHE_KIB}`);
    return { db, reader: new RollupReader(db), walk: new SegmentWalk(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Opens a database for reading only. */
export type OpenDatabase = (path: string) => Database;

const openReadOnly: OpenDatabase = (path) => new Database(path, { readonly: true });

function open(path: string, openDatabase: OpenDatabase): QuestionConnection {
  try {
    return prepared(new SqlConnection(openDatabase(path)));
  } catch (error) {
    throw new AyaflowError(
      `history database ${path}: cannot be read (${errorMessage(error)}). Check the path and its permissions`,
      { cause: error },
    );
  }
}

interface Waiting {
  resolve(connection: QuestionConnection): void;
  reject(reason: unknown): void;
}

/** Few connections to one database, opened when they are needed. Who finds none waits in line. */
export class QuestionPool {
  private readonly idle: QuestionConnection[] = [];
  private readonly taken = new Set<QuestionConnection>();
  private readonly line = new Set<Waiting>();
  private timer: Timer | null = null;
  private isClosed = false;

  constructor(
    private readonly path: string,
    private readonly openDatabase: OpenDatabase = openReadOnly,
  ) {}

  /** A connection for the caller alone, to be given back. Rejects when `signal` is aborted meanwhile. */
  async take(signal?: AbortSignal): Promise<QuestionConnection> {
    signal?.throwIfAborted();
    if (this.isClosed) throw closed();
    const connection =
      this.idle.pop() ??
      (this.taken.size < MAX_CONNECTIONS ? open(this.path, this.openDatabase) : await this.wait(signal));
    this.taken.add(connection);
    return connection;
  }

  give(connection: QuestionConnection): void {
    if (!this.taken.delete(connection)) return;
    const [next] = this.line;
    if (next !== undefined) {
      this.line.delete(next);
      this.taken.add(connection);
      next.resolve(connection);
      return;
    }
    this.idle.push(connection);
    this.closeIdleLater();
  }

  /** Closes all connections, those that are taken too. */
  close(): void {
    this.isClosed = true;
    this.closeIdle();
    for (const { db } of this.taken) db.close();
    this.taken.clear();
    for (const waiting of this.line) waiting.reject(closed());
    this.line.clear();
  }

  private async wait(signal: AbortSignal | undefined): Promise<QuestionConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<QuestionConnection>();
    const waiting = { resolve, reject };
    const leave = () => {
      if (this.line.delete(waiting)) reject(signal?.reason);
    };
    this.line.add(waiting);
    signal?.addEventListener("abort", leave);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  private closeIdleLater(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.closeIdle(), IDLE_MS);
    this.timer.unref();
  }

  private closeIdle(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    for (const { db } of this.idle.splice(0)) db.close();
  }
}

/** Why a question ends when history is closed meanwhile. */
export function closed(): AyaflowError {
  return new AyaflowError("history was closed");
}
