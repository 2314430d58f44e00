import * as fc from "fast-check";
import { DOMAIN_SOURCES } from "../../../src/flow/naming.ts";
import { TCP_STATES } from "../../../src/flow/types.ts";
import { networkRange } from "../../../src/flow/network.ts";
import {
  COMPARISONS,
  ENDS,
  type FilterExpression,
  type FilterTest,
  NUMBER_FIELDS,
} from "../../../src/filter/types.ts";

/** Few values, so that filters and rows meet often; odd ones among them. */
export const ADDRESSES = [
  "10.0.0.1",
  "10.0.0.200",
  "10.1.0.1",
  "192.0.2.7",
  "::1",
  "2001:db8::1",
  "2001:db8::a00:1",
];
export const PORTS = [0, 53, 80, 443, 40_000, 65_535];
export const PROTOCOLS = [1, 6, 17, 58, 253];
export const INTERFACES = ["eth0", "eth1", "lo", "veth[1]", "a*b", "ünter", 'q"\\'];
/** What rows have: single interfaces, and some that saw the same connection. */
export const PATHS = [...INTERFACES, "veth[1]/br0/eth0", "lo/eth1", 'eth1/q"\\/ünter', "eth01/xlo"];
export const DOMAINS = [
  "org",
  "example.org",
  "www.example.org",
  "notexample.org",
  "none",
  "b\u00fccher.example.org",
  'quo"te\\.example',
  "\u{1f600}.example",
  "and",
];
export const ALPN = ["h2", "H3", "http/1.1", 'x"y', "\u00c4"];
export const JA4 = ["t13d1516h2_8daaf6152771_e5627efa2ab1", "t13d1516h2_other", "q13d"];
export const NUMBERS = [0, 1, 5, 1500, 1_000_000];
/** No row has it: whole segments are without it. */
const UNUSED_PORT = 9999;
const PREFIXES = [0, 8, 24, 31, 32, 33, 64, 128];
const INTERFACE_PATTERNS = [
  ...INTERFACES,
  "*",
  "eth*",
  "?o",
  "veth[*",
  "*]",
  "[a-z]*",
  "a?b",
  "???er",
  "e*h*1",
];

const address = fc
  .tuple(fc.constantFrom(...ADDRESSES, "203.0.113.9"), fc.constantFrom(...PREFIXES))
  .map(([text, prefix]) => networkRange(`${text}/${prefix}`) ?? networkRange(text))
  .filter((range) => range !== null);
const end = fc.constantFrom(...ENDS);

/** One test; of state only where `withState`. */
function test(withState: boolean): fc.Arbitrary<FilterTest> {
  const kinds: fc.Arbitrary<FilterTest>[] = [
    fc
      .record({ kind: fc.constant("address" as const), end, range: address })
      .map(({ range, ...rest }) => ({ ...rest, ...range })),
    fc
      .record({
        kind: fc.constant("port" as const),
        end,
        one: fc.constantFrom(...PORTS, UNUSED_PORT),
        two: fc.constantFrom(...PORTS, UNUSED_PORT),
        isOne: fc.boolean(),
      })
      .map(({ kind, end: of, one, two, isOne }) => ({
        kind,
        end: of,
        low: Math.min(one, isOne ? one : two),
        high: Math.max(one, isOne ? one : two),
      })),
    fc.constantFrom(...PROTOCOLS).map((protocol) => ({ kind: "protocol", protocol })),
    fc.constantFrom(...INTERFACE_PATTERNS).map((pattern) => ({ kind: "interface", pattern })),
    fc
      .constantFrom("ingress" as const, "egress" as const)
      .map((direction) => ({ kind: "direction", direction })),
    fc
      .tuple(fc.constantFrom(null, ...DOMAINS), fc.boolean())
      .map(([name, below]) => ({ kind: "domain", pattern: name === null || !below ? name : `*.${name}` })),
    fc.constantFrom(null, ...DOMAIN_SOURCES).map((source) => ({ kind: "source", source })),
    fc.constantFrom(...ALPN, "H2", "h3", "\u00e4").map((protocol) => ({ kind: "alpn", protocol })),
    fc
      .constantFrom(...JA4, "*", "t13*", "q*", "t13d", "nothing*")
      .map((pattern) => ({ kind: "ja4", pattern })),
    fc.record({
      kind: fc.constant("number" as const),
      field: fc.constantFrom(...NUMBER_FIELDS),
      comparison: fc.constantFrom(...COMPARISONS),
      value: fc.constantFrom(...NUMBERS),
    }),
  ];
  if (withState) kinds.push(fc.constantFrom(...TCP_STATES).map((state) => ({ kind: "state", state })));
  return fc.oneof(...kinds);
}

/** Filters as trees, `at` and `length` 0. */
export function expression({ withState = false } = {}): fc.Arbitrary<FilterExpression> {
  const { tree } = fc.letrec<{ tree: FilterExpression }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      test(withState).map((each): FilterExpression => ({ kind: "test", test: each, at: 0, length: 0 })),
      tie("tree").map((term): FilterExpression => ({ kind: "not", term })),
      fc
        .tuple(
          fc.constantFrom("and" as const, "or" as const),
          fc.array(tie("tree"), { minLength: 2, maxLength: 4 }),
        )
        .map(([kind, terms]): FilterExpression => ({ kind, terms })),
    ),
  }));
  return tree;
}

/** The same tree without where its tests stand. */
export function unplaced(of: FilterExpression): FilterExpression {
  if (of.kind === "test") return { ...of, at: 0, length: 0 };
  if (of.kind === "not") return { kind: "not", term: unplaced(of.term) };
  return { kind: of.kind, terms: of.terms.map(unplaced) };
}
