import { domainMatcher } from "../flow/domain-pattern.ts";
import { splitPath } from "../flow/path.ts";
import { compareAddresses } from "./addresses.ts";
import { matchesGlob } from "./glob.ts";
import type { Comparison, End, FilterExpression, FilterSubject, FilterTest } from "./types.ts";

export type Predicate = (subject: FilterSubject) => boolean;

type TestOf<Kind extends FilterTest["kind"]> = Extract<FilterTest, { kind: Kind }>;

/** Paths of interfaces that a test remembers: more than most hosts have at a time. */
const MAX_REMEMBERED = 1024;

function ofEnd(end: End, client: Predicate, server: Predicate): Predicate {
  switch (end) {
    case "any":
      return (subject) => client(subject) || server(subject);
    case "client":
      return client;
    case "server":
      return server;
    case "src":
      return (subject) => (subject.isReversed ? server(subject) : client(subject));
    case "dst":
      return (subject) => (subject.isReversed ? client(subject) : server(subject));
  }
}

function compileAddress({ end, first, last }: TestOf<"address">): Predicate {
  const isWithin = (address: Uint8Array) =>
    address.length === first.length &&
    compareAddresses(address, first) >= 0 &&
    compareAddresses(address, last) <= 0;
  return ofEnd(
    end,
    ({ client }) => isWithin(client),
    ({ server }) => isWithin(server),
  );
}

function compilePort({ end, low, high }: TestOf<"port">): Predicate {
  return ofEnd(
    end,
    ({ clientPort }) => clientPort >= low && clientPort <= high,
    ({ serverPort }) => serverPort >= low && serverPort <= high,
  );
}

function compileInterface({ pattern }: TestOf<"interface">): Predicate {
  const known = new Map<string, boolean>();
  return (subject) => {
    const path = subject.interface;
    const remembered = known.get(path);
    if (remembered !== undefined) return remembered;
    const isMatch = splitPath(path).some((name) => matchesGlob(pattern, name));
    if (known.size < MAX_REMEMBERED) known.set(path, isMatch);
    return isMatch;
  };
}

/** ASCII letters only, as SQLite's lower() does. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function compileAlpn({ protocol }: TestOf<"alpn">): Predicate {
  const wanted = lowerAscii(protocol);
  return ({ alpn }) => alpn.some((offered) => offered === protocol || lowerAscii(offered) === wanted);
}

function compileJa4({ pattern }: TestOf<"ja4">): Predicate {
  if (!pattern.endsWith("*")) return ({ ja4 }) => ja4 === pattern;
  const start = pattern.slice(0, -1);
  return ({ ja4 }) => ja4 !== null && ja4.startsWith(start);
}

function compareWith(comparison: Comparison, value: number): (found: number) => boolean {
  switch (comparison) {
    case "=":
      return (found) => found === value;
    case "!=":
      return (found) => found !== value;
    case "<":
      return (found) => found < value;
    case "<=":
      return (found) => found <= value;
    case ">":
      return (found) => found > value;
    case ">=":
      return (found) => found >= value;
  }
}

function compileNumber({ field, comparison, value }: TestOf<"number">): Predicate {
  const holds = compareWith(comparison, value);
  switch (field) {
    case "bytes":
      return ({ bytes }) => holds(bytes);
    case "packets":
      return ({ packets }) => holds(packets);
    case "retrans":
      return ({ retransmits }) => holds(retransmits);
    case "rtt":
      return ({ rttNs }) => rttNs !== null && holds(rttNs);
  }
}

function compileTest(test: FilterTest): Predicate {
  switch (test.kind) {
    case "address":
      return compileAddress(test);
    case "port":
      return compilePort(test);
    case "protocol":
      return ({ protocol }) => protocol === test.protocol;
    case "interface":
      return compileInterface(test);
    case "direction":
      return ({ direction }) => direction === test.direction;
    case "domain": {
      const matches =
        test.pattern === null ? (domain: string | null) => domain === null : domainMatcher(test.pattern);
      return ({ domain }) => matches(domain);
    }
    case "source":
      return ({ domainSource }) => domainSource === test.source;
    case "alpn":
      return compileAlpn(test);
    case "ja4":
      return compileJa4(test);
    case "state":
      return ({ state }) => state === test.state;
    case "number":
      return compileNumber(test);
  }
}

/** `deciding` as soon as one term is. Without a closure for each subject: there are many. */
function combined(terms: readonly Predicate[], deciding: boolean): Predicate {
  return (subject) => {
    for (const term of terms) if (term(subject) === deciding) return deciding;
    return !deciding;
  };
}

/** The filter as a function. A comparison with a round trip that is not known does not hold; its `not` does. */
export function compilePredicate(expression: FilterExpression): Predicate {
  switch (expression.kind) {
    case "test":
      return compileTest(expression.test);
    case "not": {
      const term = compilePredicate(expression.term);
      return (subject) => !term(subject);
    }
    case "and":
    case "or": {
      return combined(expression.terms.map(compilePredicate), expression.kind === "or");
    }
  }
}
