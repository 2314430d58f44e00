import { AyaflowError } from "../errors.ts";
import { BUCKET_MS, type RollupColumns, type RollupLevel } from "./rollup-types.ts";

/** Entries of one part at most. */
export const PART_ENTRIES = 1024;
/** Of a number up to 2^53 - 1 in LEB128. */
const MAX_VARINT = 8;
const MORE = 0x80;
const LOW_BITS = 28;
const LOW_RANGE = 2 ** LOW_BITS;

/** A part as its row in `rollups` has it. */
export interface RollupBlock {
  entries: number;
  /** Ids of the conversations, then their directions: read alone where it is asked who is in the part. */
  conversations: Uint8Array;
  data: Uint8Array;
}

/** What of a part says who is in it. */
export type ConversationBlock = Pick<RollupBlock, "entries" | "conversations">;

/** The columns of `data`, in their order. */
const DATA_COLUMNS = [
  "rows",
  "packetsSent",
  "bytesSent",
  "packetsReceived",
  "bytesReceived",
  "retransmits",
  "tcpFlags",
  "rttRows",
  "rttSumNs",
] as const satisfies readonly (keyof RollupColumns)[];

/** A part that no version of AyaFlow wrote so. */
export class DamagedBlockError extends AyaflowError {
  constructor(level: RollupLevel, bucketMs: number, what: string) {
    const time = Number.isFinite(new Date(bucketMs).getTime()) ? new Date(bucketMs).toISOString() : bucketMs;
    super(`history: the ${level} of ${time} is damaged in the database (${what})`);
    this.name = "DamagedBlockError";
  }
}

/** Start of bucket number `bucket`, in milliseconds since the epoch. */
export function bucketStart(level: RollupLevel, bucket: number): number {
  return bucket * BUCKET_MS[level];
}

/** Number of the bucket that `ms` is in; infinite as `ms` is. */
export function bucketOf(level: RollupLevel, ms: number): number {
  return Math.floor(ms / BUCKET_MS[level]);
}

/** The same for SQL, which has no infinity. */
export function bucketBound(level: RollupLevel, ms: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, bucketOf(level, ms)));
}

/** Writes `value`, a whole number, at `at`; the place behind it. What cannot be a sum becomes the nearest that can. */
function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let low = value;
  if (!(value < LOW_RANGE && value >= 0)) {
    const safe = value > 0 ? Math.min(value, Number.MAX_SAFE_INTEGER) : 0;
    low = safe % LOW_RANGE;
    let high = (safe - low) / LOW_RANGE;
    if (high > 0) {
      for (let shift = 0; shift < LOW_BITS; shift += 7) out[at++] = ((low >>> shift) & 0x7f) | MORE;
      while (high >= MORE) {
        out[at++] = (high & 0x7f) | MORE;
        high >>>= 7;
      }
      out[at++] = high;
      return at;
    }
  }
  while (low >= MORE) {
    out[at++] = (low & 0x7f) | MORE;
    low >>>= 7;
  }
  out[at++] = low;
  return at;
}

/** Room for the largest part, made when it is first needed: a new one each time would be much garbage. */
let scratch: { data: Uint8Array; column: Uint8Array } | null = null;

function encodeConversations(columns: RollupColumns, out: Uint8Array): Uint8Array {
  const { length, conversation, direction } = columns;
  let at = 0;
  let previous = 0;
  for (let index = 0; index < length; index++) {
    const id = conversation[index] ?? 0;
    at = writeVarint(out, at, id - previous);
    previous = id;
  }
  out.fill(0, at, at + Math.ceil(length / 8));
  for (let index = 0; index < length; index++)
    out[at + (index >> 3)]! |= ((direction[index] ?? 0) & 1) << (index & 7);
  return out.slice(0, at + Math.ceil(length / 8));
}

/** Encodes the first `length` entries, at most PART_ENTRIES, ascending. Numbers are whole, from 0 to 2^53 - 1. */
export function encodeBlock(columns: RollupColumns): RollupBlock {
  const { length } = columns;
  const largest = (PART_ENTRIES + 1) * MAX_VARINT;
  scratch ??= { data: new Uint8Array(DATA_COLUMNS.length * largest), column: new Uint8Array(2 * largest) };
  const { data: out, column } = scratch;
  let at = 0;
  for (const name of DATA_COLUMNS) {
    const values = columns[name];
    let end = 0;
    let isZero = true;
    for (let index = 0; index < length; index++) {
      const value = values[index] ?? 0;
      if (value !== 0) isZero = false;
      end = writeVarint(column, end, value);
    }
    // A column of zeros has no bytes.
    if (isZero) end = 0;
    at = writeVarint(out, at, end);
    out.set(column.subarray(0, end), at);
    at += end;
  }
  return { entries: length, conversations: encodeConversations(columns, column), data: out.slice(0, at) };
}

/** Where reading stands; `at` is NaN once a number was longer than any can be. */
interface Cursor {
  at: number;
}

/** The rest of a number whose first byte `first`, which said that there is more, is read; reads zeros past the end. */
function readMore(bytes: Uint8Array, cursor: Cursor, first: number): number {
  let at = cursor.at;
  let value = first & 0x7f;
  let byte = MORE;
  for (let shift = 7; shift < LOW_BITS && byte >= MORE; shift += 7) {
    byte = bytes[at++] ?? 0;
    value |= (byte & 0x7f) << shift;
  }
  let scale = LOW_RANGE;
  for (let left = MAX_VARINT - 4; left > 0 && byte >= MORE; left--) {
    byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
    scale *= MORE;
  }
  cursor.at = byte >= MORE ? Number.NaN : at;
  return value;
}

function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  const first = bytes[cursor.at++] ?? 0;
  return first < MORE ? first : readMore(bytes, cursor, first);
}

function readColumn(
  bytes: Uint8Array,
  cursor: Cursor,
  into: Float64Array | Uint16Array,
  entries: number,
): boolean {
  const length = readVarint(bytes, cursor);
  const end = cursor.at + length;
  if (length === 0) {
    into.fill(0, 0, entries);
    return end <= bytes.length;
  }
  for (let index = 0; index < entries; index++) {
    const first = bytes[cursor.at++] ?? 0;
    into[index] = first < MORE ? first : readMore(bytes, cursor, first);
  }
  return cursor.at === end && end <= bytes.length;
}

/** Reads who is in a part into `conversation` and `direction`. Whether all of it makes sense. */
function readConversations(block: ConversationBlock, into: RollupColumns): boolean {
  const { entries, conversations } = block;
  const cursor = { at: 0 };
  let id = 0;
  for (let index = 0; index < entries; index++) {
    id += readVarint(conversations, cursor);
    into.conversation[index] = id;
  }
  for (let index = 0; index < entries; index++) {
    into.direction[index] = ((conversations[cursor.at + (index >> 3)] ?? 0) >> (index & 7)) & 1;
  }
  return cursor.at + Math.ceil(entries / 8) === conversations.length;
}

function isPossible(entries: number): boolean {
  return Number.isInteger(entries) && entries >= 0 && entries <= PART_ENTRIES;
}

/** Calls `visit` with each conversation of a part, ascending. @throws DamagedBlockError */
export function eachConversation(
  block: ConversationBlock,
  of: { level: RollupLevel; bucketMs: number },
  visit: (id: number) => void,
): void {
  const { entries, conversations } = block;
  if (!isPossible(entries)) throw new DamagedBlockError(of.level, of.bucketMs, `${entries} entries`);
  const cursor = { at: 0 };
  let id = 0;
  for (let index = 0; index < entries; index++) visit((id += readVarint(conversations, cursor)));
  if (cursor.at + Math.ceil(entries / 8) !== conversations.length) {
    throw new DamagedBlockError(of.level, of.bucketMs, "conversations");
  }
}

/** Decodes a part into `columns`, which have room for PART_ENTRIES. @throws DamagedBlockError naming `of`. */
export function decodeBlock(
  block: RollupBlock,
  of: { level: RollupLevel; bucketMs: number },
  columns: RollupColumns,
): void {
  const { entries, data } = block;
  columns.length = 0;
  if (!isPossible(entries)) throw new DamagedBlockError(of.level, of.bucketMs, `${entries} entries`);
  if (!readConversations(block, columns)) {
    throw new DamagedBlockError(of.level, of.bucketMs, "conversations");
  }
  const cursor = { at: 0 };
  for (const name of DATA_COLUMNS) {
    if (!readColumn(data, cursor, columns[name], entries)) {
      throw new DamagedBlockError(of.level, of.bucketMs, name);
    }
  }
  if (cursor.at !== data.length) throw new DamagedBlockError(of.level, of.bucketMs, "its length");
  columns.length = entries;
}
