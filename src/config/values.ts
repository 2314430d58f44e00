const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

const KIB = 1024;
/** As GNU coreutils reads them: K and KiB are 1024, KB is 1000. */
const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: KIB,
  kib: KIB,
  kb: 1e3,
  m: KIB ** 2,
  mib: KIB ** 2,
  mb: 1e6,
  g: KIB ** 3,
  gib: KIB ** 3,
  gb: 1e9,
  t: KIB ** 4,
  tib: KIB ** 4,
  tb: 1e12,
};

const TRUE = new Set(["true", "yes", "on", "1"]);
const FALSE = new Set(["false", "no", "off", "0"]);

/** A whole number in decimal digits, or undefined. */
export function parseWholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text) : undefined;
}

/** Seconds of `90`, `45s`, `30m`, `12h`, `7d`, `2w` or `2y` (of 365 days); undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit = "s"] = /^(\d+)\s*([smhdwy])?$/.exec(text.trim()) ?? [];
  return count === undefined ? undefined : Number(count) * (SECONDS[unit] ?? Number.NaN);
}

/** Bytes of `1048576`, `100K`, `500MB`, `512MiB` or `1.5GiB`, rounded down; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = BYTES[unit.toLowerCase()];
  return count === undefined || factor === undefined ? undefined : Math.floor(Number(count) * factor);
}

/** A number of `5`, `0.5` or `5%`; undefined for anything else. */
export function parsePercent(text: string): number | undefined {
  const [, number] = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** true, yes, on, 1 and their opposites, in any case; undefined for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : undefined;
}

/** The parts of a comma list without blanks; a list of nothing is its own text, so that a check can reject it. */
export function splitList(text: string): string[] {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return parts.length === 0 ? [text] : parts;
}

function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  const unit = value === 0 ? undefined : units.find(([, factor]) => value % factor === 0);
  return unit === undefined ? String(value) : `${value / unit[1]}${unit[0]}`;
}

/** Bytes in the largest unit that divides them: 1073741824 is `1GiB`, 1000 is `1000`. */
export function formatSize(bytes: number): string {
  return inUnits(bytes, [
    ["TiB", KIB ** 4],
    ["GiB", KIB ** 3],
    ["MiB", KIB ** 2],
    ["KiB", KIB],
  ]);
}

/** Seconds in the largest unit that divides them: 604800 is `7d`, 90 is `90s`. */
export function formatDuration(seconds: number): string {
  return inUnits(seconds, [
    ["y", 31_536_000],
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ]);
}
