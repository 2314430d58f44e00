import type { FilterExpression, FilterTest } from "./types.ts";

/**
 * What a filter asks for that a conversation alone does not tell. `client_port`: the client's port; `row_numbers`: the
 * counts of single rows; `packet_source`: which end sent a packet; `direction`: how the client's packets, or a packet,
 * crossed the interface; `state`: live connections only.
 */
export type FilterNeed = "client_port" | "row_numbers" | "packet_source" | "state" | "direction";

/** Tests of a filter that is simple still. */
const SIMPLE_TESTS = 16;

function* testNeeds(test: FilterTest): Generator<FilterNeed> {
  switch (test.kind) {
    case "address":
    case "port":
      if (test.end === "src" || test.end === "dst") yield "packet_source";
      if (test.kind === "port" && ["any", "src", "dst", "client"].includes(test.end)) yield "client_port";
      return;
    case "number":
      yield "row_numbers";
      return;
    case "state":
    case "direction":
      yield test.kind;
      return;
    case "protocol":
    case "interface":
    case "domain":
    case "source":
    case "alpn":
    case "ja4":
      return;
  }
}

/** All tests of a filter with where they stand. */
export function* testsOf(
  expression: FilterExpression,
): Generator<Extract<FilterExpression, { kind: "test" }>> {
  switch (expression.kind) {
    case "test":
      yield expression;
      return;
    case "not":
      yield* testsOf(expression.term);
      return;
    case "and":
    case "or":
      for (const term of expression.terms) yield* testsOf(term);
  }
}

/** What the tests of a filter need besides the conversation. */
export function filterNeeds(expression: FilterExpression): Set<FilterNeed> {
  const needs = new Set<FilterNeed>();
  for (const { test } of testsOf(expression)) for (const need of testNeeds(test)) needs.add(need);
  return needs;
}

/** Whether the client, the server, its port, protocol, interface and naming decide. */
export function conversationOnly(expression: FilterExpression): boolean {
  return filterNeeds(expression).size === 0;
}

/** What holding the filter against a row takes, as a multiple of what a simple one does. */
export function filterWeight(expression: FilterExpression): number {
  return Math.max(1, [...testsOf(expression)].length / SIMPLE_TESTS);
}

/** A test where neither the client's port nor the sender of a packet is kept; false: it cannot hold. */
function simplifyTest(test: FilterTest): FilterTest | false {
  if (test.kind !== "address" && test.kind !== "port") return test;
  const isPort = test.kind === "port";
  switch (test.end) {
    case "any":
      return isPort ? { ...test, end: "server" } : test;
    case "src":
    case "client":
      return isPort ? false : { ...test, end: "client" };
    case "dst":
    case "server":
      return { ...test, end: "server" };
  }
}

function simplifyTerms(kind: "and" | "or", terms: readonly FilterExpression[]): FilterExpression | boolean {
  // What decides an `and` is a term that never holds, an `or` one that always does.
  const deciding = kind === "or";
  const left: FilterExpression[] = [];
  for (const term of terms) {
    const simple = simplifyForRollup(term);
    if (simple === deciding) return deciding;
    if (typeof simple !== "boolean") left.push(simple);
  }
  const [first] = left;
  if (first === undefined) return !deciding;
  return left.length === 1 ? first : { kind, terms: left };
}

/**
 * The filter for sums that keep neither the client's port nor who sent a packet, or whether it holds for all of them or
 * for none. `src` is the client there and `dst` the server. A port of `any` end is the server's; a test of the client's
 * port (`client`, `src`) never holds, so its `not` always does. Tests of numbers, direction and state stay.
 */
export function simplifyForRollup(expression: FilterExpression): FilterExpression | boolean {
  switch (expression.kind) {
    case "test": {
      const test = simplifyTest(expression.test);
      return test === false ? false : { ...expression, test };
    }
    case "not": {
      const term = simplifyForRollup(expression.term);
      return typeof term === "boolean" ? !term : { kind: "not", term };
    }
    case "and":
    case "or":
      return simplifyTerms(expression.kind, expression.terms);
  }
}
