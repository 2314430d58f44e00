import { statSync } from "node:fs";
import type { Database } from "bun:sqlite";
import { coverageOf as coverageView } from "../api/views.ts";
import { SqlConnection } from "../history/connection.ts";
import { coverageOf, readLevels } from "../history/levels.ts";
import { EPOCH_MS } from "../history/rowid.ts";
import { readableDatabase } from "./ask-database.ts";
import type { FileStats } from "./stats-report.ts";

function bytesOf(path: string): number {
  return ["", "-wal"].reduce(
    (sum, suffix) => sum + (statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

function levelViews(connection: SqlConnection): FileStats["levels"] {
  const states = readLevels(connection);
  return coverageOf(states).map((coverage) => {
    const { parts, bytes, lost } = states[coverage.level];
    return { ...coverageView(coverage), parts, bytes, lost };
  });
}

/** The table is its own index by time. */
function rowTimes(db: Database): Pick<FileStats, "oldest_row" | "newest_row"> {
  using statement = db.prepare<{ oldest: number | null; newest: number | null }, []>(
    "SELECT (SELECT min(id) FROM rows) >> 22 AS oldest, (SELECT max(id) FROM rows) >> 22 AS newest",
  );
  const { oldest = null, newest = null } = statement.get() ?? {};
  const at = (ms: number | null) => (ms === null ? null : new Date(EPOCH_MS + ms).toISOString());
  return { oldest_row: at(oldest), newest_row: at(newest) };
}

/** What the database at `path` covers and takes. @throws AyaflowError when it cannot be read. */
export function readFileStats(path: string): { stats: FileStats; notes: readonly string[] } {
  const file = readableDatabase(path);
  const connection = new SqlConnection(file.open());
  try {
    const stats = {
      path,
      database_bytes: bytesOf(path),
      ...rowTimes(connection.db),
      levels: levelViews(connection),
    };
    file.check();
    return { stats, notes: file.notes };
  } finally {
    connection.close();
  }
}
