import { LIVE, parseRange, type Range, rangeParameters } from "./range.ts";

export const VIEWS = ["overview", "connections", "names", "dns", "health"] as const;
export type View = (typeof VIEWS)[number];

/** What the chart is split by. */
export const SPLITS = ["direction", "domain", "server_port", "protocol", "client"] as const;
export type Split = (typeof SPLITS)[number];

export type Order = "asc" | "desc";

/** All that the URL tells: where in the page one is. */
export interface Place {
  view: View;
  /** The filter as typed. */
  q: string;
  range: Range;
  /** Column of the connection table; null for the usual one. */
  sort: string | null;
  order: Order;
  /** The connection whose story is open. */
  id: string | null;
  split: Split;
  /** Names are counted under the one that was registered. */
  isFolded: boolean;
  /** Only lookups that failed. */
  onlyFailures: boolean;
}

export const START: Place = {
  view: "overview",
  q: "",
  range: LIVE,
  sort: null,
  order: "desc",
  id: null,
  split: "direction",
  isFolded: false,
  onlyFailures: false,
};

/** The place of a URL's query; what makes no sense there is as if it were absent. */
export function parsePlace(query: string, nowMs: number): Place {
  const given = new URLSearchParams(query);
  return {
    view: VIEWS.find((view) => view === given.get("view")) ?? START.view,
    q: given.get("q") ?? "",
    range: parseRange(given.get("since"), given.get("until"), nowMs),
    sort: given.get("sort"),
    order: given.get("order") === "asc" ? "asc" : "desc",
    id: given.get("id"),
    split: SPLITS.find((split) => split === given.get("split")) ?? START.split,
    isFolded: given.get("fold") === "1",
    onlyFailures: given.get("failures") === "1",
  };
}

/** The query of a place, `?` included, or nothing for the start. */
export function formatPlace(place: Place): string {
  const { since, until } = rangeParameters(place.range);
  const all: Record<string, string | null | undefined> = {
    view: place.view === START.view ? null : place.view,
    q: place.q === "" ? null : place.q,
    since,
    until,
    sort: place.sort,
    order: place.order === START.order ? null : place.order,
    id: place.id,
    split: place.split === START.split ? null : place.split,
    fold: place.isFolded ? "1" : null,
    failures: place.onlyFailures ? "1" : null,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(all)) if (typeof value === "string") query.set(name, value);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** A path of the API with its parameters; absent and empty ones are left out. */
export function apiPath(path: string, parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}
