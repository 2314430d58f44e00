import { UsageError } from "../errors.ts";

/** Characters that are shown of a word, and of the text around an error. */
const MAX_WORD = 40;
const MAX_SHOWN = 72;
const ELLIPSIS = "...";

/** Bad text of a filter. Exit code 2. */
export class FilterError extends UsageError {
  constructor(
    /** What is wrong, without where. */
    readonly problem: string,
    /** Where, in UTF-16 units from 0, and how many of them; 0 at the end of the text. */
    readonly at: number,
    readonly length: number,
    /** The whole filter; empty where only its tree was at hand. */
    readonly text: string,
  ) {
    super([`at character ${at + 1}: ${problem}`]);
    this.name = "FilterError";
  }
}

/** A character as it can be shown on one line of a terminal: what is not visible, or turns the text around, as `\u{...}`. */
function visible(character: string): string {
  if (!/[\p{C}\p{Zl}\p{Zp}]|[^\S ]/u.test(character)) return character;
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** `text` with every character visible, of bounded length, in quotes. */
export function shown(text: string): string {
  return `"${visibleText(text.slice(0, MAX_WORD))}${text.length > MAX_WORD ? ELLIPSIS : ""}"`;
}

function visibleText(text: string): string {
  return Array.from(text, visible).join("");
}

/** Columns that a text takes on a terminal (Unicode Standard Annex 11, roughly). */
function columns(text: string): number {
  const wide = /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60]/u;
  const widths = Array.from(text, (character) =>
    /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1,
  );
  return widths.reduce((sum: number, width) => sum + width, 0);
}

/**
 * The message, below it the line of the filter with carets below what is wrong. Of a long filter the part around it.
 * `text`: the filter, for an error that has it not.
 */
export function formatFilterError(error: FilterError, text = error.text): string {
  if (text === "") return error.message;
  const from = Math.max(0, Math.min(error.at - MAX_SHOWN / 2, text.length - MAX_SHOWN));
  const to = Math.min(text.length, from + MAX_SHOWN);
  const lead = `${from > 0 ? ELLIPSIS : ""}${visibleText(text.slice(from, error.at))}`;
  const marked = visibleText(text.slice(error.at, Math.min(to, error.at + error.length)));
  const rest = visibleText(text.slice(Math.min(to, error.at + error.length), to));
  const line = `${lead}${marked}${rest}${to < text.length ? ELLIPSIS : ""}`;
  const carets = "^".repeat(Math.max(1, columns(marked)));
  return `${error.message}\n  ${line}\n  ${" ".repeat(columns(lead))}${carets}`;
}
