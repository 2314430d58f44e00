import { accessSync, constants as access, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { constants, Database } from "bun:sqlite";
import { AyaflowError, errorMessage } from "../errors.ts";
import { inspectDatabase, requireRegularFile } from "../history/inspect.ts";
import { schemaVersion } from "../history/migrations.ts";
import { SCHEMA_VERSION } from "../history/schema.ts";

/** A database of history that can be read as it is now. */
export interface ReadableDatabase {
  path: string;
  /** A connection for reading only, the caller's to close. */
  open(): Database;
  /** What a reader should know of the answers; empty mostly. */
  notes: readonly string[];
  /** To be called when all was read. @throws AyaflowError when it may be nonsense. */
  check(): void;
}

const WAIT_MS = 2000;

function problem(path: string, what: string, cause?: unknown): AyaflowError {
  return new AyaflowError(`history database ${path}: ${what}`, { cause });
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function requireReadable(path: string): void {
  requireRegularFile(path);
  if (!existsSync(path)) throw problem(path, "there is no such file. Give another with --db");
  if (!may(path, access.R_OK)) {
    throw problem(
      path,
      "no permission to read it. Run this as its owner, in its group or as root, or ask the agent",
    );
  }
  if (statSync(path).size === 0) throw problem(path, "it is empty. An agent has to use it first");
}

// Reads the one file, without locks and without -wal and -shm beside it, which another user could not delete.
function openAlone(path: string): Database {
  const escaped = path.replace(/[%?#]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return new Database(
    `file:${escaped}?immutable=1`,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
}

function openBeside(path: string): Database {
  const db = new Database(path, { readonly: true });
  // Another process may be recovering or cutting the -wal.
  db.run(`PRAGMA busy_timeout = ${WAIT_MS}`);
  return db;
}

/** SQLite reads a -wal with the help of a -shm, which it makes where it may. */
function canReadWal(path: string): boolean {
  if (!may(`${path}-wal`, access.R_OK)) return false;
  const shm = `${path}-shm`;
  return existsSync(shm) ? may(shm, access.R_OK) : may(dirname(resolve(path)), access.W_OK);
}

function waysToRead(path: string): ReadableDatabase {
  const wal = `${path}-wal`;
  // Without a -wal no agent uses it, and all is in the file.
  if (!existsSync(wal)) {
    const check = () => {
      if (existsSync(wal)) throw problem(path, "an agent began to write to it meanwhile. Ask again");
    };
    return { path, open: () => openAlone(path), notes: [], check };
  }
  const check = () => {};
  if (canReadWal(path)) return { path, open: () => openBeside(path), notes: [], check };
  const notes = [`${wal} cannot be read: what was written last is missing`];
  return { path, open: () => openAlone(path), notes, check };
}

function requireVersion(path: string, db: Database): void {
  const version = schemaVersion(db);
  if (version === SCHEMA_VERSION) return;
  const fix = "Let this version of the agent open it once, which brings it up to date";
  throw problem(
    path,
    `an older AyaFlow wrote it (schema ${version}, this one reads ${SCHEMA_VERSION}). ${fix}`,
  );
}

/** The words for who runs an agent, in those for who only reads. */
function forReader(error: AyaflowError): AyaflowError {
  const message = error.message
    .replace(/The file is left as it is: move it away, or give/, "Give")
    .replaceAll("--db-path", "--db");
  return new AyaflowError(message, { cause: error });
}

/**
 * Finds how the database of history at `path` can be read: while an agent writes to it, after one was killed, or when
 * none ever runs again; in a folder that cannot be written to as well. Leaves nothing behind.
 * @throws AyaflowError when it is missing, unreadable, damaged, of another application or of another version.
 */
export function readableDatabase(path: string): ReadableDatabase {
  try {
    requireReadable(path);
    const readable = waysToRead(path);
    if (readable.notes.length === 0) inspectDatabase(path);
    using db = readable.open();
    requireVersion(path, db);
    return readable;
  } catch (error) {
    if (error instanceof AyaflowError) throw forReader(error);
    throw problem(
      path,
      `it cannot be read (${errorMessage(error)}). Ask the agent instead, with --url`,
      error,
    );
  }
}
