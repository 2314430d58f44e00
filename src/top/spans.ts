import type { Paint, Style } from "./paint.ts";
import { fit, widthOf } from "./text.ts";

/** A piece of safe text and how it looks. */
export interface Span {
  text: string;
  styles: readonly Style[];
}

/** One line of the screen. */
export type Line = readonly Span[];

export const span = (text: string, ...styles: Style[]): Span => ({ text, styles });

/** The text of a line. */
export const textOf = (line: Line): string => line.map(({ text }) => text).join("");

/** A line of exactly `columns` columns: cut with an ellipsis, or filled up. */
export function fitLine(line: Line, columns: number, ascii: boolean): Span[] {
  const fitted: Span[] = [];
  let left = columns;
  for (const { text, styles } of line) {
    const width = widthOf(text);
    fitted.push({ text: width <= left ? text : fit(text, { columns: left, align: "left", ascii }), styles });
    left -= Math.min(width, left);
  }
  return left === 0 ? fitted : [...fitted, span(" ".repeat(left))];
}

/** `left` and `right` at the two ends of a line; `right` stays whole, `left` is cut. */
export function apart(left: Line, right: Line, columns: number, ascii: boolean): Span[] {
  return [...fitLine(left, columns - widthOf(textOf(right)), ascii), ...right];
}

/** A fitted line for the terminal. */
export function paintLine(line: Line, paint: Paint): string {
  return line.map(({ text, styles }) => paint(text, styles)).join("");
}
