/** Handshakes as clients and servers send them today, of the sizes that they have. */
import { concat, fields, pattern } from "../../support/bytes.ts";
import { cryptoFrame, initialPacket, padding, PING } from "../../support/quic.ts";
import { clientHello, serverHello, type TlsExtension, tlsRecord } from "../../support/tls.ts";

export const HOST = "www.example.com";

const X25519_MLKEM768 = 0x11ec;
const X25519 = 0x001d;
const KEY_SHARE = 51;
/** RFC 9000 section 14.1: what a datagram with an Initial packet is padded to; some clients take more. */
const DATAGRAM_BYTES = 1250;
/** Headers, lengths and the tag of an Initial packet around its frames. */
const INITIAL_OVERHEAD = 50;

const CIPHERS = [
  0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
  0x002f, 0x0035,
];
const ALGORITHMS = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

/** `name` of a group and a key of `length` bytes, as key_share has it (RFC 8446 section 4.2.8). */
function share(group: number, length: number): Uint8Array {
  return concat(fields([group, 2], [length, 2]), pattern(length));
}

function list(...parts: readonly Uint8Array[]): Uint8Array {
  const all = concat(...parts);
  return concat(fields([all.length, 2]), all);
}

/** Extensions of every browser that no name is in. */
const COMMON: readonly TlsExtension[] = [
  { type: 23, data: new Uint8Array() },
  { type: 0xff01, data: Uint8Array.of(0) },
  { type: 11, data: Uint8Array.of(1, 0) },
  { type: 35, data: new Uint8Array() },
  { type: 5, data: Uint8Array.of(1, 0, 0, 0, 0) },
  { type: 45, data: Uint8Array.of(1, 1) },
];

const HELLO = {
  serverName: HOST,
  alpn: ["h2", "http/1.1"],
  ciphers: CIPHERS,
  signatureAlgorithms: ALGORITHMS,
  sessionId: pattern(32),
  greaseFirst: true,
};

/** A ClientHello message with one key of 32 bytes. */
export const SMALL_HELLO = clientHello({
  ...HELLO,
  extensions: [
    ...COMMON,
    { type: 10, data: list(fields([X25519, 2], [0x17, 2], [0x18, 2])) },
    { type: KEY_SHARE, data: list(share(X25519, 32)) },
  ],
});

/** A ClientHello message with a post-quantum key (ML-KEM-768) and a ticket to resume by, as browsers send it. */
export const LARGE_HELLO = clientHello({
  ...HELLO,
  ech: "outer",
  extensions: [
    ...COMMON,
    { type: 10, data: list(fields([X25519_MLKEM768, 2], [X25519, 2], [0x17, 2], [0x18, 2])) },
    { type: 27, data: Uint8Array.of(2, 0, 2) },
    { type: 17613, data: Uint8Array.of(0, 3, 2, 0x68, 0x32) },
    { type: KEY_SHARE, data: list(share(X25519_MLKEM768, 1216), share(X25519, 32)) },
    { type: 41, data: pattern(266) },
  ],
});

export const SERVER_STREAM = tlsRecord(
  serverHello({ version: 0x0304, extensions: [{ type: KEY_SHARE, data: share(X25519_MLKEM768, 1120) }] }),
);

/** A datagram of one Initial packet with these frames, padded as a client pads it. */
function datagram(number: number, ...frames: readonly Uint8Array[]): Uint8Array {
  const all = concat(...frames);
  const missing = Math.max(0, DATAGRAM_BYTES - INITIAL_OVERHEAD - all.length);
  return initialPacket(concat(all, padding(missing)), { number });
}

function piece(message: Uint8Array, start: number, end: number): Uint8Array {
  return cryptoFrame(start, message.subarray(start, end));
}

/** The small hello in one datagram. */
export const QUIC_DATAGRAM = datagram(0, piece(SMALL_HELLO, 0, SMALL_HELLO.length));

/** The large hello in pieces out of order, with PINGs between, over two datagrams: as Chromium scatters it. */
export const QUIC_SCATTERED = [
  datagram(
    0,
    piece(LARGE_HELLO, 900, 1400),
    PING,
    piece(LARGE_HELLO, 0, 60),
    PING,
    piece(LARGE_HELLO, 300, 800),
  ),
  datagram(
    1,
    piece(LARGE_HELLO, 1400, LARGE_HELLO.length),
    piece(LARGE_HELLO, 60, 300),
    PING,
    piece(LARGE_HELLO, 800, 900),
  ),
];
