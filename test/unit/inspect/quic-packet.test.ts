import { describe, expect, test } from "bun:test";
import { isQuicLongHeader, parseLongHeader, varint } from "../../../src/inspect/quic-packet.ts";
import { Reader } from "../../../src/inspect/reader.ts";
import { concat, pattern } from "../../support/bytes.ts";
import {
  cryptoFrame,
  FIRST_ID,
  initialPacket,
  otherPacket,
  QUIC_DRAFT_29,
  QUIC_V1,
  QUIC_V2,
  retryPacket,
  versionNegotiation,
} from "../../support/quic.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const frames = cryptoFrame(0, pattern(200));
const initial = initialPacket(frames, { sourceId: pattern(5), token: pattern(70) });

/** A copy with one byte replaced. */
function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = bytes.slice();
  out[at] = value;
  return out;
}

test.each([
  ["25", 37],
  ["4025", 37],
  ["7bbd", 15293],
  ["9d7f3e7d", 494878333],
])("the integer %s of RFC 9000 appendix A.1 is read", (text, value) => {
  const reader = new Reader(hex(text));
  expect(varint(reader)).toBe(value);
  expect([reader.ok, reader.left]).toEqual([true, 0]);
});

test("an integer of 8 bytes is read as exactly as a double can", () => {
  expect(varint(new Reader(hex("c2197c5eff14e88c")))).toBe(Number(151288809941952652n));
});

test("an integer that is not whole is not read", () => {
  const reader = new Reader(hex("9d7f3e"));
  varint(reader);
  expect(reader.ok).toBe(false);
});

test("a long header is read with its ranges", () => {
  const behind = 11;
  const header = parseLongHeader(concat(pattern(3), initial, pattern(behind)), 3);
  expect(header).toEqual({
    version: QUIC_V1,
    type: "initial",
    destinationId: FIRST_ID,
    token: pattern(70),
    start: 3,
    numberAt: 3 + 7 + FIRST_ID.length + 5 + 2 + 70 + 2,
    end: 3 + initial.length,
  });
});

test.each([QUIC_V1, QUIC_V2])("the type bits are those of version %p", (version) => {
  const packets = [
    initialPacket(frames, { version }),
    otherPacket("0rtt", pattern(30), { version }),
    otherPacket("handshake", pattern(30), { version }),
    retryPacket({ version }, pattern(9)),
  ];
  const types = packets.map((packet) => parseLongHeader(packet, 0)?.type);
  expect(types).toEqual(["initial", "0rtt", "handshake", "retry"]);
});

test.each([
  ["version 1", "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"],
  ["version 2", "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6"],
])("the Retry of the RFC's appendix A.4 is one, in %s", (_, text) => {
  expect(isQuicLongHeader(hex(text))).toBe(true);
  expect(parseLongHeader(hex(text), 0)).toMatchObject({ type: "retry", end: 36 });
});

describe("a datagram is QUIC's", () => {
  test.each([
    ["that starts with an Initial", initial],
    ["with more behind the Initial", concat(initial, pattern(40))],
    ["of draft-29", initialPacket(frames, { version: QUIC_DRAFT_29 })],
    ["of version 2", initialPacket(frames, { version: QUIC_V2 })],
    ["that starts with 0-RTT", otherPacket("0rtt", pattern(30))],
    ["that starts with a Handshake packet", otherPacket("handshake", pattern(30))],
    ["that is a Retry", retryPacket({}, pattern(1))],
    ["that offers a known version", versionNegotiation(0x1a2a3a4a, QUIC_V1)],
  ])("%s", (_, datagram) => {
    expect(isQuicLongHeader(datagram)).toBe(true);
  });
});

describe("a datagram is not QUIC's", () => {
  test.each([
    ["that is empty", new Uint8Array()],
    ["without the long header bit", withByte(initial, 0, initial[0]! & 0x7f)],
    ["without the fixed bit", withByte(initial, 0, initial[0]! & 0xbf)],
    ["of an unknown version", withByte(initial, 1, 0x7a)],
    ["with a connection ID of 21 bytes", initialPacket(frames, { destinationId: pattern(21) })],
    ["with a source ID of 21 bytes", initialPacket(frames, { sourceId: pattern(21) })],
    ["whose packet does not fit", initial.subarray(0, -1)],
    ["whose token does not fit", initial.subarray(0, 60)],
    ["whose packet is too short to be protected", otherPacket("handshake", pattern(19))],
    ["that is a Retry without a tag", retryPacket({}, pattern(1)).subarray(0, -2)],
    ["that offers unknown versions alone", versionNegotiation(0x1a2a3a4a, 0x51303433)],
    ["that offers no version", versionNegotiation()],
    ["that offers half a version", versionNegotiation(QUIC_V1).subarray(0, -2)],
  ])("%s", (_, datagram) => {
    expect(isQuicLongHeader(datagram)).toBe(false);
  });
});

test("a datagram that was cut may end before its packet, not before the packet's length", () => {
  expect(isQuicLongHeader(initial.subarray(0, 120), true)).toBe(true);
  expect(isQuicLongHeader(initial.subarray(0, 60), true)).toBe(false);
});
