import { completed, problemOf } from "./filter-line.ts";
import type { NamedKey, Press } from "./presses.ts";
import { charactersOf } from "./text.ts";
import { currentTable, type Editing, type TopState } from "./state.ts";

/** A filter longer than this is none of a person, and the agent does not take it. */
const MAX_LENGTH = 1000;

/** The state while the line is open; `text` is applied at once where it is a filter. */
function edited(state: TopState, editing: Editing): TopState {
  const problem = problemOf(editing.text);
  const filter = problem === null ? editing.text.trim() : state.filter;
  return { ...state, editing, problem, filter };
}

function withText(state: TopState, editing: Editing, before: string, after: string): TopState {
  const text = before + after;
  if (text.length > MAX_LENGTH) return state;
  return edited(state, { ...editing, text, cursor: before.length, offered: [] });
}

const lastLength = (text: string): number => charactersOf(text).at(-1)?.length ?? 0;
const firstLength = (text: string): number => charactersOf(text)[0]?.length ?? 0;

/** Opens the line with the filter in force. */
export function openFilterLine(state: TopState): TopState {
  const text = state.filter;
  return { ...state, editing: { text, cursor: text.length, before: text, offered: [] } };
}

function complete(state: TopState, editing: Editing): TopState {
  const interfaces = state.figures?.stats.interfaces.map((one) => one.interface) ?? [];
  const values = { ...currentTable(state)?.values, interface: [...new Set(interfaces)] };
  return edited(state, { ...editing, ...completed(editing.text, editing.cursor, values) });
}

/** Where keys put the cursor, by the text before and after it. */
const CURSOR_MOVES: Partial<Record<NamedKey, (before: string, after: string) => number>> = {
  left: (before) => before.length - lastLength(before),
  right: (before, after) => before.length + firstLength(after),
  home: () => 0,
  end: (before, after) => before.length + after.length,
};

interface Spot {
  state: TopState;
  editing: Editing;
  before: string;
  after: string;
}

/** What other keys do. */
const EDITS: Partial<Record<NamedKey, (spot: Spot) => TopState>> = {
  // What is no filter stays open, with its message.
  enter: ({ state }) => (state.problem === null ? { ...state, editing: null } : state),
  escape: ({ state, editing }) => ({ ...state, editing: null, filter: editing.before, problem: null }),
  backspace: ({ state, editing, before, after }) =>
    withText(state, editing, before.slice(0, before.length - lastLength(before)), after),
  delete: ({ state, editing, before, after }) =>
    withText(state, editing, before, after.slice(firstLength(after))),
  tab: ({ state, editing }) => complete(state, editing),
};

/** One key while the filter is typed. */
export function onFilterPress(state: TopState, editing: Editing, press: Press): TopState {
  const before = editing.text.slice(0, editing.cursor);
  const after = editing.text.slice(editing.cursor);
  const moved = (cursor: number): TopState => ({ ...state, editing: { ...editing, cursor, offered: [] } });
  if (press.kind === "text") return withText(state, editing, before + press.text, after);
  if (press.kind === "ctrl") {
    if (press.letter === "u") return withText(state, editing, "", after);
    if (press.letter === "w") return withText(state, editing, before.replace(/\S*\s*$/, ""), after);
    if (press.letter === "a") return moved(0);
    return press.letter === "e" ? moved(editing.text.length) : state;
  }
  const at = CURSOR_MOVES[press.key]?.(before, after);
  if (at !== undefined) return moved(at);
  return EDITS[press.key]?.({ state, editing, before, after }) ?? state;
}
