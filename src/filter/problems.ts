import { EOF, type IRecognitionException, type IToken } from "chevrotain";
import { didYouMean, suggest } from "../config/suggest.ts";
import { parseAddress } from "../flow/address.ts";
import { networkRange } from "../flow/network.ts";
import { shown } from "./errors.ts";
import { Close, Word } from "./tokens.ts";
import { COMPARISONS } from "./types.ts";
import { EXPECTED_VALUE, looksLikeName } from "./values.ts";
import { ADDRESS_WORDS, type Field, PORT_WORDS, TEST_WORDS } from "./words.ts";

const EXAMPLE = "such as host 10.0.0.0/8, port 443 or domain *.example.com";

/** What is wrong with a word where a test should begin. */
export function unknownWord(word: string): string {
  const guess = suggest(word, [...TEST_WORDS, "not"]);
  if (guess !== undefined) return `${shown(word)} is not known; did you mean ${guess}?`;
  const plain = shown(word).slice(1, -1);
  if (networkRange(word) !== null || parseAddress(word) !== null) return meant(word, `host ${plain}`);
  if (/^\d{1,5}(?:-\d{1,5})?$/.test(word)) return meant(word, `port ${plain}`);
  if (word.includes(".") && looksLikeName(word)) return meant(word, `domain ${plain}`);
  return `${shown(word)} is not known; a test is expected, ${EXAMPLE}`;
}

function meant(word: string, test: string): string {
  return `${shown(word)} alone says not what it is; write: ${test}`;
}

/** What is wrong with a character that begins nothing. */
export function characterProblem(character: string): string {
  if (character === '"') return "this quote is not closed";
  if (character === "&" || character === "|") {
    const word = character === "&" ? "and" : "or";
    return `one ${character} alone means nothing; write ${word} or ${character}${character}, or put the value in quotes`;
  }
  return `${shown(character)} cannot be in a filter`;
}

/** What may stand there by the rule of the grammar that did not go on. */
function expected(rule: string, field: Field | null): string {
  switch (rule) {
    case "either":
    case "all":
    case "term":
      return `a test, ${EXAMPLE}`;
    case "sided":
      return `an address or one of ${[...ADDRESS_WORDS, ...PORT_WORDS].join(", ")}`;
    case "operand":
    case "value":
      return field === null ? "a value" : EXPECTED_VALUE[field];
    case "amount":
      return `one of ${COMPARISONS.join(" ")}`;
    case "list":
      return `"or" or )`;
    case "group":
      return `"and", "or" or )`;
    default:
      return `"and", "or" or the end`;
  }
}

/** Whether a token stands for the end of the text. */
export function isEnd({ tokenType }: IToken): boolean {
  return tokenType === EOF;
}

/** What is wrong where the grammar does not go on. `field`: of the keyword before it. */
export function syntaxProblem(error: IRecognitionException, field: Field | null): string {
  const { token } = error;
  const isWhole = error.name === "NotAllInputParsedException";
  const rule = isWhole ? "" : (error.context.ruleStack.at(-1) ?? "");
  if (isWhole && token.tokenType === Close) return ") closes nothing";
  const wanted = `expected ${expected(rule, field)}`;
  if (isEnd(token)) return `the filter ends too early; ${wanted}`;
  const isWord = token.tokenType === Word;
  const guess = isWord && (isWhole || rule === "group") ? didYouMean(token.image, ["and", "or"]) : "";
  return `${shown(token.image)} cannot stand here; ${wanted}${guess}`;
}
