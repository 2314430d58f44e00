import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { LongHeader } from "./quic-packet.ts";
import type { QuicVersion } from "./quic-version.ts";

const HASH = "sha256";
const SECRET_BYTES = 32;
const KEY_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
const MAX_NUMBER_BYTES = 4;
/** AES-GCM encrypts with AES-CTR from this counter on (NIST SP 800-38D section 7.1). */
const FIRST_COUNTER = Uint8Array.of(0, 0, 0, 2);
const NUMBER_LENGTH_BITS = 0x03;
const RESERVED_BITS = 0x0c;
/** What header protection hides of the first byte of a long header. */
const PROTECTED_BITS = 0x0f;

export type Sender = "client" | "server";

/** What protects the packets of one sender (RFC 9001 section 5.1). */
export interface PacketKeys {
  key: Uint8Array;
  iv: Uint8Array;
  hp: Uint8Array;
}

/** A packet without its protection. */
export interface OpenedPacket {
  number: number;
  payload: Uint8Array;
  /** False for a packet that was cut: decrypted, though nothing says that the keys were right. */
  isVerified: boolean;
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac(HASH, key).update(data).digest();
}

/** HKDF-Expand-Label (RFC 8446 section 7.1) without context, for lengths of up to one hash. */
function expandLabel(secret: Uint8Array, label: string, length: number): Uint8Array {
  const text = `tls13 ${label}`;
  const info = Buffer.concat([Uint8Array.of(0, length, text.length), Buffer.from(text), Uint8Array.of(0, 1)]);
  return hmac(secret, info).subarray(0, length);
}

/** Initial keys of both ends (RFC 9001 section 5.2): anyone derives them from the client's first Destination Connection ID. */
export class InitialKeys {
  private readonly secret: Uint8Array;
  private readonly derived: Partial<Record<Sender, PacketKeys>> = {};

  constructor(
    readonly version: QuicVersion,
    destinationId: Uint8Array,
  ) {
    this.secret = hmac(version.salt, destinationId);
  }

  /** Keys that this end's packets are protected with. */
  of(sender: Sender): PacketKeys {
    this.derived[sender] ??= this.derive(sender);
    return this.derived[sender];
  }

  private derive(sender: Sender): PacketKeys {
    const secret = expandLabel(this.secret, `${sender} in`, SECRET_BYTES);
    const { labels } = this.version;
    return {
      key: expandLabel(secret, labels.key, KEY_BYTES),
      iv: expandLabel(secret, labels.iv, IV_BYTES),
      hp: expandLabel(secret, labels.hp, KEY_BYTES),
    };
  }
}

/** The whole packet number of which the last `bytes` bytes are `truncated` (RFC 9000 appendix A.3). `largest` is -1 at first. */
export function packetNumber(largest: number, truncated: number, bytes: number): number {
  const expected = largest + 1;
  const window = 2 ** (8 * bytes);
  const candidate = expected - (expected % window) + truncated;
  if (candidate <= expected - window / 2) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

function nonce(iv: Uint8Array, number: number): Uint8Array {
  const bytes = new Uint8Array(IV_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(IV_BYTES - 8, Math.floor(number / 2 ** 32));
  view.setUint32(IV_BYTES - 4, number >>> 0);
  for (const [index, byte] of iv.entries()) bytes[index] = (bytes[index] ?? 0) ^ byte;
  return bytes;
}

/** The header in the clear (RFC 9001 section 5.4), up to and with the packet number; null when too short to be a packet. */
function unprotectHeader(datagram: Uint8Array, header: LongHeader, hp: Uint8Array): Uint8Array | null {
  const sampleAt = header.numberAt + MAX_NUMBER_BYTES;
  if (sampleAt + SAMPLE_BYTES > Math.min(header.end, datagram.length)) return null;
  const sample = datagram.subarray(sampleAt, sampleAt + SAMPLE_BYTES);
  const mask = createCipheriv("aes-128-ecb", hp, null).update(sample);
  const first = (datagram[header.start] ?? 0) ^ ((mask[0] ?? 0) & PROTECTED_BITS);
  const numberBytes = (first & NUMBER_LENGTH_BITS) + 1;
  const clear = datagram.slice(header.start, header.numberAt + numberBytes);
  clear[0] = first;
  const numberAt = clear.length - numberBytes;
  for (let i = 0; i < numberBytes; i++) clear[numberAt + i] = (clear[numberAt + i] ?? 0) ^ (mask[i + 1] ?? 0);
  return clear;
}

function open(keys: PacketKeys, iv: Uint8Array, header: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  try {
    const decipher = createDecipheriv("aes-128-gcm", keys.key, iv);
    decipher.setAAD(header);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const payload = decipher.update(sealed.subarray(0, -TAG_BYTES));
    decipher.final();
    return payload;
  } catch {
    return null;
  }
}

/**
 * Removes the protection of an Initial packet (RFC 9001 section 5). `largest` is the highest packet number that its
 * sender has used, -1 at first. Null when it does not open: other keys, damage, too short. Of a packet that ends behind
 * the datagram the part that is there is decrypted, without verification.
 */
export function openPacket(
  datagram: Uint8Array,
  header: LongHeader,
  keys: PacketKeys,
  largest: number,
): OpenedPacket | null {
  const clear = unprotectHeader(datagram, header, keys.hp);
  if (clear === null) return null;
  const first = clear[0] ?? 0;
  const numberBytes = (first & NUMBER_LENGTH_BITS) + 1;
  const truncated = clear.subarray(-numberBytes).reduce((value, byte) => value * 256 + byte, 0);
  const number = packetNumber(largest, truncated, numberBytes);
  const iv = nonce(keys.iv, number);
  const payloadAt = header.start + clear.length;
  if (header.end <= datagram.length) {
    const payload = open(keys, iv, clear, datagram.subarray(payloadAt, header.end));
    return payload && { number, payload, isVerified: true };
  }
  if ((first & RESERVED_BITS) !== 0) return null;
  const sealed = datagram.subarray(payloadAt, header.end - TAG_BYTES);
  const counter = Buffer.concat([iv, FIRST_COUNTER]);
  const payload = createDecipheriv("aes-128-ctr", keys.key, counter).update(sealed);
  return { number, payload, isVerified: false };
}
