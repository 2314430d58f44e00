import { formatExact } from "./numbers.ts";
import { apart, fitLine, type Span, span } from "./spans.ts";
import { currentTable, type Editing, type Problem, type TopState } from "./state.ts";
import { charactersOf, safeText, widthOf } from "./text.ts";
import { DEFINITIONS } from "./views.ts";

const PROMPT = "Filter: ";

const KEYS = "?:help  /:filter  s:sort  r:reverse  p:pause  Enter:details  q:quit";
const DETAIL_KEYS = "Esc:back  Up/Down:scroll  p:pause  ?:help  q:quit";

/** Where the cursor is in the list, and how long that is. */
function position(state: TopState): string {
  const table = currentTable(state);
  if (state.details !== null || table === null || table.total === 0) return "";
  const { cursor } = state.places[state.view];
  return `  ${formatExact(cursor + 1)}/${formatExact(table.total)}${table.isCut ? "+" : ""}`;
}

function statusLine(state: TopState): Span[] {
  const { note, filter, problem, view, details, looks, size } = state;
  const right = [span(position(state))];
  const shown = (line: Span) => apart([line], right, size.columns, looks.ascii);
  if (note !== null) return shown(span(safeText(note, looks.ascii), "bold"));
  if (details !== null) return shown(span(DETAIL_KEYS));
  const text = DEFINITIONS[view].takesFilter ? safeText(filter, looks.ascii) : "";
  if (problem !== null) {
    const asked = text === "" ? "" : `  (filter: ${text})`;
    return shown(span(`${safeText(problem.message, looks.ascii)}${asked}`, "bold", "bad"));
  }
  if (text === "") return shown(span(KEYS));
  return shown(span(`Filter: ${text}  (/ changes it)`, "bold"));
}

/** The part of the line around the cursor that has room: code points from `first` on. */
interface Window {
  /** In UTF-16 units. */
  first: number;
  text: string;
}

function windowOf({ text, cursor }: Editing, room: number, ascii: boolean): Window {
  let first = 0;
  // The cursor itself needs a column, too.
  while (first < cursor && widthOf(safeText(text.slice(first, cursor), ascii)) >= room) {
    first += charactersOf(text.slice(first))[0]?.length ?? 1;
  }
  return { first, text: text.slice(first) };
}

function inputLine(editing: Editing, window: Window, state: TopState): Span[] {
  const { ascii } = state.looks;
  const at = editing.cursor - window.first;
  const under = charactersOf(window.text.slice(at))[0] ?? " ";
  const line = [
    span(PROMPT, "bold"),
    span(safeText(window.text.slice(0, at), ascii)),
    span(safeText(under, ascii), "inverse"),
    span(safeText(window.text.slice(at + under.length), ascii)),
  ];
  return fitLine(line, state.size.columns, ascii);
}

/** Marks under the place that is wrong. */
function caretLine(problem: Problem, window: Window, state: TopState): Span[] {
  const { ascii } = state.looks;
  const { position: place } = problem;
  const until = place === null ? 0 : place.at + place.length - window.first;
  if (place === null || until < 0) return fitLine([], state.size.columns, ascii);
  const from = Math.max(0, place.at - window.first);
  const before = widthOf(safeText(window.text.slice(0, from), ascii));
  const marked = Math.max(1, widthOf(safeText(window.text.slice(from, until), ascii)));
  const line = [span(" ".repeat(PROMPT.length + before)), span("^".repeat(marked), "bold", "bad")];
  return fitLine(line, state.size.columns, ascii);
}

function filterLines(state: TopState, editing: Editing): Span[][] {
  const { size, looks, problem } = state;
  const plain = (line: Span) => fitLine([line], size.columns, looks.ascii);
  const window = windowOf(editing, size.columns - PROMPT.length, looks.ascii);
  const input = inputLine(editing, window, state);
  // A word that Tab has just begun is no filter yet.
  if (problem !== null && editing.offered.length === 0) {
    const message = plain(span(safeText(problem.message, looks.ascii), "bold", "bad"));
    return [input, caretLine(problem, window, state), message];
  }
  const words = editing.offered.map((word) => safeText(word, looks.ascii)).join("  ");
  const hint = apart(
    [span("Enter:keep  Esc:undo  Tab:complete")],
    [span(position(state))],
    size.columns,
    looks.ascii,
  );
  return [input, plain(span(words)), hint];
}

/** The line at the bottom: keys, filter or a note; three while a filter is typed. */
export function footerLinesOf(state: TopState): Span[][] {
  return state.editing === null ? [statusLine(state)] : filterLines(state, state.editing);
}
