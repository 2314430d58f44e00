import { varint } from "./quic-packet.ts";
import type { FrameTypes } from "./quic-version.ts";
import { Reader } from "./reader.ts";

const PADDING = 0x00;
/** Runs of padding count as none: senders that scatter a ClientHello use some tens of frames a packet. */
const MAX_FRAMES = 256;

/** A range of the CRYPTO stream. */
export interface CryptoPiece {
  offset: number;
  bytes: Uint8Array;
}

export interface InitialFrames {
  /** In the order of the packet, as views: those in front of what is not allowed, if something is not. */
  pieces: CryptoPiece[];
  /** Every frame is one that an Initial packet may hold, and is whole. */
  isValid: boolean;
}

function skipPadding(reader: Reader): void {
  while (reader.left > 0 && reader.bytes[reader.at] === PADDING) reader.at++;
}

/** RFC 9000 section 19.3. */
function skipAck(reader: Reader, hasEcn: boolean): void {
  varint(reader);
  varint(reader);
  const ranges = varint(reader);
  varint(reader);
  for (let range = 0; range < ranges && reader.ok; range++) {
    varint(reader);
    varint(reader);
  }
  const counts = hasEcn ? 3 : 0;
  for (let count = 0; count < counts; count++) varint(reader);
}

/** RFC 9000 section 19.19. */
function skipClose(reader: Reader): void {
  varint(reader);
  varint(reader);
  reader.skip(varint(reader));
}

/** RFC 9000 section 19.6; null when it is not whole. Of a packet that was cut, the bytes that are there. */
function cryptoPiece(reader: Reader, isCut: boolean): CryptoPiece | null {
  const offset = varint(reader);
  const length = varint(reader);
  const bytes = reader.take(isCut ? Math.min(length, reader.left) : length);
  return reader.ok ? { offset, bytes } : null;
}

/**
 * The CRYPTO frames in the payload of an Initial packet (RFC 9000 sections 12.4 and 19). The last frame of a packet that
 * was cut need not be whole.
 */
export function readInitialFrames(payload: Uint8Array, types: FrameTypes, isCut: boolean): InitialFrames {
  const pieces: CryptoPiece[] = [];
  const reader = new Reader(payload);
  skipPadding(reader);
  for (let frames = 0; reader.left > 0; frames++) {
    if (frames === MAX_FRAMES) return { pieces, isValid: false };
    const type = reader.u8();
    if (type === types.crypto) {
      const piece = cryptoPiece(reader, isCut);
      if (piece !== null) pieces.push(piece);
    } else if (type === types.ack || type === types.ackEcn) skipAck(reader, type === types.ackEcn);
    else if (type === types.close) skipClose(reader);
    else if (type !== types.ping) return { pieces, isValid: false };
    skipPadding(reader);
  }
  return { pieces, isValid: isCut || reader.ok };
}
