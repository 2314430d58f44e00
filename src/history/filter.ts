import { networkRange } from "../flow/network.ts";
import { conversationOnly, filterWeight } from "../filter/needs.ts";
import { allTests, parameterTests } from "../filter/parameters.ts";
import { compileSql, domainCondition } from "../filter/sql.ts";
import type { FilterExpression, FilterTest } from "../filter/types.ts";
import type { Condition } from "./condition.ts";
import { parseConnectionId } from "./connection-id.ts";
import { HistoryQueryError } from "./errors.ts";
import { KIND_PACKET, KIND_WINDOW } from "./schema.ts";
import type { HistoryQuery } from "./types.ts";

export { allOf } from "./condition.ts";
export type { Bound, Condition } from "./condition.ts";

/** What a query asks besides time. Conditions use `r` for the row, `c` for its conversation, `t` for the detail of that. */
export interface Filter {
  /** Holds for a row: everything that was asked. */
  row: Condition[];
  /** Holds for the conversation of each matching row; empty when any conversation may match. */
  conversation: Condition[];
  /** What may follow FROM: each alone gives, by an index, the conversation of each matching row. */
  indexed: Condition[];
  /** For each of these, a port of every matching row, of one end or the other, passes. */
  ports: PortTest[];
  /** What `row` takes, as a multiple of a simple filter. */
  weight: number;
}

export type PortTest = (port: number) => boolean;

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

/** The terms that must all hold. */
function* termsOf(expression: FilterExpression): Generator<FilterExpression> {
  if (expression.kind !== "and") yield expression;
  else for (const term of expression.terms) yield* termsOf(term);
}

/** What of `expression` the conversation of a matching row decides; null where any conversation may have one. */
function ofConversation(expression: FilterExpression): FilterExpression | null {
  if (conversationOnly(expression)) return expression;
  if (expression.kind === "test") {
    const { test } = expression;
    // The source can be either end.
    return test.kind === "address" ? { ...expression, test: { ...test, end: "any" } } : null;
  }
  if (expression.kind === "not") return null;
  const terms = expression.terms.map(ofConversation);
  const known = terms.filter((term) => term !== null);
  const isDecided = expression.kind === "and" ? known.length > 0 : known.length === terms.length;
  return isDecided ? { ...expression, terms: known } : null;
}

function indexedAddress({ end, first, last }: Extract<FilterTest, { kind: "address" }>): Condition {
  const ofClient = { sql: "c.client BETWEEN ? AND ?", bound: [first, last] };
  const ofServer = { sql: "c.server BETWEEN ? AND ?", bound: [first, last] };
  const conditions = end === "client" ? [ofClient] : end === "server" ? [ofServer] : [ofClient, ofServer];
  return {
    sql: `conversations AS c WHERE (${conditions.map(({ sql }) => sql).join(" OR ")})`,
    bound: conditions.flatMap(({ bound }) => bound),
  };
}

/** What may follow FROM to get at the conversations of matching rows by an index; null where there is none. */
function indexedSource(expression: FilterExpression): Condition | null {
  if (expression.kind === "or") {
    const sources = expression.terms.map(indexedSource);
    const known = sources.filter((source) => source !== null);
    if (known.length < sources.length) return null;
    const union = known.map(({ sql }) => `SELECT c.* FROM ${sql}`).join(" UNION ALL ");
    return { sql: `(${union}) AS c`, bound: known.flatMap(({ bound }) => bound) };
  }
  if (expression.kind === "and")
    return expression.terms.map(indexedSource).find((each) => each !== null) ?? null;
  if (expression.kind !== "test") return null;
  const { test } = expression;
  if (test.kind === "address") return indexedAddress(test);
  if (test.kind !== "domain" || test.pattern === null) return null;
  const { sql, bound } = domainCondition("d.reversed", test.pattern);
  const joined = "domains AS d CROSS JOIN conversations AS c ON c.domain_id = d.id AND c.domain_id <> 0";
  return { sql: `${joined} WHERE ${sql}`, bound };
}

/** A test that a port of each matching row passes, whichever end's; null where any port may be. */
function portTest(expression: FilterExpression): PortTest | null {
  if (expression.kind === "or") {
    const tests = expression.terms.map(portTest);
    const known = tests.filter((test) => test !== null);
    return known.length < tests.length ? null : (port) => known.some((test) => test(port));
  }
  if (expression.kind === "and") return expression.terms.map(portTest).find((each) => each !== null) ?? null;
  if (expression.kind !== "test" || expression.test.kind !== "port") return null;
  const { low, high } = expression.test;
  return (port) => port >= low && port <= high;
}

/** The rows of one connection. @throws HistoryQueryError for an id that is none. */
function addConnection(filter: Filter, id: string): void {
  const { conversationId, clientPort } = parseConnectionId(id);
  filter.row.push({
    sql: "r.conversation_id = ? AND r.client_port = ?",
    bound: [conversationId, clientPort],
  });
  filter.conversation.push({ sql: "c.id = ?", bound: [conversationId] });
  filter.indexed.unshift({ sql: "conversations AS c WHERE c.id = ?", bound: [conversationId] });
  filter.ports.push((port) => port === clientPort);
}

/**
 * What of `query` is not about time.
 * @throws HistoryQueryError for an address or a connection that is none, FilterError for a test that history cannot answer.
 */
export function buildFilter(query: HistoryQuery): Filter {
  const expression = allTests(parameterTests(query, addressRange), query.filter);
  const terms = expression === null ? [] : [...termsOf(expression)];
  const row = terms.map(compileSql);
  if (query.kind !== undefined) {
    row.unshift({ sql: "r.kind = ?", bound: [query.kind === "packet" ? KIND_PACKET : KIND_WINDOW] });
  }
  const filter: Filter = {
    row,
    conversation: terms
      .map(ofConversation)
      .filter((each) => each !== null)
      .map(compileSql),
    indexed: terms.map(indexedSource).filter((each) => each !== null),
    ports: terms.map(portTest).filter((each) => each !== null),
    weight: expression === null ? 1 : filterWeight(expression),
  };
  if (query.connectionId !== undefined) addConnection(filter, query.connectionId);
  return filter;
}
