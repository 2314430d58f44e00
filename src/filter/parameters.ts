import type { ConnectionState, Direction } from "../flow/types.ts";
import type { End, FilterExpression, FilterTest } from "./types.ts";

/** What can be asked for by single parameters, each a test. Absent ones do not filter. */
export interface FilterParameters {
  /** Either end. */
  ip?: string;
  srcIp?: string;
  dstIp?: string;
  port?: number;
  srcPort?: number;
  dstPort?: number;
  protocol?: number;
  interface?: string;
  direction?: Direction;
  state?: ConnectionState;
  /** A name, or `*.example.com` for that name and all below it. */
  domain?: string;
}

/** First and last address of what `parameter` is; throws for what is none. */
type ReadAddress = (parameter: string, text: string) => { first: Uint8Array; last: Uint8Array };

/** The tests that parameters stand for. */
export function parameterTests(given: FilterParameters, readAddress: ReadAddress): FilterTest[] {
  const { protocol, direction, state, domain: pattern } = given;
  const ends: readonly [End, string, string | undefined, number | undefined][] = [
    ["any", "ip", given.ip, given.port],
    ["src", "src_ip", given.srcIp, given.srcPort],
    ["dst", "dst_ip", given.dstIp, given.dstPort],
  ];
  const tests: FilterTest[] = [];
  for (const [end, parameter, address, port] of ends) {
    if (address !== undefined) tests.push({ kind: "address", end, ...readAddress(parameter, address) });
    if (port !== undefined) tests.push({ kind: "port", end, low: port, high: port });
  }
  if (protocol !== undefined) tests.push({ kind: "protocol", protocol });
  if (given.interface !== undefined) tests.push({ kind: "interface", pattern: given.interface });
  if (direction !== undefined) tests.push({ kind: "direction", direction });
  if (state !== undefined) tests.push({ kind: "state", state });
  if (pattern !== undefined) tests.push({ kind: "domain", pattern });
  return tests;
}

/** What holds where all of `tests` and `filter` do; null where nothing is asked. */
export function allTests(
  tests: readonly FilterTest[],
  filter?: FilterExpression | null,
): FilterExpression | null {
  const terms: FilterExpression[] = tests.map((test) => ({ kind: "test", test, at: 0, length: 0 }));
  if (filter !== undefined && filter !== null) terms.push(filter);
  const [first] = terms;
  if (first === undefined) return null;
  return terms.length === 1 ? first : { kind: "and", terms };
}
