/** The time that the screens show. */
export type Range =
  /** Connections as they are now, with the last minutes as a background. */
  | { kind: "live" }
  /** From so long ago until now, out of history. */
  | { kind: "last"; ms: number }
  /** A fixed stretch of the past, milliseconds since the epoch. */
  | { kind: "past"; sinceMs: number; untilMs: number };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
export const LIVE_MS = 15 * MINUTE_MS;
/** Nothing finer than a window of history is there to be seen. */
const SHORTEST_MS = MINUTE_MS;
const LONGEST_MS = 3650 * DAY_MS;

export const LIVE: Range = { kind: "live" };
export const PRESETS: readonly { label: string; words: string; range: Range }[] = [
  { label: "Live", words: "Live, with the last 15 minutes", range: LIVE },
  { label: "1 h", words: "Last hour", range: { kind: "last", ms: HOUR_MS } },
  { label: "24 h", words: "Last 24 hours", range: { kind: "last", ms: DAY_MS } },
  { label: "7 d", words: "Last 7 days", range: { kind: "last", ms: 7 * DAY_MS } },
  { label: "30 d", words: "Last 30 days", range: { kind: "last", ms: 30 * DAY_MS } },
];

const UNITS: readonly [string, number][] = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", MINUTE_MS],
  ["s", 1000],
];

/** `-1h`: how the API and the URL say "from so long ago". */
export function agoText(ms: number): string {
  const [unit, length] = UNITS.find(([, one]) => ms % one === 0) ?? ["s", 1000];
  return `-${Math.max(1, Math.round(ms / length))}${unit}`;
}

function parseAgo(text: string): number | null {
  const parts = /^-(\d{1,9})([smhd])$/.exec(text);
  const unit = UNITS.find(([name]) => name === parts?.[2])?.[1];
  return unit === undefined ? null : Number(parts?.[1]) * unit;
}

/** A fixed stretch of time, not shorter than there is detail for. */
export function pastRange(sinceMs: number, untilMs: number): Range {
  const [first, last] = sinceMs <= untilMs ? [sinceMs, untilMs] : [untilMs, sinceMs];
  const middle = (first + last) / 2;
  const half = Math.min(Math.max(last - first, SHORTEST_MS), LONGEST_MS) / 2;
  return {
    kind: "past",
    sinceMs: Math.max(0, Math.floor((middle - half) / 1000) * 1000),
    untilMs: Math.ceil((middle + half) / 1000) * 1000,
  };
}

/** The range of the URL's `since` and `until`; live where they make no sense. */
export function parseRange(since: string | null, until: string | null, nowMs: number): Range {
  if (since === null) return LIVE;
  const agoMs = parseAgo(since);
  if (agoMs !== null && until === null) return { kind: "last", ms: Math.max(agoMs, SHORTEST_MS) };
  const sinceMs = agoMs === null ? Date.parse(since) : nowMs - agoMs;
  const untilMs = until === null ? nowMs : Date.parse(until);
  return Number.isFinite(sinceMs) && Number.isFinite(untilMs) ? pastRange(sinceMs, untilMs) : LIVE;
}

const isoText = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

/** `since` and `until` of the API for a range; without `until` it goes on until now. */
export function rangeQuery(range: Range): { since: string; until?: string } {
  if (range.kind === "live") return { since: agoText(LIVE_MS) };
  if (range.kind === "last") return { since: agoText(range.ms) };
  return { since: isoText(range.sinceMs), until: isoText(range.untilMs) };
}

/** The range as the URL has it: nothing for live. */
export function rangeParameters(range: Range): { since?: string; until?: string } {
  return range.kind === "live" ? {} : rangeQuery(range);
}

/** Begin and end in milliseconds since the epoch. */
export function rangeBounds(range: Range, nowMs: number): { sinceMs: number; untilMs: number } {
  if (range.kind === "past") return { sinceMs: range.sinceMs, untilMs: range.untilMs };
  return { sinceMs: nowMs - (range.kind === "live" ? LIVE_MS : range.ms), untilMs: nowMs };
}

export function isSameRange(a: Range, b: Range): boolean {
  return JSON.stringify(rangeParameters(a)) === JSON.stringify(rangeParameters(b));
}

/** The range moved by a share of its length, -1 for the one before; never into the future. */
export function shiftRange(range: Range, share: number, nowMs: number): Range {
  const { sinceMs, untilMs } = rangeBounds(range, nowMs);
  const by = Math.min((untilMs - sinceMs) * share, nowMs - untilMs);
  return pastRange(sinceMs + by, untilMs + by);
}

/** The range made longer around its middle; it ends now at the latest. */
export function widenRange(range: Range, times: number, nowMs: number): Range {
  const { sinceMs, untilMs } = rangeBounds(range, nowMs);
  const extra = ((untilMs - sinceMs) * (times - 1)) / 2;
  const end = Math.min(untilMs + extra, nowMs);
  return pastRange(end - (untilMs - sinceMs) * times, end);
}
