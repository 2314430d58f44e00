import { createCipheriv, createHmac } from "node:crypto";
import { concat, fields } from "./bytes.ts";

export const QUIC_V1 = 0x00000001;
export const QUIC_V2 = 0x6b3343cf;
export const QUIC_DRAFT_29 = 0xff00001d;
export const QUIC_T051 = 0x54303531;

const SALTS = new Map([
  [QUIC_V1, "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"],
  [QUIC_V2, "0dede3def700a6db819381be6e269dcbf9bd2ed9"],
  [QUIC_DRAFT_29, "afbfec289993d24c9e9786f19c6111e04390a899"],
  [QUIC_T051, "7a4edef4e7ccee5fa4506c19124fc8ccda6e033d"],
]);

export type QuicSender = "client" | "server";

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}

function expand(secret: Uint8Array, label: string, length: number): Uint8Array {
  const text = Buffer.from(`tls13 ${label}`);
  return hmac(secret, concat(Uint8Array.of(0, length, text.length), text, Uint8Array.of(0, 1))).subarray(
    0,
    length,
  );
}

/** An Initial packet's keys as RFC 9001 section 5.2 derives them from `keyId`, the client's first connection ID. */
export function quicKeys(version: number, keyId: Uint8Array, sender: QuicSender) {
  const initial = hmac(Buffer.from(SALTS.get(version) ?? "", "hex"), keyId);
  const secret = expand(initial, `${sender} in`, 32);
  const prefix = version === QUIC_V2 ? "quicv2" : "quic";
  return {
    key: expand(secret, `${prefix} key`, 16),
    iv: expand(secret, `${prefix} iv`, 12),
    hp: expand(secret, `${prefix} hp`, 16),
  };
}

/** A variable-length integer in `bytes` bytes, the fewest by default (RFC 9000 section 16). */
export function quicInteger(
  value: number,
  bytes = value < 64 ? 1 : value < 16384 ? 2 : value < 2 ** 30 ? 4 : 8,
) {
  const out = new Uint8Array(bytes);
  let rest = value;
  for (let at = bytes - 1; at >= 0; at--) {
    out[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  out[0] = out[0]! | (Math.log2(bytes) << 6);
  return out;
}

export function cryptoFrame(offset: number, bytes: Uint8Array, type = 0x06): Uint8Array {
  return concat(Uint8Array.of(type), quicInteger(offset), quicInteger(bytes.length), bytes);
}

export const PING = Uint8Array.of(0x01);
/** Acknowledges packets 0 to 2 and 5. */
export const ACK = Uint8Array.of(0x02, 5, 0x40, 10, 1, 0, 1, 2);
export const ACK_ECN = concat(
  Uint8Array.of(0x03, 5, 0, 0, 0),
  quicInteger(1),
  quicInteger(200),
  quicInteger(0),
);

export function padding(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** A handshake message (RFC 8446 section 4): 1 is a ClientHello, 2 a ServerHello. */
export function handshakeMessage(type: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, body.length >> 16, (body.length >> 8) & 255, body.length & 255), body);
}

export interface LongPacket {
  version?: number;
  type?: "initial" | "0rtt" | "handshake" | "retry";
  destinationId?: Uint8Array;
  sourceId?: Uint8Array;
  token?: Uint8Array;
  /** Low bits of the first byte, as they are without protection. */
  low?: number;
  /** RFC 9287 lets it be 0. */
  fixedBit?: 0 | 1;
}

const TYPES = ["initial", "0rtt", "handshake", "retry"];
export const FIRST_ID = Uint8Array.fromHex("8394c8f03e515708");

function longHeader({
  version = QUIC_V1,
  type = "initial",
  low = 0,
  fixedBit = 1,
  ...ids
}: LongPacket): Uint8Array {
  const { destinationId = FIRST_ID, sourceId = new Uint8Array(), token = new Uint8Array() } = ids;
  const bits = (TYPES.indexOf(type) + (version === QUIC_V2 ? 1 : 0)) & 3;
  return concat(
    fields([0x80 | (fixedBit << 6) | (bits << 4) | low, 1], [version, 4], [destinationId.length, 1]),
    destinationId,
    Uint8Array.of(sourceId.length),
    sourceId,
    type === "initial" ? concat(quicInteger(token.length), token) : new Uint8Array(),
  );
}

/** A 0-RTT or Handshake packet around bytes that nobody opens. */
export function otherPacket(
  type: "0rtt" | "handshake",
  protectedBytes: Uint8Array,
  options: LongPacket = {},
) {
  return concat(longHeader({ ...options, type }), quicInteger(protectedBytes.length), protectedBytes);
}

/** A Retry (RFC 9000 section 17.2.5) with a tag of zeros. */
export function retryPacket(options: LongPacket, token: Uint8Array): Uint8Array {
  return concat(longHeader({ ...options, type: "retry" }), token, new Uint8Array(16));
}

/** A Version Negotiation packet (RFC 9000 section 17.2.1). */
export function versionNegotiation(...versions: number[]): Uint8Array {
  return concat(Uint8Array.of(0xc0, 0, 0, 0, 0, 1, 7, 1, 9), fields(...versions.map((v) => [v, 4] as const)));
}

export interface InitialPacket extends LongPacket {
  sender?: QuicSender;
  /** Where keys come from: the destination ID by default. */
  keyId?: Uint8Array;
  number?: number;
  numberBytes?: 1 | 2 | 3 | 4;
  /** Of the variable-length Length. */
  lengthBytes?: 2 | 4 | 8;
}

/** A protected Initial packet around `frames`, which are padded at the end where a sample needs it. */
export function initialPacket(frames: Uint8Array, options: InitialPacket = {}): Uint8Array {
  const { version = QUIC_V1, destinationId = FIRST_ID, sender = "client", keyId = destinationId } = options;
  const { number = 0, numberBytes = 2, lengthBytes = 2 } = options;
  const { key, iv, hp } = quicKeys(version, keyId, sender);
  const payload = concat(frames, padding(Math.max(0, 4 - numberBytes - frames.length)));
  const start = longHeader({
    ...options,
    version,
    type: "initial",
    low: (options.low ?? 0) | (numberBytes - 1),
  });
  const length = quicInteger(numberBytes + payload.length + 16, lengthBytes);
  const nonce = iv.slice();
  const view = new DataView(nonce.buffer);
  view.setBigUint64(4, view.getBigUint64(4) ^ BigInt(number));
  const full = fields([number % 2 ** 32, 4]);
  const header = concat(start, length, full.subarray(4 - numberBytes));
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(header);
  const packet = concat(header, cipher.update(payload), cipher.final(), cipher.getAuthTag());
  const numberAt = header.length - numberBytes;
  const mask = createCipheriv("aes-128-ecb", hp, null).update(packet.subarray(numberAt + 4, numberAt + 20));
  packet[0] = packet[0]! ^ (mask[0]! & 0x0f);
  for (let i = 0; i < numberBytes; i++) packet[numberAt + i] = packet[numberAt + i]! ^ mask[i + 1]!;
  return packet;
}
