import { Reader } from "./reader.ts";
import { quicVersion, type LongPacketType } from "./quic-version.ts";

const LONG_HEADER = 0x80;
const FIXED_BIT = 0x40;
const MAX_CONNECTION_ID = 20;
const RETRY_TAG = 16;
const NEGOTIATION = 0;
const VERSION_BYTES = 4;
/** A packet protects at least what the sample of header protection needs (RFC 9001 section 5.4.2). */
const MIN_PROTECTED = 20;

/** A long header (RFC 9000 section 17.2). Offsets are into the datagram. */
export interface LongHeader {
  version: number;
  type: LongPacketType | "negotiation";
  destinationId: Uint8Array;
  /** Empty but in an Initial. */
  token: Uint8Array;
  start: number;
  /** Of the packet number; of the rest, where there is none. */
  numberAt: number;
  /** Behind the packet, as its Length says: past the end of a datagram that was cut. */
  end: number;
}

/** A variable-length integer (RFC 9000 section 16). Inexact from 2^53 on, far above any length or offset taken here. */
export function varint(reader: Reader): number {
  const first = reader.u8();
  const value = first & 0x3f;
  switch (first >> 6) {
    case 0:
      return value;
    case 1:
      return value * 2 ** 8 + reader.u8();
    case 2:
      return value * 2 ** 24 + reader.u24();
    default:
      return (value * 2 ** 24 + reader.u24()) * 2 ** 32 + reader.u32();
  }
}

/** The long header at `at`, its ranges as views; null for anything else and for versions not known here. */
export function parseLongHeader(datagram: Uint8Array, at: number): LongHeader | null {
  const reader = new Reader(datagram, at);
  const first = reader.u8();
  const version = reader.u32();
  if ((first & LONG_HEADER) === 0) return null;
  const known = quicVersion(version);
  if (known === null && version !== NEGOTIATION) return null;
  const type = known?.types[(first >> 4) & 3] ?? "negotiation";
  const destinationId = reader.take(reader.u8());
  const sourceId = reader.take(reader.u8());
  if (destinationId.length > MAX_CONNECTION_ID || sourceId.length > MAX_CONNECTION_ID) return null;
  const token = type === "initial" ? reader.take(varint(reader)) : new Uint8Array();
  const hasLength = type !== "retry" && type !== "negotiation";
  const length = hasLength ? varint(reader) : reader.left;
  if (!reader.ok) return null;
  return { version, type, destinationId, token, start: at, numberAt: reader.at, end: reader.at + length };
}

/** Whether one of the versions that a Version Negotiation packet lists (RFC 8999 section 6) is known here. */
function offersKnownVersion(list: Reader): boolean {
  if (list.left % VERSION_BYTES !== 0) return false;
  while (list.left > 0) if (quicVersion(list.u32()) !== null) return true;
  return false;
}

/**
 * Whether a UDP payload starts with a QUIC long header of a version known here, or is a Version Negotiation packet that
 * offers one: cheap, and strict enough to tell QUIC from other protocols. A datagram that was cut may end before its
 * first packet does.
 */
export function isQuicLongHeader(datagram: Uint8Array, isCut = false): boolean {
  const header = parseLongHeader(datagram, 0);
  if (header === null) return false;
  const rest = header.end - header.numberAt;
  if (header.type === "negotiation") return offersKnownVersion(new Reader(datagram, header.numberAt));
  if (((datagram[0] ?? 0) & FIXED_BIT) === 0) return false;
  if (header.type === "retry") return rest >= RETRY_TAG;
  return rest >= MIN_PROTECTED && (isCut || header.end <= datagram.length);
}
