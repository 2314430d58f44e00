import { detailLines } from "./details.ts";
import { SMALLEST } from "./fitness.ts";
import { footerLinesOf } from "./footer.ts";
import { headerLines } from "./header.ts";
import { helpLines } from "./help.ts";
import { fitLine, type Span, span } from "./spans.ts";
import type { TopState } from "./state.ts";
import { tableLines } from "./table.ts";

function tooSmall({ size, looks }: TopState): Span[][] {
  const words = [
    `${size.columns}x${size.rows} is too small:`,
    `${SMALLEST.columns}x${SMALLEST.rows} at least.`,
    "q quits",
  ];
  return words.slice(0, size.rows).map((word) => fitLine([span(word)], size.columns, looks.ascii));
}

/** The part between header and footer. */
function body(state: TopState, room: number, nowMs: number): Span[][] {
  if (state.isHelpShown) return helpLines(state);
  if (state.details === null) return tableLines(state);
  const lines = detailLines(state, nowMs);
  const first = Math.max(0, Math.min(state.details.scroll, lines.length - room));
  return lines.slice(first, first + room);
}

/** The whole screen: as many lines as it has, each exactly as wide as it is. */
export function screenLines(state: TopState, nowMs: number): Span[][] {
  const { size, looks } = state;
  const empty = () => fitLine([], size.columns, looks.ascii);
  const isSmall = size.columns < SMALLEST.columns || size.rows < SMALLEST.rows;
  if (isSmall) return filled(tooSmall(state), size.rows, empty);
  const header = headerLines(state);
  const footer = footerLinesOf(state);
  const room = size.rows - header.length - footer.length;
  return [...header, ...filled(body(state, room, nowMs), room, empty), ...footer];
}

function filled(lines: Span[][], rows: number, empty: () => Span[]): Span[][] {
  const missing = Array.from({ length: Math.max(0, rows - lines.length) }, empty);
  return [...lines.slice(0, rows), ...missing];
}
