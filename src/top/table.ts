import { type PlacedColumn, placeColumns } from "./columns.ts";
import { fitLine, type Span, span } from "./spans.ts";
import { currentTable, isAscending, type TopState, visibleRows } from "./state.ts";
import { fit, pathText, safeText, wrap } from "./text.ts";
import { DEFINITIONS, type Row } from "./views.ts";

const MARK = { unicode: { down: "▼", up: "▲", row: "›" }, ascii: { down: "v", up: "^", row: ">" } };

/** The names of the columns; the mark of the order may take the gap before its column. */
function headLine(state: TopState, placed: readonly PlacedColumn[]): Span[] {
  const { ascii } = state.looks;
  const order = state.orders[state.view];
  const marks = ascii ? MARK.ascii : MARK.unicode;
  const cells = placed.map(({ column, width }) => {
    const isSorted = column.key === order.column;
    const mark = !isSorted ? "" : isAscending(column, order) ? marks.up : marks.down;
    const label = column.align === "left" ? (mark || " ") + column.label : mark + column.label;
    const text = fit(label, { columns: width + 1, align: column.align, ascii });
    return isSorted ? span(text, "inverse", "bold") : span(text, "inverse");
  });
  const used = placed.reduce((sum, { width }) => sum + width + 1, 0);
  return [...cells, span(" ".repeat(Math.max(0, state.size.columns - used)), "inverse")];
}

function rowLine(row: Row, isMarked: boolean, placed: readonly PlacedColumn[], state: TopState): Span[] {
  const { ascii } = state.looks;
  const cells = placed.map(({ column, width }) => {
    const text = row.cells[column.key] ?? "";
    const safe = column.key === "interface" ? pathText(text, ascii) : safeText(text, ascii);
    return fit(safe, { columns: width, align: column.align, ascii });
  });
  const mark = isMarked ? (ascii ? MARK.ascii.row : MARK.unicode.row) : " ";
  const text = `${mark}${cells.join(" ")}`;
  return fitLine([isMarked ? span(text, "bold") : span(text)], state.size.columns, ascii);
}

/** What is said instead of rows. */
function emptyText(state: TopState): string {
  const { nothing, takesFilter } = DEFINITIONS[state.view];
  const table = currentTable(state);
  if (table === null) return "...";
  if (table.note !== null) return table.note;
  return takesFilter && state.filter !== ""
    ? `${nothing.replace(/\.$/, "")} that the filter lets through.`
    : nothing;
}

/** The names of the columns, and under them as many lines as there is room for. */
export function tableLines(state: TopState): Span[][] {
  const { size, looks, view, places } = state;
  const placed = placeColumns(DEFINITIONS[view].columns, size.columns);
  const head = headLine(state, placed);
  const table = currentTable(state);
  const { top, cursor } = places[view];
  const room = visibleRows(state);
  const lines = (table?.rows ?? [])
    .map((row, index) => ({ row, at: index + (table?.offset ?? 0) }))
    .filter(({ at }) => at >= top && at < top + room)
    .map(({ row, at }) => rowLine(row, at === cursor, placed, state));
  if (lines.length > 0) return [head, ...lines];
  const text = wrap(safeText(emptyText(state), looks.ascii), size.columns);
  return [head, ...text.slice(0, room).map((line) => fitLine([span(line)], size.columns, looks.ascii))];
}
