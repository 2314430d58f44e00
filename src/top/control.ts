import { detailLines } from "./details.ts";
import { onFilterPress, openFilterLine } from "./editing.ts";
import { problemOf } from "./filter-line.ts";
import type { NamedKey, Press } from "./presses.ts";
import { detailRoom, placed, rowAtCursor, type TopState, visibleRows } from "./state.ts";
import { DEFINITIONS, sortable, type Target, VIEWS, type View } from "./views.ts";

const EXIT_DONE = 0;
const EXIT_INTERRUPTED = 130;

function showView(state: TopState, view: View): TopState {
  return { ...state, view, problem: null };
}

function nextView(state: TopState, step: number): TopState {
  const index = VIEWS.indexOf(state.view) + step + VIEWS.length;
  return showView(state, VIEWS[index % VIEWS.length] ?? state.view);
}

const ONE_ORDER = "This view has one order.";

function sortBy(state: TopState, step: number): TopState {
  const columns = sortable(state.view);
  if (columns.length === 0) return { ...state, note: ONE_ORDER };
  const order = state.orders[state.view];
  const index = columns.findIndex(({ key }) => key === order.column) + step + columns.length;
  const column = columns[index % columns.length]?.key ?? order.column;
  const orders = { ...state.orders, [state.view]: { ...order, column } };
  return placed({ ...state, orders }, 0);
}

function reverse(state: TopState): TopState {
  if (!DEFINITIONS[state.view].canReverse) {
    return { ...state, note: sortable(state.view).length === 0 ? ONE_ORDER : "Here the largest are first." };
  }
  const order = state.orders[state.view];
  const orders = { ...state.orders, [state.view]: { ...order, isReversed: !order.isReversed } };
  return placed({ ...state, orders }, 0);
}

function follow(state: TopState, target: Target | null): TopState {
  if (target === null) return state;
  if (target.kind === "connection") {
    return { ...state, details: { id: target.id, scroll: 0, story: null, problem: null } };
  }
  const problem = problemOf(target.text);
  if (problem !== null) return { ...state, note: problem.message };
  return placed({ ...state, view: "connections", filter: target.text, problem: null }, 0);
}

/** Where keys lead from a place, with that many lines on a page; beyond the ends, too. */
const SCROLLS: Partial<Record<NamedKey, (at: number, page: number) => number>> = {
  up: (at) => at - 1,
  down: (at) => at + 1,
  pageup: (at, page) => at - page,
  pagedown: (at, page) => at + page,
  home: () => 0,
  end: () => Number.MAX_SAFE_INTEGER,
};

function onTableKey(state: TopState, key: NamedKey): TopState {
  const to = SCROLLS[key]?.(state.places[state.view].cursor, visibleRows(state));
  if (to !== undefined) return placed(state, to);
  if (key === "tab" || key === "right") return nextView(state, 1);
  if (key === "backtab" || key === "left") return nextView(state, -1);
  return key === "enter" ? follow(state, rowAtCursor(state)?.target ?? null) : state;
}

function onDetailsKey(state: TopState, key: NamedKey): TopState {
  const { details } = state;
  if (details === null) return state;
  if (key === "escape" || key === "enter" || key === "backspace") return { ...state, details: null };
  const room = detailRoom(state);
  const to = SCROLLS[key]?.(details.scroll, room);
  if (to === undefined) return state;
  const last = Math.max(0, detailLines(state, Date.now()).length - room);
  return { ...state, details: { ...details, scroll: Math.max(0, Math.min(to, last)) } };
}

function onLetter(state: TopState, letter: string): TopState {
  const view = VIEWS[Number(letter) - 1];
  if (letter === "p" || letter === " ") return { ...state, isPaused: !state.isPaused };
  if (letter === "?" || letter === "h") return { ...state, isHelpShown: true };
  if (state.details !== null) return state;
  if (view !== undefined) return showView(state, view);
  switch (letter) {
    case "s":
    case ">":
      return sortBy(state, 1);
    case "<":
      return sortBy(state, -1);
    case "r":
      return reverse(state);
    case "/":
      return DEFINITIONS[state.view].takesFilter
        ? openFilterLine(state)
        : { ...state, note: "This view takes no filter." };
    case "j":
      return onTableKey(state, "down");
    case "k":
      return onTableKey(state, "up");
    default:
      return state;
  }
}

/** What one key makes of the state. */
export function onPress(before: TopState, press: Press): TopState {
  const state = before.note === null ? before : { ...before, note: null };
  if (press.kind === "ctrl" && press.letter === "c") return { ...state, ended: EXIT_INTERRUPTED };
  if (state.isHelpShown) {
    const isQuit = press.kind === "text" && press.text === "q";
    return isQuit ? { ...state, ended: EXIT_DONE } : { ...state, isHelpShown: false };
  }
  if (state.editing !== null) return onFilterPress(state, state.editing, press);
  if (press.kind === "ctrl") return state;
  if (press.kind === "text") {
    return press.text === "q" ? { ...state, ended: EXIT_DONE } : onLetter(state, press.text);
  }
  return state.details === null ? onTableKey(state, press.key) : onDetailsKey(state, press.key);
}
