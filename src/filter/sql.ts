import { parseDomainPattern } from "../flow/domain-pattern.ts";
import { PATH_SEPARATOR } from "../flow/path.ts";
import { type Bound, type Condition } from "../history/condition.ts";
import { domainKey } from "../history/naming-table.ts";
import { DIRECTION_EGRESS, DIRECTION_INGRESS, KIND_PACKET } from "../history/schema.ts";
import { FilterError } from "./errors.ts";
import { lowerAscii } from "./predicate.ts";
import type { Comparison, End, FilterExpression, FilterTest, NumberField } from "./types.ts";

type Test = Extract<FilterExpression, { kind: "test" }>;
type TestOf<Kind extends FilterTest["kind"]> = Extract<FilterTest, { kind: Kind }>;

/** A packet of the server's: its source is the server. */
const REVERSED = `(r.kind = ${KIND_PACKET} AND r.packets_received > 0)`;

const NUMBERS: Readonly<Record<NumberField, string>> = {
  bytes: "r.bytes_sent + r.bytes_received",
  packets: "r.packets_sent + r.packets_received",
  rtt: "r.rtt",
  retrans: "r.retransmits",
};
const OPERATORS: Readonly<Record<Comparison, string>> = {
  "=": "=",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

function equal(column: string, value: Bound): Condition {
  return { sql: `${column} = ?`, bound: [value] };
}

function ofEnd(end: End, client: Condition, server: Condition): Condition {
  const straight = [...client.bound, ...server.bound];
  const reversed = [...server.bound, ...client.bound];
  switch (end) {
    case "any":
      return { sql: `(${client.sql} OR ${server.sql})`, bound: straight };
    case "client":
      return client;
    case "server":
      return server;
    case "src":
      return { sql: `CASE WHEN ${REVERSED} THEN ${server.sql} ELSE ${client.sql} END`, bound: reversed };
    case "dst":
      return { sql: `CASE WHEN ${REVERSED} THEN ${client.sql} ELSE ${server.sql} END`, bound: straight };
  }
}

function compileAddress({ end, first, last }: TestOf<"address">): Condition {
  // A longer address could lie between two shorter ones.
  const within = (column: string): Condition => ({
    sql: `(${column} BETWEEN ? AND ? AND length(${column}) = ${first.length})`,
    bound: [first, last],
  });
  return ofEnd(end, within("c.client"), within("c.server"));
}

function compilePort({ end, low, high }: TestOf<"port">): Condition {
  const within = (column: string): Condition =>
    low === high ? equal(column, low) : { sql: `${column} BETWEEN ? AND ?`, bound: [low, high] };
  return ofEnd(end, within("r.client_port"), within("c.server_port"));
}

/**
 * A pattern over a column of reversed names: in their order, those below a name follow it with a dot, before those with
 * a slash.
 */
export function domainCondition(column: string, pattern: string): Condition {
  const { name, withSubdomains } = parseDomainPattern(pattern);
  const key = domainKey(name);
  if (!withSubdomains) return equal(column, key);
  return {
    sql: `(${column} = ? OR (${column} >= ? AND ${column} < ?))`,
    bound: [key, `${key}.`, `${key}/`],
  };
}

function compileDomain({ pattern }: TestOf<"domain">): Condition {
  if (pattern === null) return { sql: "c.domain_id = 0", bound: [] };
  // No name is empty.
  return domainCondition("coalesce(n.reversed, '')", pattern);
}

/** Holds for a conversation that one of the interfaces of its path saw. */
function compileInterface({ pattern }: TestOf<"interface">): Condition {
  const having = (sql: string, bound: Bound[]): Condition => ({
    sql: `c.interface_id IN (SELECT id FROM interfaces WHERE ${sql})`,
    bound,
  });
  // In no name, but between those of a path.
  if (pattern.includes(PATH_SEPARATOR)) return having("false", []);
  if (!/[*?]/.test(pattern)) {
    const [before, after] = [PATH_SEPARATOR, PATH_SEPARATOR];
    return having("instr(concat(?, name, ?), ?) > 0", [before, after, before + pattern + after]);
  }
  const names = "json_each(concat(?, replace(json_quote(name), ?, ?), ?))";
  // A bracket begins a set of characters in GLOB alone.
  const bound = ["[", PATH_SEPARATOR, '","', "]", pattern.replaceAll("[", "[[]")];
  return having(`EXISTS (SELECT 1 FROM ${names} AS point WHERE point.value GLOB ?)`, bound);
}

function compileAlpn({ protocol }: TestOf<"alpn">): Condition {
  const wanted = lowerAscii(protocol);
  const offered = "EXISTS (SELECT 1 FROM json_each(t.alpn) AS offered WHERE lower(offered.value) = ?)";
  // The list is taken apart only where the text of the protocol is in it, within another one perhaps.
  return {
    sql: `(instr(lower(coalesce(t.alpn, '')), ?) > 0 AND ${offered})`,
    bound: [JSON.stringify(wanted), wanted],
  };
}

function compileJa4({ pattern }: TestOf<"ja4">): Condition {
  const stored = "coalesce(t.ja4, '')";
  if (!pattern.endsWith("*")) return equal(stored, pattern);
  const start = pattern.slice(0, -1);
  return { sql: `(${stored} <> '' AND substr(${stored}, 1, ?) = ?)`, bound: [start.length, start] };
}

/** NULL, a round trip that is not known, compares with nothing: false, not unknown, so that NOT makes it true. */
function compileNumber({ field, comparison, value }: TestOf<"number">): Condition {
  const sql = `${NUMBERS[field]} ${OPERATORS[comparison]} ?`;
  return { sql: field === "rtt" ? `coalesce(${sql}, false)` : sql, bound: [value] };
}

function compileTest({ test, at, length }: Test): Condition {
  switch (test.kind) {
    case "address":
      return compileAddress(test);
    case "port":
      return compilePort(test);
    case "protocol":
      return equal("c.protocol", test.protocol);
    case "interface":
      return compileInterface(test);
    case "direction":
      return equal("r.direction", test.direction === "egress" ? DIRECTION_EGRESS : DIRECTION_INGRESS);
    case "domain":
      return compileDomain(test);
    case "source":
      return equal("coalesce(t.source, '')", test.source ?? "");
    case "alpn":
      return compileAlpn(test);
    case "ja4":
      return compileJa4(test);
    case "state":
      throw new FilterError(
        "state is known of live connections only; history does not keep it",
        at,
        length,
        "",
      );
    case "number":
      return compileNumber(test);
  }
}

/**
 * The filter as a condition that is true or false, never NULL, over `rows AS r`, `conversations AS c` and DETAIL_JOIN.
 * Nothing of the filter's text is in the SQL: values are bound.
 * @throws FilterError for a test of state, which history does not have.
 */
export function compileSql(expression: FilterExpression): Condition {
  switch (expression.kind) {
    case "test":
      return compileTest(expression);
    case "not": {
      const { sql, bound } = compileSql(expression.term);
      return { sql: `NOT (${sql})`, bound };
    }
    case "and":
    case "or": {
      const terms = expression.terms.map(compileSql);
      return {
        sql: `(${terms.map(({ sql }) => sql).join(expression.kind === "and" ? " AND " : " OR ")})`,
        bound: terms.flatMap(({ bound }) => bound),
      };
    }
  }
}
