/**
 * The id of a row carries its time, so that the table itself is the index by time:
 * milliseconds since EPOCH_MS in the upper 41 bits, 22 bits to tell the rows of one millisecond apart.
 * For a packet those are its microsecond (10 bits) and a counter (12 bits), for a window a counter.
 * Ids pass 2^53: SQL joins and splits them, JavaScript holds them as bigint and only at page borders.
 */
export const EPOCH_MS = Date.UTC(2020, 0, 1);
export const SUB_RANGE = 2 ** 22;
export const MICRO_RANGE = 2 ** 12;
/** SQL for the parts of `r.id`. */
export const ID_MS_SQL = "r.id >> 22";
export const ID_SUB_SQL = "r.id & 4194303";

const MAX_MS = 2 ** 41 - 1;

/** The upper part of the id of a row at `timestampMs`. */
export function idMs(timestampMs: number): number {
  return Math.max(-MAX_MS, Math.min(MAX_MS, Math.floor(timestampMs) - EPOCH_MS));
}

/** Microseconds after the whole millisecond, 0 to 999. */
export function microsOf(timestampMs: number): number {
  return Math.min(999, Math.round((timestampMs - Math.floor(timestampMs)) * 1000));
}

export function joinId(ms: number, sub: number): bigint {
  return BigInt(ms) * BigInt(SUB_RANGE) + BigInt(sub);
}

/** Milliseconds since the epoch of a row, with microseconds for a packet. */
export function timestampOf(ms: number, sub: number, isPacket: boolean): number {
  return EPOCH_MS + ms + (isPacket ? Math.floor(sub / MICRO_RANGE) / 1000 : 0);
}

/** Milliseconds since the epoch of the upper part of an id. */
export function msOfIdMs(ms: number): number {
  return EPOCH_MS + ms;
}

/** The ids of all rows from `sinceMs` on and before `untilMs`, whole milliseconds since the epoch or infinite; both inclusive. */
export function idsBetween(sinceMs: number, untilMs: number): { low: bigint; high: bigint } {
  return { low: joinId(idMs(sinceMs), 0), high: joinId(idMs(untilMs), 0) - 1n };
}
