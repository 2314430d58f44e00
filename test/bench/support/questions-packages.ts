/** The engines of npm that the benchmark compares with: too large to be installed for anything else, see `setup.mjs`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../support/command.ts";
import type { SqlRow } from "./questions-sql.ts";

const FOLDER = join(ROOT, "dist", "tools", "npm", "node_modules");

/** An engine of SQL. */
export interface Engine {
  /** Runs a statement without an answer. */
  run(sql: string): Promise<void>;
  all(sql: string): Promise<SqlRow[]>;
  close(): void;
}

interface DuckDbConnection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): SqlRow[] }>;
  closeSync(): void;
}

interface DuckDbModule {
  DuckDBInstance: {
    create(path: string): Promise<{ connect(): Promise<DuckDbConnection>; closeSync(): void }>;
  };
}

interface ChdbModule {
  Session: new (path: string) => { query(sql: string, format?: string): string; close(): void };
}

/** Loads a package of these before its use is timed. @throws when it is not installed. */
export async function load(name: "@duckdb/node-api" | "chdb"): Promise<unknown> {
  const path = join(FOLDER, name);
  if (!existsSync(path)) throw new Error(`${name} is not installed: run node setup.mjs peers first`);
  return await import(Bun.resolveSync(name, join(FOLDER, "..")));
}

/** DuckDB with the database file `path`, made if missing. */
export async function openDuckDb(path: string): Promise<Engine> {
  // The package is not among the project's own, so that its types are not there either.
  const { DuckDBInstance } = (await load("@duckdb/node-api")) as DuckDbModule;
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  return {
    run: async (sql) => void (await connection.run(sql)),
    all: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** ClickHouse within the process, its tables in the folder `path`. */
export async function openChdb(path: string): Promise<Engine> {
  const { Session } = (await load("chdb")) as ChdbModule;
  const session = new Session(path);
  const all = (sql: string) =>
    session
      .query(sql, "JSONEachRow")
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as SqlRow]));
  return {
    run: async (sql) => void all(sql),
    all: async (sql) => all(sql),
    close: () => session.close(),
  };
}
