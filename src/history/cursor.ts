import { HistoryQueryError } from "./errors.ts";

/** Where a page ended: the next has rows with ids below `before`, the first `skip` of those that match left out. */
export interface Cursor {
  before: bigint;
  skip: number;
}

const VERSION = "1";
const MAX_TEXT = 64;
const MAX_ID = 2n ** 63n - 1n;

export function encodeCursor({ before, skip }: Cursor): string {
  return Buffer.from(`${VERSION}.${before}.${skip}`).toString("base64url");
}

/** @throws HistoryQueryError for what `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor {
  const decoded = text.length > MAX_TEXT ? "" : Buffer.from(text, "base64url").toString("latin1");
  const parts = /^1\.(-?\d{1,19})\.(\d{1,15})$/.exec(decoded);
  const before = BigInt(parts?.[1] ?? 0);
  const isCanonical = parts !== null && encodeCursor({ before, skip: Number(parts[2]) }) === text;
  if (!isCanonical || before > MAX_ID || before < -MAX_ID) {
    throw new HistoryQueryError(
      "cursor: not one of ours; pass next_cursor as it was answered, or leave it out",
    );
  }
  return { before, skip: Number(parts[2]) };
}
