/** The benchmark's questions as SQL: over one flat table, as the peers have it, and over the tables of history itself. */
import { formatAddress } from "../../../src/flow/address.ts";
import { protocolName } from "../../../src/flow/protocol.ts";
import { idMs, joinId } from "../../../src/history/rowid.ts";
import type { AnsweredRow, AskedQuestion } from "./questions-asked.ts";

/** What is selected of each group besides its key. */
const SUMS = `sum(bytes_sent + bytes_received) AS bytes,
  sum(packets_sent + packets_received) AS packets, count(*) AS row_count`;
const POINT = "point";

/** A row as any of them gives it. */
export type SqlRow = Readonly<Record<string, unknown>>;

function columnsOf({ groupBy, stepMs }: AskedQuestion): string[] {
  return [...groupBy, ...(stepMs === undefined ? [] : [POINT])];
}

function ending({ limit }: AskedQuestion, keys: readonly string[]): string {
  const grouped = keys.length === 0 ? "" : ` GROUP BY ${keys.join(", ")}`;
  return `${grouped} ORDER BY bytes DESC${limit === null ? "" : ` LIMIT ${limit}`}`;
}

/** Over `traffic(time, client, client_port, server, server_port, protocol, interface, domain, ...)`, in any dialect. */
export function flatSql(question: AskedQuestion): string {
  const { sinceMs, untilMs, stepMs, filter } = question;
  const keys = columnsOf(question);
  const selected = keys.map((key) => (key === POINT ? `time - time % ${stepMs} AS ${POINT}` : key));
  const filtered = filter === undefined ? "" : ` AND ${filter.sql}`;
  return `SELECT ${[...selected, SUMS].join(", ")} FROM traffic
    WHERE time >= ${sinceMs} AND time < ${untilMs}${filtered}${ending(question, keys)}`;
}

const OWN_COLUMNS: Readonly<Record<string, string>> = {
  domain: "d.name",
  client: "c.client",
  server: "c.server",
  protocol: "c.protocol",
};

/** The id that the first row at `ms` milliseconds since the epoch has at least. */
function firstId(ms: number): bigint {
  return joinId(idMs(ms), 0);
}

/** SQL that is true of the rows of `rows AS r` from `sinceMs` on, before `untilMs`. */
export function rowsBetween(sinceMs: number, untilMs: number): string {
  return `r.id >= ${firstId(sinceMs)} AND r.id < ${firstId(untilMs)}`;
}

/** Over `rows`, `conversations` and `domains`: history without rollups. */
export function ownSql(question: AskedQuestion): string {
  const { sinceMs, untilMs, stepMs, filter } = question;
  const keys = columnsOf(question);
  const time = `((r.id >> 22) + ${Date.UTC(2020, 0, 1)})`;
  const selected = keys.map((key) =>
    key === POINT ? `${time} - ${time} % ${stepMs} AS ${POINT}` : `${OWN_COLUMNS[key] ?? key} AS ${key}`,
  );
  const filtered = filter === undefined ? "" : ` AND ${filter.sql.replaceAll("domain", "d.name")}`;
  return `SELECT ${[...selected, SUMS].join(", ")} FROM rows r
    JOIN conversations c ON c.id = r.conversation_id LEFT JOIN domains d ON d.id = c.domain_id
    WHERE ${rowsBetween(sinceMs, untilMs)}${filtered}${ending(question, keys)}`;
}

function valueOf(key: string, value: unknown): string | number | null {
  if (value instanceof Uint8Array) return formatAddress(value);
  if (key === "protocol") return protocolName(Number(value));
  if (key === POINT || key === "server_port") return Number(value);
  // An engine without NULL in such a column has '' for no name.
  return typeof value === "string" && value !== "" ? value : null;
}

/** An answer in the benchmark's own form. */
export function answeredRows(question: AskedQuestion, rows: readonly SqlRow[]): AnsweredRow[] {
  const keys = columnsOf(question);
  return rows.map((row) => ({
    key: keys.map((key) => valueOf(key, row[key])),
    bytes: Number(row.bytes),
    packets: Number(row.packets),
    rows: Number(row.row_count),
  }));
}
