/** Figures as short as a column needs them, never wider than seven characters. */

const UNITS = ["", "k", "M", "G", "T", "P", "E"];
const SECOND_MS = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Three digits that count: 1.23, 12.3, 123. */
function threeDigits(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function scaled(value: number, unit: string): string {
  let [rest, power] = [Math.max(0, value), 0];
  // 999.5 and above would be written as 1000.
  while (rest >= 999.5 && power < UNITS.length - 1) [rest, power] = [rest / 1000, power + 1];
  const suffix = `${UNITS[power]}${unit}`;
  const digits = power === 0 ? rest.toFixed(0) : threeDigits(rest);
  return suffix === "" ? digits : `${digits} ${suffix}`;
}

/** `0 B`, `999 B`, `1.23 kB`, `12.3 MB`: powers of 1000. */
export const formatBytes = (bytes: number): string => scaled(bytes, "B");

/** `1.23 MB/s`. */
export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`;

/** `0`, `12345` up to five digits, then `123 k`, `1.23 M`. */
export function formatCount(count: number): string {
  return count < 99_999.5 ? Math.max(0, count).toFixed(0) : scaled(count, "");
}

/** Every digit, in groups: `1,234,567`. */
export const formatExact = (count: number): string => count.toLocaleString("en");

/** A round trip: `0.05 ms`, `12.3 ms`, `1.23 s`; null is a dash. */
export function formatMs(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 999.5 ? `${threeDigits(Math.max(0, ms))} ms` : `${threeDigits(ms / SECOND_MS)} s`;
}

/** A duration in its two largest units: `5 s`, `3 min 2 s`, `4 h 10 min`, `2 d 3 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (large: number, unit: string, small: number, rest: string) => {
    const remainder = Math.floor((whole % large) / small);
    return `${Math.floor(whole / large)} ${unit}${remainder === 0 ? "" : ` ${remainder} ${rest}`}`;
  };
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return two(MINUTE, "min", 1, "s");
  return whole < DAY ? two(HOUR, "h", MINUTE, "min") : two(DAY, "d", HOUR, "h");
}

/** A share of 1 as a percentage that says 100 only when nothing is missing. */
export function formatShare(share: number): string {
  if (share >= 1) return "100%";
  const percent = Math.floor(share * 1000) / 10;
  return `${percent.toFixed(1)}%`;
}

/** Local time of day, `12:04:05`; a dash for what is no time. */
export function formatTime(when: string | number): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "-";
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
