export type Cell = string | number | boolean | null | undefined | readonly string[];

// RFC 4180 section 2 rule 6, and what a reader may trim or stumble over: control characters, spaces at the ends.
const SPECIAL = /[",\p{Cc}\p{Zl}\p{Zp}]|^\s|\s$/u;

/** The text of a cell: nothing for null, words of a list with a space between. */
function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? cell.join(" ") : String(cell);
}

function field(cell: Cell): string {
  const text = cellText(cell);
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One record of RFC 4180 with its line end. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(field).join(",")}\r\n`;
}
