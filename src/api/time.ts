const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A number above this is in milliseconds, else in seconds: 10^11 s is the year 5138, 10^11 ms is 1973. */
const LARGEST_SECONDS = 1e11;

// RFC 3339 date-time, with a space allowed for the T (section 5.6) and a bare date as midnight UTC.
const RFC_3339 = /^\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))?$/;
const RELATIVE = /^-(\d{1,9})([smhdw])$/;
const EPOCH = /^\d{1,15}(?:\.\d+)?$/;

export const TIME_FORMS =
  "RFC 3339 (2026-01-31T12:00:00Z), epoch seconds or milliseconds, relative (-30s, -15m, -1h, -7d, -2w), or now";

const DURATION = /^(\d{1,9})([smhdw]?)$/;
export const DURATION_FORMS = "whole seconds from 1, or 10s, 5m, 1h, 1d, 1w";

/** Milliseconds of a length of time as `DURATION_FORMS` says, or undefined. */
export function parseDuration(text: string): number | undefined {
  const parts = DURATION.exec(text);
  const ms = Number(parts?.[1] ?? 0) * (UNIT_MS[parts?.[2] || "s"] ?? 0);
  return ms > 0 ? ms : undefined;
}

/** Date.parse takes 30 February for 2 March. */
function isCalendarDate(text: string): boolean {
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** Milliseconds since the epoch for a time as `TIME_FORMS` says, or undefined. */
export function parseTime(text: string, nowMs: number): number | undefined {
  if (text === "now") return nowMs;
  const relative = RELATIVE.exec(text);
  if (relative !== null) return nowMs - Number(relative[1]) * (UNIT_MS[relative[2] ?? ""] ?? 0);
  if (EPOCH.test(text)) return Number(text) > LARGEST_SECONDS ? Number(text) : Number(text) * 1000;
  // A plus sign of an offset that was not percent-encoded arrives as a space.
  const written = text.replace(/ (\d{2}:\d{2})$/, "+$1");
  if (!RFC_3339.test(written)) return undefined;
  const ms = Date.parse(written.replace(" ", "T").toUpperCase());
  return Number.isNaN(ms) || !isCalendarDate(written) ? undefined : ms;
}
