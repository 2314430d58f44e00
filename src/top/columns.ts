import type { Column } from "./views.ts";

/** Before every row: where the cursor is. */
export const MARKER_WIDTH = 1;
const GAP = 1;

export interface PlacedColumn {
  column: Column;
  width: number;
}

const needed = (columns: readonly Column[]): number =>
  columns.reduce((sum, column) => sum + column.width + GAP, MARKER_WIDTH - GAP);

/** The columns that fit into `width`, the least important left out, and what is left over shared out. */
export function placeColumns(all: readonly Column[], width: number): PlacedColumn[] {
  let shown = [...all];
  while (shown.length > 1 && needed(shown) > width) {
    const least = shown.reduce((low, column) => (column.priority < low.priority ? column : low));
    shown = shown.filter((column) => column !== least);
  }
  const spare = Math.max(0, width - needed(shown));
  const shares = shown.reduce((sum, { grow }) => sum + grow, 0);
  let [given, counted] = [0, 0];
  return shown.map((column) => {
    // Rounded on the running sum, so that no column is lost.
    counted += column.grow;
    const upTo = shares === 0 ? 0 : Math.round((spare * counted) / shares);
    const placed = { column, width: column.width + upTo - given };
    given = upTo;
    return placed;
  });
}
