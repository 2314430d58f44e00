import { describe, expect, test } from "bun:test";
import {
  InitialKeys,
  openPacket,
  packetNumber,
  type OpenedPacket,
  type Sender,
} from "../../../src/inspect/quic-keys.ts";
import { parseLongHeader } from "../../../src/inspect/quic-packet.ts";
import { quicVersion } from "../../../src/inspect/quic-version.ts";
import { concat, pattern } from "../../support/bytes.ts";
import {
  cryptoFrame,
  FIRST_ID,
  initialPacket,
  padding,
  QUIC_DRAFT_29,
  QUIC_V1,
  QUIC_V2,
  type InitialPacket,
} from "../../support/quic.ts";
import { CLIENT_HELLO_FRAME, SERVER_FRAMES, SERVER_ID } from "../../support/quic-vectors.ts";

function keysOf(version: number): InitialKeys {
  const known = quicVersion(version);
  if (known === null) throw new Error(`version ${version} is not known`);
  return new InitialKeys(known, FIRST_ID);
}

interface Tried {
  version?: number;
  sender?: Sender;
  largest?: number;
}

function open(packet: Uint8Array, { version = QUIC_V1, sender = "client", largest = -1 }: Tried = {}) {
  const header = parseLongHeader(packet, 0);
  return header && openPacket(packet, header, keysOf(version).of(sender), largest);
}

function bytesOf(opened: OpenedPacket | null): Uint8Array | null {
  return opened && Uint8Array.from(opened.payload);
}

describe("keys of appendix A.1", () => {
  test.each<[string, number, Sender, string, string, string]>([
    [
      "RFC 9001",
      QUIC_V1,
      "client",
      "1f369613dd76d5467730efcbe3b1a22d",
      "fa044b2f42a3fd3b46fb255c",
      "9f50449e04a0e810283a1e9933adedd2",
    ],
    [
      "RFC 9001",
      QUIC_V1,
      "server",
      "cf3a5331653c364c88f0f379b6067e37",
      "0ac1493ca1905853b0bba03e",
      "c206b8d9b9f0f37644430b490eeaa314",
    ],
    [
      "RFC 9369",
      QUIC_V2,
      "client",
      "8b1a0bc121284290a29e0971b5cd045d",
      "91f73e2351d8fa91660e909f",
      "45b95e15235d6f45a6b19cbcb0294ba9",
    ],
    [
      "RFC 9369",
      QUIC_V2,
      "server",
      "82db637861d55e1d011f19ea71d5d2a7",
      "dd13c276499c0249d3310652",
      "edf6d05c83121201b436e16877593c3a",
    ],
    [
      "draft-ietf-quic-tls-29",
      QUIC_DRAFT_29,
      "client",
      "175257a31eb09dea9366d8bb79ad80ba",
      "6b26114b9cba2b63a9e8dd4f",
      "9ddd12c994c0698b89374a9c077a3077",
    ],
    [
      "draft-ietf-quic-tls-29",
      QUIC_DRAFT_29,
      "server",
      "149d0b1662ab871fbe63c49b5e655a5d",
      "bab2b12a4c76016ace47856d",
      "c0c499a65a60024a18a250974ea01dfa",
    ],
  ])("of %s are derived (version %p, %s)", (_, version, sender, key, iv, hp) => {
    const keys = keysOf(version).of(sender);
    expect([keys.key, keys.iv, keys.hp].map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual([
      key,
      iv,
      hp,
    ]);
  });
});

describe("the client's packet of appendix A.2", () => {
  test.each([
    [
      "RFC 9001",
      QUIC_V1,
      "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
      "e221af44860018ab0856972e194cd934",
    ],
    [
      "RFC 9369",
      QUIC_V2,
      "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
      "a18b2faa745b6fe189cf772a9f84cbfc",
    ],
  ])("of %s opens", (_, version, start, tag) => {
    const payload = concat(CLIENT_HELLO_FRAME, padding(1162 - CLIENT_HELLO_FRAME.length));
    const packet = initialPacket(payload, { version, number: 2, numberBytes: 4 });
    // Its tag says that the packet made here is the one that the RFC prints in full.
    expect([packet.subarray(0, 38).toHex(), packet.subarray(-16).toHex()]).toEqual([start, tag]);
    const opened = open(packet, { version });
    expect(opened).toMatchObject({ number: 2, isVerified: true });
    expect(bytesOf(opened)).toEqual(payload);
  });
});

describe("the server's packet of appendix A.3", () => {
  test.each([
    [
      "RFC 9001",
      QUIC_V1,
      "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
    ],
    [
      "RFC 9369",
      QUIC_V2,
      "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
    ],
  ])("of %s opens, and the builder makes the same", (_, version, text) => {
    const packet = Uint8Array.fromHex(text);
    const opened = open(packet, { version, sender: "server" });
    expect(opened).toMatchObject({ number: 1, isVerified: true });
    expect(bytesOf(opened)).toEqual(SERVER_FRAMES);
    const ids = { destinationId: new Uint8Array(), sourceId: SERVER_ID, keyId: FIRST_ID };
    expect(initialPacket(SERVER_FRAMES, { version, sender: "server", number: 1, ...ids })).toEqual(packet);
  });
});

test.each([
  [-1, 0, 1, 0],
  [-1, 0xfe, 1, 0xfe],
  [0xa82f30ea, 0x9b32, 2, 0xa82f9b32],
  [0x1ff, 0x00, 1, 0x200],
  [0x200, 0xff, 1, 0x1ff],
  [0xfe, 0x80, 1, 0x80],
  [2 ** 32, 5, 4, 2 ** 32 + 5],
])("after %p, %p in %p bytes is packet %p", (largest, truncated, bytes, number) => {
  expect(packetNumber(largest, truncated, bytes)).toBe(number);
});

const frames = cryptoFrame(0, pattern(100));

test.each<[string, InitialPacket, number]>([
  ["a number of 1 byte", { number: 9, numberBytes: 1 }, -1],
  ["a number of 3 bytes", { number: 70000, numberBytes: 3 }, -1],
  ["a number whose high bits are not sent", { number: 70000, numberBytes: 1 }, 69990],
  ["a number over 32 bits", { number: 2 ** 33 + 1, numberBytes: 2 }, 2 ** 33],
  ["a long Length", { lengthBytes: 8 }, -1],
  ["a token", { token: pattern(300) }, -1],
  ["reserved bits", { low: 0x0c }, -1],
])("a packet with %s opens", (_, options, largest) => {
  const opened = open(initialPacket(frames, options), { largest });
  expect(opened?.number).toBe(options.number ?? 0);
  expect(bytesOf(opened)).toEqual(frames);
});

test("a packet with any byte changed does not open", () => {
  const packet = initialPacket(frames, { token: pattern(4) });
  for (let at = 0; at < packet.length; at++) {
    const damaged = packet.slice();
    damaged[at] = damaged[at]! ^ 0x01;
    expect([at, open(damaged)?.isVerified ?? false]).toEqual([at, false]);
  }
});

test("a packet of the other end or version does not open", () => {
  expect(open(initialPacket(frames, { sender: "server" }))).toBeNull();
  expect(open(initialPacket(frames), { version: QUIC_DRAFT_29 })).toBeNull();
});

test("a packet without room for a sample does not open", () => {
  const keys = keysOf(QUIC_V1).of("client");
  for (let number = 0; number < 20; number++) {
    const packet = initialPacket(frames, { number });
    const header = parseLongHeader(packet, 0);
    if (header === null) throw new Error("no header");
    expect(openPacket(packet, { ...header, end: header.numberAt + 19 }, keys, -1)).toBeNull();
    expect(openPacket(packet.subarray(0, header.numberAt + 19), header, keys, -1)).toBeNull();
  }
});

test("of a packet that was cut what is there is decrypted, without the tag", () => {
  const packet = initialPacket(frames);
  const headerBytes = packet.length - frames.length - 16;
  for (const cut of [1, 15, 16, 17, 60, frames.length - 2]) {
    const opened = open(packet.subarray(0, -cut));
    const there = Math.min(frames.length, packet.length - cut - headerBytes);
    expect(opened?.isVerified).toBe(false);
    expect([cut, bytesOf(opened)]).toEqual([cut, frames.slice(0, there)]);
  }
});

test("a packet that was cut and has reserved bits is taken for another's", () => {
  expect(open(initialPacket(frames, { low: 0x04 }).subarray(0, -20))).toBeNull();
});
