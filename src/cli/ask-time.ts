import { parseTime } from "../api/time.ts";

const CLOCK = /^(?:(today|yesterday)|(\d{4})-(\d{2})-(\d{2}))?(?:[ T]?(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/i;

export const LOCAL_TIME_FORMS =
  "03:12, yesterday 03:12 or 2026-01-31 03:12 (local time), -15m, -1h or -7d, RFC 3339, epoch seconds, or now";

/** Milliseconds since the epoch of a time of the calendar in the local zone; undefined for what is not in it. */
function localTime(day: Date, hours: number, minutes: number, seconds: number): number | undefined {
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hours, minutes, seconds).getTime();
}

function dayOf(
  word: string | undefined,
  [year, month, date]: readonly number[],
  nowMs: number,
): Date | undefined {
  const day = new Date(nowMs);
  if (word?.toLowerCase() === "yesterday") day.setDate(day.getDate() - 1);
  if (year === undefined || month === undefined || date === undefined) return day;
  const given = new Date(year, month - 1, date);
  return given.getMonth() === month - 1 && given.getDate() === date ? given : undefined;
}

/**
 * Milliseconds since the epoch for a time as a person types it: what the API takes, and days and clock times of the
 * local zone. Undefined for anything else.
 */
export function parseLocalTime(text: string, nowMs: number): number | undefined {
  const written = text.trim();
  const [all, word, year, month, date, hours, minutes, seconds] = CLOCK.exec(written) ?? [];
  if (all === undefined || all === "") return parseTime(written, nowMs);
  const given = year === undefined ? [] : [Number(year), Number(month), Number(date)];
  const day = dayOf(word, given, nowMs);
  if (day === undefined) return undefined;
  return localTime(day, Number(hours ?? 0), Number(minutes ?? 0), Number(seconds ?? 0));
}

const two = (value: number) => String(Math.floor(value)).padStart(2, "0");

/** `2026-01-31 03:12:00` in the local zone. */
export function formatLocal(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The offset of the local zone at that time: `+01:00`. */
export function localOffset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

/** `2026-01-31 03:12:00 to 04:12:00 (+01:00)`; the day and the offset of the end only where they differ. */
export function formatRange(sinceMs: number, untilMs: number): string {
  const [since, until] = [formatLocal(sinceMs), formatLocal(untilMs)];
  const [day = "", clock = ""] = until.split(" ");
  const [first, last] = [localOffset(sinceMs), localOffset(untilMs)];
  const start = first === last ? since : `${since} (${first})`;
  return `${start} to ${since.startsWith(day) ? clock : until} (${last})`;
}
