/**
 * The month's rows in other stores: one flat table each, as anyone would make it, ordered by time. They are read from
 * history's own file by way of two text files, which the engines of npm read fastest.
 */
import { Database } from "bun:sqlite";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { formatAddress } from "../../../src/flow/address.ts";
import { DAY_MS } from "./day.ts";
import { DAYS, MONTH_START_MS } from "./questions-month.ts";
import { type Engine, openChdb, openDuckDb } from "./questions-packages.ts";
import { rowsBetween } from "./questions-sql.ts";

const EXPORTS_A_DAY = 24;
const CONVERSATION_COLUMNS = `client, server, server_port, protocol, interface, domain, source`;
const ROW_COLUMNS = `client_port, direction, packets_sent, bytes_sent, packets_received, bytes_received,
  tcp_flags, rtt, retransmits`;
const JOINED = `time, ${CONVERSATION_COLUMNS}, ${ROW_COLUMNS}`;

interface ConversationRow {
  id: number;
  client: Uint8Array;
  server: Uint8Array;
  server_port: number;
  protocol: number;
  interface: string;
  domain: string;
  source: string;
}

/** A conversation with its addresses and names as text, '' for none. */
function* conversations(db: Database): Generator<(string | number)[]> {
  const query = db.query<ConversationRow, []>(`
    SELECT c.id, c.client, c.server, c.server_port, c.protocol, i.name AS interface,
      coalesce(d.name, '') AS domain, coalesce(t.source, '') AS source
    FROM conversations c JOIN interfaces i ON i.id = c.interface_id
    LEFT JOIN domains d ON d.id = c.domain_id LEFT JOIN details t ON t.id = c.detail_id`);
  for (const one of query.iterate()) {
    const ends = [formatAddress(one.client), formatAddress(one.server)];
    yield [one.id, ...ends, one.server_port, one.protocol, one.interface, one.domain, one.source];
  }
}

/** Text files of the rows and of the conversations, tab-separated. */
interface Exported {
  rows: string;
  conversations: string;
}

/** Lines of the rows of history from `sinceMs` on, before `untilMs`; null where there are none. */
function rowLines(db: Database, sinceMs: number, untilMs: number): string | null {
  const values = `(r.id >> 22) + ${Date.UTC(2020, 0, 1)}, r.conversation_id, ${ROW_COLUMNS}`;
  const line = `printf('%d%c%d%c%d%c%d%c%d%c%d%c%d%c%d%c%d%c%s%c%d', ${values
    .split(",")
    .join(", char(9),")
    .replace(" rtt", " coalesce(rtt, '\\N')")})`;
  const sql = `SELECT group_concat(${line}, char(10)) AS lines FROM rows r WHERE ${rowsBetween(sinceMs, untilMs)}`;
  return db.query<{ lines: string | null }, []>(sql).get()?.lines ?? null;
}

async function exportTo(folder: string, history: string): Promise<Exported> {
  const files = { rows: join(folder, "rows.tsv"), conversations: join(folder, "conversations.tsv") };
  const db = new Database(history, { readonly: true });
  const named = Bun.file(files.conversations).writer();
  for (const fields of conversations(db)) await named.write(`${fields.join("\t")}\n`);
  await named.end();
  const writer = Bun.file(files.rows).writer();
  const stepMs = DAY_MS / EXPORTS_A_DAY;
  for (let step = 0; step < DAYS * EXPORTS_A_DAY; step++) {
    const sinceMs = MONTH_START_MS + step * stepMs;
    const lines = rowLines(db, sinceMs, sinceMs + stepMs);
    if (lines !== null) await writer.write(`${lines}\n`);
  }
  await writer.end();
  db.close();
  return files;
}

/** A table that a plain program would make in SQLite: everything in each row, names as text, an index by time. */
function makeNaive(path: string, history: string): void {
  const from = new Database(history, { readonly: true });
  const db = new Database(path);
  db.run("PRAGMA synchronous = OFF");
  db.run(`CREATE TABLE traffic(time INTEGER, client TEXT, server TEXT, server_port INTEGER, protocol INTEGER,
    interface TEXT, domain TEXT, source TEXT, client_port INTEGER, direction INTEGER, packets_sent INTEGER,
    bytes_sent INTEGER, packets_received INTEGER, bytes_received INTEGER, tcp_flags INTEGER, rtt INTEGER,
    retransmits INTEGER)`);
  db.run(
    "CREATE TEMP TABLE named(id INTEGER PRIMARY KEY, client, server, server_port, protocol, interface, domain, source)",
  );
  const insert = db.query("INSERT INTO named VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''))");
  db.transaction(() => {
    for (const fields of conversations(from)) insert.run(...fields);
  })();
  insert.finalize();
  from.close();
  db.query("ATTACH ? AS history").run(history);
  db.run(`INSERT INTO traffic(${JOINED})
    SELECT (r.id >> 22) + ${Date.UTC(2020, 0, 1)}, ${CONVERSATION_COLUMNS}, ${ROW_COLUMNS}
    FROM history.rows r JOIN named ON named.id = r.conversation_id ORDER BY r.id`);
  db.run("CREATE INDEX traffic_time ON traffic(time)");
  db.close(true);
}

async function makeDuckDb(path: string, files: Exported): Promise<void> {
  const engine = await openDuckDb(path);
  const read = (file: string, columns: string) =>
    `read_csv('${file}', delim = '\t', header = false, quote = '', escape = '', nullstr = '\\N', columns = {${columns}})`;
  const rows = read(
    files.rows,
    `'time': 'BIGINT', 'id': 'UINTEGER', 'client_port': 'USMALLINT', 'direction': 'UTINYINT',
    'packets_sent': 'UINTEGER', 'bytes_sent': 'UBIGINT', 'packets_received': 'UINTEGER', 'bytes_received': 'UBIGINT',
    'tcp_flags': 'USMALLINT', 'rtt': 'UBIGINT', 'retransmits': 'UINTEGER'`,
  );
  const named = read(
    files.conversations,
    `'id': 'UINTEGER', 'client': 'VARCHAR', 'server': 'VARCHAR', 'server_port': 'USMALLINT', 'protocol': 'UTINYINT',
    'interface': 'VARCHAR', 'domain': 'VARCHAR', 'source': 'VARCHAR'`,
  );
  await engine.run(
    `CREATE TABLE traffic AS SELECT ${JOINED} FROM ${rows} JOIN ${named} USING (id) ORDER BY time`,
  );
  await engine.run("CHECKPOINT");
  engine.close();
}

async function makeClickHouse(path: string, files: Exported): Promise<void> {
  const engine: Engine = await openChdb(path);
  const numbers = `client_port UInt16, direction UInt8, packets_sent UInt32, bytes_sent UInt64,
    packets_received UInt32, bytes_received UInt64, tcp_flags UInt16, rtt Nullable(UInt64), retransmits UInt32`;
  const names = (text: string) => `client ${text}, server ${text}, server_port UInt16, protocol UInt8,
    interface ${text}, domain ${text}, source ${text}`;
  await engine.run(
    `CREATE TABLE traffic(time Int64, ${names("LowCardinality(String)")}, ${numbers}) ENGINE = MergeTree ORDER BY time`,
  );
  await engine.run(`INSERT INTO traffic SELECT ${JOINED}
    FROM file('${files.rows}', TSV, 'time Int64, id UInt32, ${numbers}') r
    JOIN file('${files.conversations}', TSV, 'id UInt32, ${names("String")}') c USING (id)`);
  await engine.run("OPTIMIZE TABLE traffic FINAL");
  engine.close();
}

/** Bytes of the table of ClickHouse in the folder `path`, without what was merged and is deleted some day. */
export async function clickHouseBytes(path: string): Promise<number> {
  const engine = await openChdb(path);
  const [row] = await engine.all("SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active");
  engine.close();
  return Number(row?.bytes);
}

export const PEERS = ["naive", "duckdb", "clickhouse"] as const;
export type Peer = (typeof PEERS)[number];

/** Where each keeps its rows within the folder of a month. */
export const PEER_FILES: Readonly<Record<Peer, string>> = {
  naive: "naive.db",
  duckdb: "duck.db",
  clickhouse: "clickhouse",
};

/** Makes what is missing of the peers in `folder`, from the history `history`. `tell` is called before each step. */
export async function makePeers(
  folder: string,
  history: string,
  missing: readonly Peer[],
  tell: (what: string) => void,
): Promise<void> {
  if (missing.length === 0) return;
  tell("writing the rows as text");
  const working = join(folder, "making");
  mkdirSync(working, { recursive: true });
  try {
    const files = await exportTo(working, history);
    for (const peer of missing) {
      tell(`loading ${peer}`);
      const path = join(working, PEER_FILES[peer]);
      if (peer === "naive") makeNaive(path, history);
      else if (peer === "duckdb") await makeDuckDb(path, files);
      else await makeClickHouse(path, files);
      renameSync(path, join(folder, PEER_FILES[peer]));
    }
  } finally {
    rmSync(working, { recursive: true });
  }
}
