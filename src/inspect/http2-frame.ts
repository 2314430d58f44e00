import type { Reader } from "./reader.ts";

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const FRAME_HEADER_BYTES = 9;

/** RFC 9113 section 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  continuation: 9,
} as const;

export const FLAG_END_STREAM = 0x01;
export const FLAG_END_HEADERS = 0x04;
const FLAG_PADDED = 0x08;
const FLAG_PRIORITY = 0x20;
const PRIORITY_BYTES = 5;
const PROMISED_STREAM_BYTES = 4;

/** RFC 9113 section 4.1. */
export interface FrameHeader {
  /** Bytes of the payload. */
  length: number;
  type: number;
  flags: number;
  stream: number;
}

/** The nine bytes before a payload; check the reader's `ok`. */
export function readFrameHeader(reader: Reader): FrameHeader {
  const length = reader.u24();
  const type = reader.u8();
  const flags = reader.u8();
  return { length, type, flags, stream: reader.u32() & 0x7fffffff };
}

/**
 * What a payload holds besides padding and what precedes a header block fragment (RFC 9113 sections 6.1, 6.2, 6.6,
 * 6.10); null when there is more of these than payload.
 */
export function frameContent(frame: FrameHeader, payload: Uint8Array): Uint8Array | null {
  if (frame.type === FRAME.continuation) return payload;
  const isPadded = (frame.flags & FLAG_PADDED) !== 0;
  let start = isPadded ? 1 : 0;
  if (frame.type === FRAME.headers && (frame.flags & FLAG_PRIORITY) !== 0) start += PRIORITY_BYTES;
  if (frame.type === FRAME.pushPromise) start += PROMISED_STREAM_BYTES;
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  return start > end ? null : payload.subarray(start, end);
}
