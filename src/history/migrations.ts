import type { Database } from "bun:sqlite";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

/** PRAGMA user_version: how many migrations a database has had. */
export function schemaVersion(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

/**
 * Brings a database to the newest version in one transaction, so that a file is either new, old or ours.
 * The result is checkpointed: the version in the file's own header is then true without its WAL.
 */
export function migrate(db: Database): void {
  const version = schemaVersion(db);
  // Has an effect only before the first table.
  if (version === 0) db.run("PRAGMA auto_vacuum = INCREMENTAL");
  if (version < MIGRATIONS.length) {
    db.transaction(() => {
      for (const migration of MIGRATIONS.slice(version)) db.run(migration);
      db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
      db.run(`PRAGMA user_version = ${MIGRATIONS.length}`);
    }).immediate();
  }
  db.run("PRAGMA journal_mode = WAL");
  if (version < MIGRATIONS.length) db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}
