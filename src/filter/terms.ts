import type { IToken } from "chevrotain";
import { suggest } from "../config/suggest.ts";
import { networkRange } from "../flow/network.ts";
import { readComparison } from "./compare.ts";
import { FilterError, shown } from "./errors.ts";
import { unknownWord } from "./problems.ts";
import { wordOf } from "./tokens.ts";
import { COMPARISONS, type End, ENDS, type FilterExpression, type FilterTest } from "./types.ts";
import { readValue, type Reading, type Value } from "./values.ts";
import { type BareWord, type Field, fieldOf, TEST_WORDS } from "./words.ts";

/** Nesting of parentheses and `not`, and tests of one filter, at most. */
export const MAX_DEPTH = 64;
export const MAX_TESTS = 256;

/** What a value belongs to: said by the keywords before it. */
interface Qualifier {
  field: Field;
  end: End;
}

/** What follows the keywords of a test: one value, or several in parentheses. */
export interface Operand {
  operator?: IToken | undefined;
  values: IToken[];
}

const BARE: Readonly<Record<BareWord, () => FilterTest>> = {
  tcp: () => ({ kind: "protocol", protocol: 6 }),
  udp: () => ({ kind: "protocol", protocol: 17 }),
  icmp: () => ({ kind: "protocol", protocol: 1 }),
  icmp6: () => ({ kind: "protocol", protocol: 58 }),
  ip: () => family("0.0.0.0/0"),
  ip6: () => family("::/0"),
  ingress: () => ({ kind: "direction", direction: "ingress" }),
  egress: () => ({ kind: "direction", direction: "egress" }),
};

function family(text: string): FilterTest {
  const { first, last } = networkRange(text) ?? { first: new Uint8Array(), last: new Uint8Array() };
  return { kind: "address", end: "any", first, last };
}

/** The end of a word before a keyword; any without one. */
function endOf(token: IToken): End {
  return ENDS.find((end) => end === wordOf(token)) ?? "any";
}

function isBare(word: string): word is BareWord {
  return Object.hasOwn(BARE, word);
}

function valueOf({ image }: IToken): Value {
  if (!image.startsWith('"')) return { text: image, isQuoted: false };
  return { text: image.slice(1, -1).replace(/\\(["\\])/g, "$1"), isQuoted: true };
}

/** Makes the terms of one filter as its words are read, within the bounds of a filter. */
export class TermMaker {
  /** Of the keyword last read, for saying what should have followed it. */
  field: Field | null = null;
  private depth = 0;
  private tests = 0;
  /** What a value belongs to that stands alone, as 443 does in `port 80 or 443`. */
  private qualifier: Qualifier | null = null;

  constructor(private readonly text: string) {}

  /** A `not` or a parenthesis begins. */
  enter(token: IToken): void {
    if (++this.depth > MAX_DEPTH) this.fail(`nested more than ${MAX_DEPTH} deep`, token);
  }

  leave(): void {
    this.depth--;
  }

  /** A test that is one word. */
  bare(token: IToken): FilterExpression {
    this.qualifier = null;
    const word = wordOf(token);
    return this.test(isBare(word) ? BARE[word]() : family(word), token, token);
  }

  /** Notes the keyword whose value is to follow. */
  expect(keyword: IToken): void {
    this.field = fieldOf(wordOf(keyword));
  }

  /** The test of a keyword's field, of the end that `first` says; of several values one of them. */
  terms(first: IToken, keyword: IToken, { operator, values }: Operand): FilterExpression {
    const qualifier = { field: fieldOf(wordOf(keyword)), end: endOf(first) };
    this.qualifier = operator === undefined ? qualifier : null;
    const [value] = values;
    if (value !== undefined && values.length === 1) return this.one(qualifier, first, operator, value);
    const isNegated = operator?.image === "!=";
    const each = isNegated ? undefined : operator;
    const terms = values.map((token) => this.one(qualifier, token, each, token));
    const either: FilterExpression = { kind: "or", terms };
    return isNegated ? { kind: "not", term: either } : either;
  }

  /** A value that stands alone. `isLast`: the term ends with it. */
  repeated(token: IToken, isLast: boolean): FilterExpression {
    const { qualifier } = this;
    const value = valueOf(token);
    const isMisspelt = !value.isQuoted && suggest(value.text, TEST_WORDS) !== undefined;
    const reading = qualifier === null || !isLast ? null : readValue(qualifier.field, qualifier.end, value);
    // A name without a dot is rather a word that is missing something.
    const isDoubtful = qualifier?.field === "domain" && !value.isQuoted && !/[.*]/.test(value.text);
    if (reading === null || isDoubtful || ("problem" in reading && isMisspelt)) {
      return this.fail(unknownWord(value.text), token);
    }
    return this.finish(reading, token, token);
  }

  fail(problem: string, { startOffset, image }: IToken): never {
    throw new FilterError(problem, startOffset, image.length, this.text);
  }

  private one(
    { field, end }: Qualifier,
    first: IToken,
    operator: IToken | undefined,
    token: IToken,
  ): FilterExpression {
    const value = valueOf(token);
    if (operator === undefined) return this.finish(readValue(field, end, value), first, token);
    const symbol = operator.image === "==" ? "=" : operator.image;
    const comparison = COMPARISONS.find((known) => known === symbol) ?? "=";
    const reading = readComparison(field, end, comparison, value);
    if (reading !== null) return this.finish(reading, first, token);
    return this.fail(`${shown(symbol)} is for numbers and ports; here write = or !=, or nothing`, operator);
  }

  private finish(reading: Reading, first: IToken, value: IToken): FilterExpression {
    if ("problem" in reading) return this.fail(reading.problem, value);
    const term = this.test(reading.test, first, value);
    return reading.isNegated === true ? { kind: "not", term } : term;
  }

  private test(test: FilterTest, first: IToken, last: IToken): FilterExpression {
    if (++this.tests > MAX_TESTS) this.fail(`more than ${MAX_TESTS} tests`, first);
    const at = first.startOffset;
    return { kind: "test", test, at, length: last.startOffset + last.image.length - at };
  }
}
