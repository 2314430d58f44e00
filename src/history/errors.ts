import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { SQLiteError } from "bun:sqlite";
import { errorMessage, UsageError } from "../errors.ts";

/** A question that history cannot answer as it was put: a bad cursor, a bad address. The API answers 400. */
export class HistoryQueryError extends UsageError {
  constructor(problem: string) {
    super([problem]);
    this.name = "HistoryQueryError";
  }
}

export type DropReason = "queue_full" | "disk_full" | "write_error" | "shutdown";

/** What an error of SQLite means to the writer. */
export interface Failure {
  reason: "disk_full" | "write_error";
  message: string;
  /** Another process holds the write lock: the rows may stay queued. */
  isBusy: boolean;
  /** The file is damaged: writing again would only damage more. */
  isPermanent: boolean;
}

const ALMOST_NOTHING_BYTES = 1024 * 1024;

// SQLite calls some effects of ENOSPC an I/O error (the -shm file cannot grow).
function isDiskFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < ALMOST_NOTHING_BYTES;
  } catch {
    return false;
  }
}

/** Classifies what SQLite threw while writing to the database at `path`. */
export function classifyFailure(error: unknown, path: string): Failure {
  const code = error instanceof SQLiteError ? (error.code ?? "") : "";
  const isFull = code === "SQLITE_FULL" || (code.startsWith("SQLITE_IOERR") && isDiskFull(path));
  const isPermanent = code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB";
  const detail = `${path}: ${errorMessage(error)}`;
  return {
    reason: isFull ? "disk_full" : "write_error",
    message: isFull
      ? `disk full: ${detail}; free some space`
      : isPermanent
        ? `damaged database: ${detail}; stop the agent, move the file away and start again`
        : `write error: ${detail}`,
    isBusy: code.startsWith("SQLITE_BUSY"),
    isPermanent,
  };
}
