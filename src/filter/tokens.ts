import { createToken, type IToken, Lexer, type TokenType } from "chevrotain";
import {
  ADDRESS_WORDS,
  ALIASES,
  BARE_WORDS,
  canonicalWord,
  END_WORDS,
  NUMBER_WORDS,
  PORT_WORDS,
  VALUE_WORDS,
} from "./words.ts";

/** What can stand as a value; of these `Plain` begins no test. */
export const AnyValue = createToken({ name: "AnyValue", pattern: Lexer.NA });
export const Plain = createToken({ name: "Plain", pattern: Lexer.NA, categories: [AnyValue] });

/** What ends a word: spaces, symbols, and control characters, C1 too, which are in no value a filter is about. */
const CONTROL = "\\x00-\\x1f\\x7f-\\x9f";
const WORD = `[^\\s()"!&|<>=${CONTROL}]`;

export const Word = createToken({
  name: "Word",
  pattern: new RegExp(`${WORD}+`),
  categories: [Plain],
});
export const Quoted = createToken({
  name: "Quoted",
  pattern: new RegExp(`"(?:[^"\\\\${CONTROL}]|\\\\[^${CONTROL}])*"`),
  categories: [Plain],
});
const Space = createToken({ name: "Space", pattern: /\s+/, group: Lexer.SKIPPED });
export const Open = createToken({ name: "Open", pattern: "(" });
export const Close = createToken({ name: "Close", pattern: ")" });
export const Comparator = createToken({ name: "Comparator", pattern: /<=|>=|!=|==|=|<|>/ });

function keyword(name: string, words: readonly string[], symbol = ""): TokenType {
  const aliases = Object.entries(ALIASES).flatMap(([alias, of]) => (words.includes(of) ? [alias] : []));
  // Of alternatives the first that fits is taken, also where a longer one would.
  const longestFirst = [...words, ...aliases].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`${symbol}${longestFirst.join("|")}`, "i");
  const categories = symbol === "" ? [AnyValue] : [];
  return createToken({ name, pattern, longer_alt: Word, categories });
}

export const And = keyword("And", ["and"], "&&|");
export const Or = keyword("Or", ["or"], "\\|\\||");
export const Not = keyword("Not", ["not"], "!|");
export const EndWord = keyword("EndWord", END_WORDS);
export const AddressWord = keyword("AddressWord", ADDRESS_WORDS);
export const PortWord = keyword("PortWord", PORT_WORDS);
export const ValueWord = keyword("ValueWord", VALUE_WORDS);
export const NumberWord = keyword("NumberWord", NUMBER_WORDS);
export const BareWord = keyword("BareWord", BARE_WORDS);

/** In the order in which they are tried. */
export const TOKENS: TokenType[] = [
  Space,
  Open,
  Close,
  Comparator,
  And,
  Or,
  Not,
  EndWord,
  AddressWord,
  PortWord,
  ValueWord,
  NumberWord,
  BareWord,
  Quoted,
  Word,
  Plain,
  AnyValue,
];

/** The usual word of a keyword's token. */
export function wordOf(token: IToken): string {
  return canonicalWord(token.image);
}
