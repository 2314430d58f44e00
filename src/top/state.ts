import type { CompletionValues } from "../filter/complete.ts";
import type { StatsAnswer, Story } from "./answers.ts";
import type { Position } from "./client.ts";
import type { Looks } from "./fitness.ts";
import { type Column, DEFINITIONS, type Row, VIEWS, type View } from "./views.ts";

export interface Size {
  columns: number;
  rows: number;
}

/** What is wrong with a filter. */
export interface Problem {
  message: string;
  position: Position | null;
}

/** The line at the bottom while a filter is typed. */
export interface Editing {
  text: string;
  /** In UTF-16 units, between two characters. */
  cursor: number;
  /** The filter to go back to on Escape. */
  before: string;
  /** Words that Tab found for the place of the cursor. */
  offered: readonly string[];
}

export interface Place {
  /** The first row on the screen, and the one that is marked; counted from 0 over all there are. */
  top: number;
  cursor: number;
}

export interface Order {
  /** Key of a column; null in views of one order. */
  column: string | null;
  isReversed: boolean;
}

/** One connection looked at. */
export interface Details {
  id: string;
  scroll: number;
  story: Story | null;
  /** Why there is no story. */
  problem: string | null;
}

/** Rows as they came, of the question that they answer. */
export interface Table {
  view: View;
  rows: readonly Row[];
  offset: number;
  total: number;
  /** There are more than `total`. */
  isCut: boolean;
  /** What a filter can ask for, by what is in the rows. */
  values: CompletionValues;
  /** Said instead of rows when there are none; null: what the view says. */
  note: string | null;
}

/** Figures of the header. */
export interface Figures {
  stats: StatsAnswer;
  /** Why the agent calls itself degraded, one sentence each. */
  reasons: readonly string[];
  bytesInPerSecond: number;
  bytesOutPerSecond: number;
}

export interface TopState {
  /** Of the agent. */
  url: string;
  looks: Looks;
  size: Size;
  view: View;
  places: Readonly<Record<View, Place>>;
  orders: Readonly<Record<View, Order>>;
  /** The filter that is applied. */
  filter: string;
  problem: Problem | null;
  editing: Editing | null;
  isPaused: boolean;
  isHelpShown: boolean;
  details: Details | null;
  /** A note until the next key. */
  note: string | null;
  figures: Figures | null;
  /** Bytes a second, oldest first. */
  throughput: readonly number[];
  table: Table | null;
  /** Nobody answers, or not with an answer: since when and why. */
  trouble: { sinceMs: number; reason: string } | null;
  /** How it is to end: exit code; null: not yet. */
  ended: number | null;
}

const each = <T>(value: (view: View) => T): Record<View, T> => ({
  connections: value("connections"),
  names: value("names"),
  talkers: value("talkers"),
  interfaces: value("interfaces"),
  dns: value("dns"),
});

export function initialState(url: string, looks: Looks, size: Size, filter: string): TopState {
  return {
    url,
    looks,
    size,
    view: VIEWS[0],
    places: each(() => ({ top: 0, cursor: 0 })),
    orders: each((view) => ({ column: DEFINITIONS[view].firstSort, isReversed: false })),
    filter: filter.trim(),
    problem: null,
    editing: null,
    isPaused: false,
    isHelpShown: false,
    details: null,
    note: null,
    figures: null,
    throughput: [],
    table: null,
    trouble: null,
    ended: null,
  };
}

/** Lines of the header, with the one of the columns' names; and of the footer. */
export const HEADER_LINES = 5;
export const footerLines = (state: TopState): number => (state.editing === null ? 1 : 3);

/** Rows of the table that have room. */
export function visibleRows(state: TopState): number {
  return Math.max(1, state.size.rows - HEADER_LINES - footerLines(state));
}

/** Lines of details that have room: where the table has its names of columns, they have one more. */
export function detailRoom(state: TopState): number {
  return visibleRows(state) + 1;
}

/** The rows that were fetched for this view, if any. */
export function currentTable(state: TopState): Table | null {
  return state.table?.view === state.view ? state.table : null;
}

/** The row under the cursor, if it is here. */
export function rowAtCursor(state: TopState): Row | null {
  const table = currentTable(state);
  const { cursor } = state.places[state.view];
  return table?.rows[cursor - table.offset] ?? null;
}

/** Puts the cursor on a row that exists, and the window over the cursor. */
export function placed(state: TopState, cursor: number): TopState {
  const total = currentTable(state)?.total ?? 0;
  const room = visibleRows(state);
  const at = Math.max(0, Math.min(cursor, total - 1));
  const highest = Math.min(at, Math.max(0, total - room));
  const top = Math.max(at - room + 1, 0, Math.min(state.places[state.view].top, highest));
  const place = { cursor: at, top };
  return { ...state, places: { ...state.places, [state.view]: place } };
}

/** Figures begin with the largest, words with the first of the alphabet, unless reversed. */
export function isAscending(column: Column, { isReversed }: Order): boolean {
  return (column.align === "left") !== isReversed;
}

/** What is asked for the table; two that are equal as JSON have the same answer at one moment. */
export interface TableQuestion {
  view: View;
  offset: number;
  limit: number;
  sort: string | null;
  isAscending: boolean;
  filter: string;
}

export function tableQuestion(state: TopState): TableQuestion {
  const { view } = state;
  const order = state.orders[view];
  const { columns, takesFilter } = DEFINITIONS[view];
  const sorted = columns.find(({ key }) => key === order.column);
  return {
    view,
    offset: state.places[view].top,
    limit: visibleRows({ ...state, editing: null }),
    sort: sorted?.sort ?? null,
    isAscending: sorted !== undefined && isAscending(sorted, order),
    filter: takesFilter ? state.filter : "",
  };
}
