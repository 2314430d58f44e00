import type { Database, SQLQueryBindings, Statement } from "bun:sqlite";

const MAX_CACHED = 32;

/**
 * A database and its prepared statements, finalized before it closes:
 * SQLite keeps a file open, with its WAL and its locks, for as long as one statement lives.
 */
export class SqlConnection {
  private readonly prepared: Statement[] = [];
  private readonly cache = new Map<string, Statement>();

  constructor(readonly db: Database) {}

  run(sql: string): void {
    this.db.run(sql);
  }

  /** A statement that lives as long as the connection. */
  prepare<Row, Params extends SQLQueryBindings[]>(sql: string): Statement<Row, Params> {
    const statement = this.db.prepare(sql);
    this.prepared.push(statement);
    return statement as Statement<Row, Params>;
  }

  /** A statement for use at once; those used last are kept. */
  query<Row, Params extends SQLQueryBindings[]>(sql: string): Statement<Row, Params> {
    const statement = this.cache.get(sql) ?? this.db.prepare(sql);
    this.cache.delete(sql);
    this.cache.set(sql, statement);
    const [oldest] = this.cache.keys();
    if (this.cache.size > MAX_CACHED && oldest !== undefined) {
      this.cache.get(oldest)?.finalize();
      this.cache.delete(oldest);
    }
    return statement as Statement<Row, Params>;
  }

  close(): void {
    for (const statement of [...this.prepared, ...this.cache.values()]) statement.finalize();
    this.db.close();
  }
}
