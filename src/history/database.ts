import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { Database } from "bun:sqlite";
import { AyaflowError, errorMessage } from "../errors.ts";
import { inspectDatabase, requireRegularFile } from "./inspect.ts";
import { SqlConnection } from "./connection.ts";
import { migrate } from "./migrations.ts";

/** Takes an exclusive lock on a file without waiting; null while another process holds it. */
export type LockFile = (path: string) => { release(): void } | null;

const FOLDER_MODE = 0o750;
const FILE_MODE = 0o640;
const CACHE_KIB = 1024;

function problem(path: string, what: string, cause?: unknown): AyaflowError {
  return new AyaflowError(`history database ${path}: ${what}`, { cause });
}

function createFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
    if (existsSync(path)) return;
    closeSync(openSync(path, "a", FILE_MODE));
    chmodSync(path, FILE_MODE);
  } catch (error) {
    throw problem(
      path,
      `cannot be created (${errorMessage(error)}). Check the folder, or give another file with --db-path`,
      error,
    );
  }
}

function takeLock(path: string, lockFile: LockFile): { release(): void } {
  let lock: { release(): void } | null;
  try {
    lock = lockFile(path);
  } catch (error) {
    throw problem(
      path,
      `cannot be opened for writing (${errorMessage(error)}). Check its permissions`,
      error,
    );
  }
  if (lock === null) {
    throw problem(
      path,
      "another agent is using it. Stop that one, or give this one its own file with --db-path",
    );
  }
  return lock;
}

// Opened for reading and writing, and made SQLite's own: only after the file was inspected.
function openForWriting(path: string): SqlConnection {
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run("PRAGMA busy_timeout = 0");
    migrate(db);
    db.run("PRAGMA synchronous = NORMAL");
    db.run("PRAGMA wal_autocheckpoint = 0");
    db.run(`PRAGMA cache_size = -${CACHE_KIB}`);
    return new SqlConnection(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens the one writing connection to the database at `path`, made if missing (folder 0750, file 0640).
 * `close` closes it, then lets go of the lock: closing any descriptor of the file drops SQLite's own locks.
 * @throws AyaflowError when the file is another's, newer, broken, in use, or cannot be opened.
 */
export function openDatabase(path: string, lockFile: LockFile): { db: SqlConnection; close: () => void } {
  requireRegularFile(path);
  createFile(path);
  const lock = takeLock(path, lockFile);
  try {
    inspectDatabase(path);
    const db = openForWriting(path);
    return {
      db,
      close: () => {
        db.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    if (error instanceof AyaflowError) throw error;
    throw problem(
      path,
      `cannot be opened (${errorMessage(error)}). Check the space and the permissions, or give another file with --db-path`,
      error,
    );
  }
}
