import { widthOf } from "../top/text.ts";

export interface Column {
  head: string;
  align: "left" | "right";
  /** Text is cut in the middle down to this many cells where the table is too wide; never without it. */
  least?: number;
  /** Cells that it keeps while there are other columns to leave out. */
  fair?: number;
  /** Left out where the table is too wide all the same, the highest first; never without it. */
  rank?: number;
}

export interface TableStyle {
  /** Cells of the terminal; Infinity where nothing has to fit. */
  width: number;
  ascii: boolean;
}

/** A column of the table and the number of its cell in a row. */
interface Placed {
  column: Column;
  index: number;
  width: number;
}

const GAP = "  ";

/** `text` in at most `width` cells, its middle left out where it is longer: both ends of a name tell something. */
export function cutMiddle(text: string, width: number, ascii: boolean): string {
  if (widthOf(text) <= width) return text;
  const mark = ascii ? ".." : "…";
  const kept = Math.max(0, width - mark.length);
  const characters = Array.from(text);
  let [head, tail] = ["", ""];
  let [first, last] = [0, characters.length - 1];
  while (first <= last) {
    const isTail = widthOf(tail) < widthOf(head);
    const next = characters[isTail ? last-- : first++] ?? "";
    if (widthOf(head + tail + next) > kept) break;
    if (isTail) tail = next + tail;
    else head += next;
  }
  return `${head}${mark}${tail}`.slice(0, Math.max(width, 0));
}

const fairOf = ({ column, width }: Placed) => Math.min(width, column.fair ?? column.least ?? width);
const leastOf = ({ column, width }: Placed) => Math.min(width, column.least ?? width);

function widthOfAll(placed: readonly Placed[], width: (one: Placed) => number): number {
  return placed.reduce((sum, one) => sum + width(one), GAP.length * Math.max(0, placed.length - 1));
}

/** Leaves out columns until the others fit with what is fair. */
function dropColumns(placed: readonly Placed[], width: number): Placed[] {
  const kept = [...placed];
  while (widthOfAll(kept, fairOf) > width) {
    const [spare] = kept
      .filter(({ column }) => column.rank !== undefined)
      .sort((a, b) => (b.column.rank ?? 0) - (a.column.rank ?? 0));
    if (spare === undefined) break;
    kept.splice(kept.indexOf(spare), 1);
  }
  return kept;
}

/** Makes the widest column that may shrink narrower, cell by cell, until the table fits. */
function shrinkColumns(placed: readonly Placed[], width: number): void {
  let excess = widthOfAll(placed, (one) => one.width) - width;
  while (excess > 0) {
    const [widest] = placed.filter((one) => one.width > leastOf(one)).sort((a, b) => b.width - a.width);
    if (widest === undefined) return;
    widest.width--;
    excess--;
  }
}

function line(cells: readonly string[], placed: readonly Placed[], ascii: boolean): string {
  const texts = placed.map(({ column, index, width }) => {
    const text = cutMiddle(cells[index] ?? "", width, ascii);
    const padding = " ".repeat(Math.max(0, width - widthOf(text)));
    return column.align === "right" ? padding + text : text + padding;
  });
  return `${texts.join(GAP).trimEnd()}\n`;
}

/** Lays out rows that come in several parts: all parts have the columns and widths of the first. */
export class TableLayout {
  private readonly placed: Placed[];

  /** `sample`: the rows that the columns are made to fit. */
  constructor(
    columns: readonly Column[],
    sample: readonly (readonly string[])[],
    private readonly style: TableStyle,
  ) {
    const natural = columns.map((column, index) => ({
      column,
      index,
      width: sample.reduce((most, row) => Math.max(most, widthOf(row[index] ?? "")), widthOf(column.head)),
    }));
    this.placed = dropColumns(natural, style.width);
    shrinkColumns(this.placed, style.width);
  }

  head(): string {
    const heads: string[] = [];
    for (const { column, index } of this.placed) heads[index] = column.head;
    return line(heads, this.placed, this.style.ascii);
  }

  rows(rows: readonly (readonly string[])[]): string {
    return rows.map((row) => line(row, this.placed, this.style.ascii)).join("");
  }
}

/** A head and rows of safe text in aligned columns that fit the terminal, one line each. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
): string {
  const layout = new TableLayout(columns, rows, style);
  return layout.head() + layout.rows(rows);
}
