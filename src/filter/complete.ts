import type { IToken } from "chevrotain";
import { TCP_STATES } from "../flow/types.ts";
import { quoted } from "./format.ts";
import { grammar, MAX_FILTER } from "./parse.ts";
import { SERVICES } from "./services.ts";
import { COMPARISONS } from "./types.ts";
import { DIRECTION_NAMES, PROTOCOL_WORDS, SOURCE_WORDS } from "./values.ts";
import {
  ADDRESS_WORDS,
  canonicalWord,
  END_WORDS,
  type Field,
  fieldOf,
  HINTS,
  PORT_WORDS,
  TEST_WORDS,
} from "./words.ts";

/** What may stand at the cursor: `text` takes the place of the characters from `from` up to `to`. */
export interface Completion {
  text: string;
  from: number;
  to: number;
  /** What it means, in a few words. */
  hint: string;
}

/** What is there to be asked for, most wanted first. */
export type CompletionValues = Partial<
  Record<"interface" | "domain" | "address" | "port", readonly string[]>
>;

/** What can follow: words of the language, or values of a field. */
interface Expected {
  words: readonly string[];
  field?: Field;
}

const MAX_COMPLETIONS = 50;
const SUBDOMAINS = "*.";
/** Where a character stands that ends no word. */
const REST_OF_WORD = /^[^\s()"!&|<>=]*/;
const PLACE_WORDS: readonly string[] = [...ADDRESS_WORDS, ...PORT_WORDS];

const FIELD_WORDS: Partial<Record<Field, readonly string[]>> = {
  proto: PROTOCOL_WORDS,
  dir: DIRECTION_NAMES,
  source: SOURCE_WORDS,
  state: TCP_STATES,
  domain: ["none"],
  alpn: ["h2", "h3", "http/1.1"],
  port: Object.keys(SERVICES),
};
const KNOWN_VALUES: Partial<Record<Field, keyof CompletionValues>> = {
  address: "address",
  port: "port",
  iface: "interface",
  domain: "domain",
};

/** Follows the words of a filter and says what may come after them. */
class Walk {
  expected: Expected = { words: [...TEST_WORDS, "not"] };
  private field: Field = "address";
  /** Open parentheses; true for one around values. */
  private readonly lists: boolean[] = [];

  step({ tokenType, image }: IToken): void {
    const isValue = this.expected.field !== undefined;
    switch (tokenType.name) {
      case "Open":
        this.lists.push(isValue);
        return isValue ? this.value() : this.term();
      case "And":
      case "Or":
      case "Not":
        return this.lists.at(-1) === true ? this.value() : this.term();
      case "Comparator":
        return this.value();
      case "Close":
        this.lists.pop();
        return this.afterTerm();
      default:
        // A keyword where a value is expected is one, as in `port domain`.
        if (isValue && !PLACE_WORDS.includes(canonicalWord(image))) return this.afterTerm();
        return this.word(tokenType.name, image);
    }
  }

  private word(kind: string, image: string): void {
    switch (kind) {
      case "EndWord":
        this.field = "address";
        this.expected = { words: PLACE_WORDS, field: "address" };
        return;
      case "AddressWord":
      case "PortWord":
      case "ValueWord":
        this.field = fieldOf(canonicalWord(image));
        return this.value();
      case "NumberWord":
        this.field = fieldOf(canonicalWord(image));
        this.expected = { words: COMPARISONS };
        return;
      case "BareWord":
        return this.afterTerm([...PLACE_WORDS, ...END_WORDS]);
      default:
        return this.afterTerm();
    }
  }

  private term(): void {
    this.expected = { words: [...TEST_WORDS, "not"] };
  }

  private value(): void {
    this.expected = { words: FIELD_WORDS[this.field] ?? [], field: this.field };
  }

  private afterTerm(more: readonly string[] = []): void {
    const logic = this.lists.at(-1) === true ? ["or"] : ["and", "or"];
    this.expected = { words: [...logic, ...(this.lists.length > 0 ? [")"] : []), ...more] };
  }
}

/** Those of `candidates` that begin with `prefix`, then those that have it within. */
function matching(candidates: readonly string[], prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  const places = candidates.map((candidate) => candidate.toLowerCase().indexOf(wanted));
  const first = candidates.filter((_, index) => places[index] === 0);
  return [...first, ...candidates.filter((_, index) => (places[index] ?? 0) > 0)].slice(0, MAX_COMPLETIONS);
}

/** Values that are there, written as values; of names also those below, where that is what is typed. */
function matchingValues(field: Field, values: CompletionValues, prefix: string): string[] {
  const isBelow = field === "domain" && prefix.startsWith(SUBDOMAINS);
  const kind = KNOWN_VALUES[field];
  const candidates = kind === undefined ? [] : (values[kind] ?? []);
  const found = matching(candidates, isBelow ? prefix.slice(SUBDOMAINS.length) : prefix);
  return found.map((value) => quoted(isBelow ? `${SUBDOMAINS}${value}` : value));
}

/** What may come at `cursor`, in UTF-16 units; nothing within quotes or behind what cannot be read. */
export function completeFilter(text: string, cursor: number, values: CompletionValues = {}): Completion[] {
  const before = text.slice(0, Math.min(cursor, MAX_FILTER));
  const { tokens, isWhole } = grammar().tokenize(before);
  if (!isWhole) return [];
  const last = tokens.at(-1);
  const isTyping =
    last !== undefined && last.startOffset + last.image.length === before.length && isWord(last.image);
  const prefix = isTyping ? last.image : "";
  const walk = new Walk();
  for (const token of isTyping ? tokens.slice(0, -1) : tokens) walk.step(token);
  const { words, field } = walk.expected;
  const from = before.length - prefix.length;
  const to = before.length + (REST_OF_WORD.exec(text.slice(before.length))?.[0].length ?? 0);
  const known = field === undefined ? [] : matchingValues(field, values, prefix);
  const all = [
    ...known.map((value) => ({ text: value, hint: "seen here" })),
    ...matching(words, prefix)
      .filter((word) => word.toLowerCase().startsWith(prefix.toLowerCase()))
      .map((word) => ({ text: word, hint: hintOf(word, field) })),
  ];
  return all.slice(0, MAX_COMPLETIONS).map((each) => ({ ...each, from, to }));
}

function isWord(image: string): boolean {
  return REST_OF_WORD.exec(image)?.[0] === image;
}

function hintOf(word: string, field: Field | undefined): string {
  if (field === "port" && Object.hasOwn(SERVICES, word)) return `port ${SERVICES[word]}`;
  return (field === undefined || PLACE_WORDS.includes(word) ? HINTS[word] : undefined) ?? "";
}
