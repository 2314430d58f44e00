/** Numbers and times as people read them. English and SI units everywhere; times in the reader's own zone. */
const PREFIXES = ["", "k", "M", "G", "T", "P"];
const LOCALE = "en";

const grouped = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });

/** Three significant digits and an SI prefix. */
function scaled(value: number, unit: string): string {
  let rest = Math.abs(value);
  let power = 0;
  // What would be shown as 1000 belongs to the next prefix.
  while (rest >= 999.5 && power < PREFIXES.length - 1) {
    rest /= 1000;
    power++;
  }
  const digits = power === 0 && Number.isInteger(rest) ? 0 : rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  const sign = value < 0 ? "-" : "";
  return `${sign}${rest.toFixed(digits)} ${PREFIXES[power] ?? ""}${unit}`;
}

/** `1,234,567` */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** `12.3 MB` */
export function formatBytes(bytes: number): string {
  return scaled(bytes, "B");
}

/** A rate as a mark of an axis: round, so without the zeros. */
export function formatMark(bytesPerSecond: number, unit: RateUnit): string {
  const [digits = "", words = ""] = formatRate(bytesPerSecond, unit).split(" ");
  return `${Number(digits)} ${words}`;
}

export type RateUnit = "bits" | "bytes";

/** Bytes per second as `98.4 Mbit/s` or `12.3 MB/s`. */
export function formatRate(bytesPerSecond: number, unit: RateUnit): string {
  return unit === "bits" ? scaled(bytesPerSecond * 8, "bit/s") : scaled(bytesPerSecond, "B/s");
}

/** A figure a second: `3.2`, `1,234`, `1.25 M`. */
export function formatPerSecond(value: number): string {
  if (value > 0 && value < 10) return value.toFixed(1);
  return value < 100_000 ? formatCount(value) : scaled(value, "");
}

/** `0.42 ms`, `12 ms`, `1.3 s`; a dash where there is none. */
export function formatMs(ms: number | null): string {
  if (ms === null) return "–";
  if (ms >= 999.5) return `${(ms / 1000).toFixed(ms >= 9950 ? 0 : 1)} s`;
  return `${ms.toFixed(ms >= 99.5 ? 0 : ms >= 9.95 ? 1 : 2)} ms`;
}

/** A share of 1 as `12.3%`; what is not all is never shown as 100%, what is not nothing never as 0%. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.001) return "<0.1%";
  if (share < 1 && share > 0.999) return ">99.9%";
  const percent = share * 100;
  return `${percent === Math.round(percent) ? percent.toFixed(0) : percent.toFixed(1)}%`;
}

/** Coverage with two digits, cut and not rounded: 99.998% is not all. */
export function formatCoverage(coverage: number): string {
  if (coverage >= 1) return "100%";
  return `${(Math.floor(coverage * 10_000) / 100).toFixed(2)}%`;
}

const DURATIONS: readonly [number, string][] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** The largest unit only: `3 d`, `12 min`, `8 s`. */
export function formatAge(ms: number): string {
  return formatDuration(ms).split(" ").slice(0, 2).join(" ");
}

/** The two largest units: `3 d 4 h`, `12 min 5 s`, `8 s`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const first = DURATIONS.findIndex(([length]) => seconds >= length);
  if (first === -1) return "0 s";
  const [length = 1, unit = "s"] = DURATIONS[first] ?? [];
  const [nextLength, nextUnit] = DURATIONS[first + 1] ?? [];
  const whole = `${Math.floor(seconds / length)} ${unit}`;
  if (nextLength === undefined) return whole;
  const rest = Math.floor((seconds % length) / nextLength);
  return rest === 0 ? whole : `${whole} ${rest} ${nextUnit}`;
}

const time = new Intl.DateTimeFormat(LOCALE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const minute = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(LOCALE, { weekday: "short", day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });

const isSameDay = (a: number, b: number): boolean =>
  new Date(a).toDateString() === new Date(b).toDateString();
const isSameYear = (a: number, b: number): boolean => new Date(a).getFullYear() === new Date(b).getFullYear();

function formatDay(ms: number, nowMs: number): string {
  return isSameYear(ms, nowMs) ? day.format(ms) : dayOfYear.format(ms);
}

/** `12:03:04` */
export function formatTime(ms: number): string {
  return time.format(ms);
}

/** `12:03:04` today, else with the day before. */
export function formatMoment(ms: number, nowMs: number): string {
  return isSameDay(ms, nowMs) ? time.format(ms) : `${formatDay(ms, nowMs)}, ${time.format(ms)}`;
}

/** `12:03 – 12:18`, `Mon, 4 May, 22:00 – Tue, 5 May, 01:00`; seconds only where they matter. */
export function formatStretch(sinceMs: number, untilMs: number, nowMs: number): string {
  const clock = untilMs - sinceMs < 10 * 60_000 ? time : minute;
  const isToday = isSameDay(sinceMs, nowMs) && isSameDay(untilMs, nowMs);
  const start = `${isToday ? "" : `${formatDay(sinceMs, nowMs)}, `}${clock.format(sinceMs)}`;
  const end = `${isSameDay(sinceMs, untilMs) ? "" : `${formatDay(untilMs, nowMs)}, `}${clock.format(untilMs)}`;
  return `${start} – ${end}`;
}

/** `1 connection`, `2 connections` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
