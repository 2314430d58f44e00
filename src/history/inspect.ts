import { closeSync, existsSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { Database, constants } from "bun:sqlite";
import { AyaflowError, errorMessage } from "../errors.ts";
import { schemaVersion } from "./migrations.ts";
import { APPLICATION_ID, SCHEMA_VERSION, TABLES } from "./schema.ts";

const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
/** Up to here the whole file is checked (some 100 MB/s), above it what opening and the first page need. */
const QUICK_CHECK_BYTES = 8 * 1024 * 1024;

const FIX = "The file is left as it is: move it away, or give another file with --db-path";

function refuse(path: string, what: string, fix = FIX, cause?: unknown): AyaflowError {
  return new AyaflowError(`history database ${path}: ${what}. ${fix}`, { cause });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function readHeader(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(fd, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

// `immutable` makes SQLite read the one file, without locks and without -wal and -shm beside it.
function openImmutable(path: string): Database {
  const escaped = path.replace(/[%?#]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return new Database(
    `file:${escaped}?immutable=1`,
    constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI,
  );
}

function tableNames(db: Database): Set<string> {
  const tables = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  return new Set(tables.map(({ name }) => name));
}

function isUpstreamAyaflow(path: string): boolean {
  try {
    using db = openImmutable(path);
    return tableNames(db).has("packets");
  } catch {
    return false;
  }
}

function newer(path: string, version: number): AyaflowError {
  return refuse(
    path,
    `it was written by a newer AyaFlow (schema ${version}, this one knows ${SCHEMA_VERSION})`,
    "The file is left as it is: install the newer version, or give another file with --db-path",
  );
}

function checkHeader(path: string): void {
  const header = readHeader(path);
  if (header.length < HEADER_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw refuse(path, "it is not a SQLite database");
  }
  const application = header.readInt32BE(68);
  if (application !== APPLICATION_ID) {
    const owner = isUpstreamAyaflow(path)
      ? "it is a database of the original AyaFlow (table packets), which this version does not read"
      : `it belongs to another application (application_id ${application})`;
    throw refuse(path, owner);
  }
  const version = header.readInt32BE(60);
  if (version > SCHEMA_VERSION) throw newer(path, version);
}

function checkContents(path: string, db: Database, bytes: number): void {
  const version = schemaVersion(db);
  if (version > SCHEMA_VERSION) throw newer(path, version);
  const tables = tableNames(db);
  const missing = version === SCHEMA_VERSION ? TABLES.filter((table) => !tables.has(table)) : [];
  if (missing.length > 0) throw refuse(path, `it is broken (no table ${missing.join(", ")})`);
  for (const table of TABLES) {
    if (tables.has(table)) db.query(`SELECT * FROM ${table} ORDER BY id DESC LIMIT 1`).get();
  }
  if (bytes > QUICK_CHECK_BYTES) return;
  const found = db.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get()?.quick_check;
  if (found !== "ok") throw refuse(path, `it is broken (${found})`);
}

function checkPages(path: string, bytes: number): void {
  // Left by a crash, or an agent is running: the file alone is not the whole database.
  const hasWal = existsSync(`${path}-wal`);
  try {
    using db = hasWal ? new Database(path, { readonly: true }) : openImmutable(path);
    checkContents(path, db, bytes);
  } catch (error) {
    if (error instanceof AyaflowError) throw error;
    throw refuse(path, `it is broken (${errorMessage(error)})`, FIX, error);
  }
}

/** Refuses a folder, a device or a pipe, which must not even be opened. @throws AyaflowError */
export function requireRegularFile(path: string): void {
  let stats: Stats | undefined;
  try {
    stats = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw refuse(
      path,
      `it cannot be reached (${errorMessage(error)})`,
      "Give another file with --db-path",
      error,
    );
  }
  if (stats !== undefined && !stats.isFile()) {
    throw refuse(path, "it is not a regular file", "Give a file with --db-path");
  }
}

/**
 * Refuses what is not a sound database of AyaFlow of this version or older, without writing to it.
 * A missing or empty file is fine. Damage deep inside a large file shows later, when it is met.
 * @throws AyaflowError naming the path, what is wrong and what to do.
 */
export function inspectDatabase(path: string): void {
  requireRegularFile(path);
  const bytes = sizeOf(path);
  if (bytes === 0) return;
  checkHeader(path);
  // A hot rollback journal: the crash was during creation, SQLite undoes it when it opens the file.
  if (sizeOf(`${path}-journal`) > 0) return;
  checkPages(path, bytes);
}
