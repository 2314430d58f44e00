import { charactersOf } from "./text.ts";

const UNICODE_LEVELS = " ▁▂▃▄▅▆▇█";
const ASCII_LEVELS = " .:-=+*#";

/**
 * Values as one row of levels, the last `columns` of them, the newest on the right; shorter ones stand on the right.
 * The highest value shown has the highest level; what is not zero has the lowest at least.
 */
export function sparkline(values: readonly number[], columns: number, ascii: boolean): string {
  const levels = charactersOf(ascii ? ASCII_LEVELS : UNICODE_LEVELS);
  const shown = columns > 0 ? values.slice(-columns) : [];
  const highest = Math.max(0, ...shown);
  const level = (value: number) =>
    value <= 0 || highest === 0 ? 0 : Math.max(1, Math.round((value / highest) * (levels.length - 1)));
  return shown
    .map((value) => levels[level(value)] ?? " ")
    .join("")
    .padStart(columns);
}
