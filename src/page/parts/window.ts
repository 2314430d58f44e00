/** The rows of a long table that are asked for and drawn. */
export interface RowWindow {
  offset: number;
  limit: number;
}

/** Rows drawn above and below what is seen. */
const AROUND = 8;
/** Windows begin at multiples of it, so that a little scrolling asks for nothing new. */
const BLOCK = 8;

/** The window for what is seen from `top`, `height` pixels high, of rows that are `rowHeight` high each. */
export function windowAt(top: number, height: number, rowHeight: number): RowWindow {
  const first = Math.max(0, Math.floor(top / rowHeight) - AROUND);
  const offset = Math.floor(first / BLOCK) * BLOCK;
  const last = Math.ceil((top + height) / rowHeight) + AROUND;
  return { offset, limit: Math.ceil((last - offset) / BLOCK) * BLOCK };
}

/** The scroll position nearest to `top` at which a row is seen as a whole. */
export function scrollTo(index: number, top: number, height: number, rowHeight: number): number {
  const start = index * rowHeight;
  if (start < top) return start;
  return start + rowHeight > top + height ? start + rowHeight - height : top;
}
