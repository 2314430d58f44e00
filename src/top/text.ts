/** Text from the wire made fit for a cell of a terminal. */
import { splitPath } from "../flow/path.ts";

const VISIBLE = /^[\p{L}\p{N}\p{P}\p{S} ]$/u;
/** What joins with its neighbours (flags, skin tones, Jamo and their fillers) or turns the line (scripts from right to left). */
const UNRULY =
  /^[\p{Regional_Indicator}\p{Emoji_Modifier}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\u3164\uffa0\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]$/u;
const ASCII = /^[ -~]$/;
const ELLIPSIS = { unicode: "…", ascii: "~" };

/** One code point that takes one or two columns and does nothing to its neighbours. */
function isPlain(character: string): boolean {
  return VISIBLE.test(character) && !UNRULY.test(character) && widthOf(character) > 0;
}

/**
 * `text` with everything that could move the cursor, turn the direction of writing or join with its neighbour written
 * as `\u{...}`: control bytes, format characters, marks, unpaired surrogates. With `ascii`, everything beyond ASCII.
 */
export function safeText(text: string, ascii: boolean): string {
  // Composed first, so that an accent of its own is not torn off where it need not be.
  const composed = text.normalize("NFC");
  let safe = "";
  for (const character of composed) {
    const isKept = ASCII.test(character) || (!ascii && isPlain(character));
    safe += isKept ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  }
  return safe;
}

/** A path of interfaces (see flow/path.ts), safe as text is, with arrows for the way that a connection takes. */
export function pathText(path: string, ascii: boolean): string {
  return splitPath(path)
    .map((name) => safeText(name, ascii))
    .join(ascii ? " > " : " › ");
}

/** Columns that safe text takes. */
export function widthOf(text: string): number {
  return Bun.stringWidth(text);
}

/** Its characters, each a whole code point. */
export const charactersOf = (text: string): string[] => Array.from(text);

/** The beginning of safe text in at most `columns` columns. */
function head(text: string, columns: number): string {
  let [kept, used] = ["", 0];
  for (const character of text) {
    used += widthOf(character);
    if (used > columns) break;
    kept += character;
  }
  return kept;
}

export interface Cell {
  columns: number;
  align: "left" | "right";
  ascii: boolean;
}

/** Safe text in exactly `columns` columns: cut with an ellipsis, or filled up with spaces. */
export function fit(text: string, { columns, align, ascii }: Cell): string {
  if (columns <= 0) return "";
  const isWhole = widthOf(text) <= columns;
  const cut = isWhole ? text : head(text, columns - 1) + (ascii ? ELLIPSIS.ascii : ELLIPSIS.unicode);
  const padding = " ".repeat(columns - widthOf(cut));
  return align === "left" ? cut + padding : padding + cut;
}

/** Safe text in lines of at most `columns` columns, broken at spaces where there are any. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > columns) {
    const piece = head(rest, Math.max(1, columns));
    // A wide character in a single column: taken all the same, or this would not end.
    const taken = piece === "" ? (charactersOf(rest)[0] ?? "") : piece;
    const space = rest[taken.length] === " " ? taken.length : taken.lastIndexOf(" ");
    const length = space > 0 ? space : taken.length;
    lines.push(rest.slice(0, length));
    rest = rest.slice(length).trimStart();
  }
  return [...lines, rest];
}
