import { formatAddress } from "../flow/address.ts";
import { protocolName } from "../flow/protocol.ts";
import { formatDuration } from "./numbers.ts";
import type { End, FilterExpression, FilterTest } from "./types.ts";
import { LOGIC_WORDS, TEST_WORDS } from "./words.ts";

const BITS = 8;

/** Words that mean something else where a value stands. */
const RESERVED: ReadonlySet<string> = new Set([...LOGIC_WORDS, ...TEST_WORDS, "none", "*"]);

/** A value as it can stand in a filter: in quotes where it must be. */
export function quoted(value: string): string {
  const isPlain = /^[^\s()"!&|<>=]+$/.test(value) && !RESERVED.has(value.toLowerCase());
  return isPlain ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Bits in which two addresses agree before the first in which they do not. */
function commonBits(first: Uint8Array, last: Uint8Array): number {
  const index = first.findIndex((byte, at) => byte !== last[at]);
  if (index === -1) return first.length * BITS;
  return index * BITS + Math.clz32((first[index] ?? 0) ^ (last[index] ?? 0)) - 24;
}

function network(first: Uint8Array, last: Uint8Array): string {
  const prefix = commonBits(first, last);
  return `${formatAddress(first)}${prefix === first.length * BITS ? "" : `/${prefix}`}`;
}

function protocolWord(protocol: number): string {
  const name = protocolName(protocol).toLowerCase();
  return name.startsWith("ip(") ? String(protocol) : name;
}

function withEnd(end: End, test: string): string {
  return end === "any" ? test : `${end} ${test}`;
}

/** The text of one test. */
export function formatTest(test: FilterTest): string {
  switch (test.kind) {
    case "address":
      return withEnd(test.end, `host ${network(test.first, test.last)}`);
    case "port":
      return withEnd(test.end, `port ${test.low}${test.high === test.low ? "" : `-${test.high}`}`);
    case "protocol":
      return `proto ${protocolWord(test.protocol)}`;
    case "interface":
      return `iface ${quoted(test.pattern)}`;
    case "direction":
      return `dir ${test.direction}`;
    case "domain":
      return `domain ${test.pattern === null ? "none" : quoted(test.pattern)}`;
    case "source":
      return `source ${test.source ?? "none"}`;
    case "alpn":
      return `alpn ${quoted(test.protocol)}`;
    case "ja4":
      return `ja4 ${test.pattern === "*" ? test.pattern : quoted(test.pattern)}`;
    case "state":
      return `state ${test.state}`;
    case "number": {
      const value = test.field === "rtt" ? formatDuration(test.value) : String(test.value);
      return `${test.field} ${test.comparison} ${value}`;
    }
  }
}

/** The text of a filter in its plainest form: parseFilter makes the same tree of it. Addresses must be whole networks. */
export function formatFilter(expression: FilterExpression): string {
  switch (expression.kind) {
    case "test":
      return formatTest(expression.test);
    case "not":
      return `not ${formatOperand(expression.term)}`;
    case "and":
    case "or":
      return expression.terms.map(formatOperand).join(` ${expression.kind} `);
  }
}

function formatOperand(expression: FilterExpression): string {
  const text = formatFilter(expression);
  return expression.kind === "and" || expression.kind === "or" ? `(${text})` : text;
}
