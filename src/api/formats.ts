import type { Format } from "./history-query.ts";

/** RFC 4180 and RFC 7111; text of wire names may be in it, so it is never to be guessed what it is. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8; header=present",
  ndjson: "application/x-ndjson",
};

export const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;
