const SIZES: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Nanoseconds, largest first. */
const DURATIONS: readonly (readonly [unit: string, ns: number])[] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["us", 1e3],
  ["ns", 1],
];

/** The nearest whole number; null where it cannot be told exactly. */
function whole(value: number): number | null {
  const rounded = Math.round(value);
  return rounded <= Number.MAX_SAFE_INTEGER ? rounded : null;
}

/** A count with an optional unit: `100`, `1.5k`, `10M`, `2Gi`, `64KiB`. Null for anything else. */
export function parseSize(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(?:([kmgt]i?)b?|b)?$/i.exec(text);
  const scale = SIZES[parts?.[2]?.toLowerCase() ?? ""];
  return parts === null || scale === undefined ? null : whole(Number(parts[1]) * scale);
}

/** A duration in nanoseconds: `20ms`, `1.5s`, `300us`. Null for anything else, a number without a unit too. */
export function parseDuration(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(s|ms|[u\u00b5\u03bc]s|ns)$/i.exec(text);
  const unit = parts?.[2]?.toLowerCase().replace(/[\u00b5\u03bc]/, "u");
  const scale = DURATIONS.find(([name]) => name === unit)?.[1];
  return parts === null || scale === undefined ? null : whole(Number(parts[1]) * scale);
}

/** Text that parseDuration reads as `ns`. */
export function formatDuration(ns: number): string {
  const [unit, scale] = DURATIONS.find(([, each]) => ns >= each && ns % each === 0) ?? ["ns", 1];
  return `${ns / scale}${unit}`;
}
