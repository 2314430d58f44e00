import { parseDomainPattern } from "../flow/domain-pattern.ts";
import { networkRange } from "../flow/network.ts";
import { HistoryQueryError } from "./errors.ts";
import { KIND_PACKET, KIND_WINDOW, DIRECTION_EGRESS, DIRECTION_INGRESS } from "./schema.ts";
import { domainKey } from "./naming-table.ts";
import type { HistoryQuery } from "./types.ts";

export type Bound = number | bigint | Uint8Array | string;

/** A condition in SQL with its parameters, in order. */
export interface Condition {
  sql: string;
  bound: Bound[];
}

/** What a query asks besides time. Conditions use `r` for the row and `c` for its conversation. */
export interface Filter {
  /** Holds for a row: everything that was asked. */
  row: Condition[];
  /** Holds for the conversation of each matching row; empty when any conversation may match. */
  conversation: Condition[];
  /** What may follow FROM: each alone gives, by an index, the conversation of each matching row once. */
  indexed: Condition[];
  /** Every matching row has all of these, at one end or the other. */
  ports: number[];
}

/** A packet of the server's: its source is the server. */
const REVERSED = `(r.kind = ${KIND_PACKET} AND r.packets_received > 0)`;

/** First and last address of an address or CIDR. @throws HistoryQueryError naming `parameter`. */
export function addressRange(parameter: string, text: string): { first: Uint8Array; last: Uint8Array } {
  const range = networkRange(text);
  if (range === null) {
    throw new HistoryQueryError(
      `${parameter}: "${text}" is not an address or CIDR; write for example 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32`,
    );
  }
  return range;
}

function either(a: Condition, b: Condition): Condition {
  return { sql: `(${a.sql} OR ${b.sql})`, bound: [...a.bound, ...b.bound] };
}

function within(column: string, first: Uint8Array, last: Uint8Array): Condition {
  // A longer address could lie between two shorter ones.
  return {
    sql: `(${column} BETWEEN ? AND ? AND length(${column}) = ${first.length})`,
    bound: [first, last],
  };
}

function equal(column: string, value: Bound): Condition {
  return { sql: `${column} = ?`, bound: [value] };
}

/** `straight` for rows whose source is the client, `reversed` for the others. */
function bySource(straight: Condition, reversed: Condition): Condition {
  return {
    sql: `CASE WHEN ${REVERSED} THEN ${reversed.sql} ELSE ${straight.sql} END`,
    bound: [...reversed.bound, ...straight.bound],
  };
}

function addAddress(filter: Filter, parameter: "ip" | "src_ip" | "dst_ip", text: string | undefined): void {
  if (text === undefined) return;
  const { first, last } = addressRange(parameter, text);
  const client = within("c.client", first, last);
  const server = within("c.server", first, last);
  const anyEnd = either(client, server);
  filter.conversation.push(anyEnd);
  filter.indexed.push({
    sql: "conversations AS c WHERE (c.client BETWEEN ? AND ? OR c.server BETWEEN ? AND ?)",
    bound: [first, last, first, last],
  });
  if (parameter === "ip") filter.row.push(anyEnd);
  else filter.row.push(parameter === "src_ip" ? bySource(client, server) : bySource(server, client));
}

function addPort(filter: Filter, end: "any" | "source" | "destination", port: number | undefined): void {
  if (port === undefined) return;
  const client = equal("r.client_port", port);
  const server = equal("c.server_port", port);
  filter.ports.push(port);
  if (end === "any") filter.row.push(either(client, server));
  else filter.row.push(end === "source" ? bySource(client, server) : bySource(server, client));
}

function addConversation(filter: Filter, condition: Condition): void {
  filter.conversation.push(condition);
  filter.row.push(condition);
}

/** Names in the order of their reversed text: those below a name follow it with a dot, before those with a slash. */
function domainCondition(pattern: string): Condition {
  const { name, withSubdomains } = parseDomainPattern(pattern);
  const key = domainKey(name);
  return withSubdomains
    ? {
        sql: "(d.reversed = ? OR (d.reversed >= ? AND d.reversed < ?))",
        bound: [key, `${key}.`, `${key}/`],
      }
    : { sql: "d.reversed = ?", bound: [key] };
}

function addDomain(filter: Filter, pattern: string | undefined): void {
  if (pattern === undefined) return;
  const { sql, bound } = domainCondition(pattern);
  // Of one conversation at a time: a list of all names below `com` could be long.
  addConversation(filter, {
    sql: `EXISTS (SELECT 1 FROM domains AS d WHERE d.id = c.domain_id AND ${sql})`,
    bound,
  });
  filter.indexed.push({
    sql: `domains AS d CROSS JOIN conversations AS c ON c.domain_id = d.id AND c.domain_id <> 0 WHERE ${sql}`,
    bound,
  });
}

/** What of `query` is not about time. @throws HistoryQueryError for an address that is none. */
export function buildFilter(query: HistoryQuery): Filter {
  const filter: Filter = { row: [], conversation: [], indexed: [], ports: [] };
  if (query.kind !== undefined) {
    filter.row.push(equal("r.kind", query.kind === "packet" ? KIND_PACKET : KIND_WINDOW));
  }
  if (query.direction !== undefined) {
    filter.row.push(
      equal("r.direction", query.direction === "egress" ? DIRECTION_EGRESS : DIRECTION_INGRESS),
    );
  }
  addAddress(filter, "ip", query.ip);
  addAddress(filter, "src_ip", query.srcIp);
  addAddress(filter, "dst_ip", query.dstIp);
  addPort(filter, "any", query.port);
  addPort(filter, "source", query.srcPort);
  addPort(filter, "destination", query.dstPort);
  if (query.protocol !== undefined) addConversation(filter, equal("c.protocol", query.protocol));
  if (query.interface !== undefined) {
    const id = "c.interface_id = (SELECT id FROM interfaces WHERE name = ?)";
    addConversation(filter, { sql: id, bound: [query.interface] });
  }
  addDomain(filter, query.domain);
  return filter;
}

/** Conditions joined by AND; none always hold. */
export function allOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(" AND ") || "true",
    bound: conditions.flatMap(({ bound }) => bound),
  };
}
