import { describe, expect, test } from "bun:test";
import { readInitialFrames } from "../../../src/inspect/quic-frames.ts";
import { quicVersion, type FrameTypes } from "../../../src/inspect/quic-version.ts";
import { concat, pattern } from "../../support/bytes.ts";
import {
  ACK,
  ACK_ECN,
  cryptoFrame,
  padding,
  PING,
  QUIC_T051,
  QUIC_V1,
  quicInteger,
} from "../../support/quic.ts";

function types(version: number): FrameTypes {
  const known = quicVersion(version);
  if (known === null) throw new Error(`version ${version} is not known`);
  return known.frames;
}

const read = (payload: Uint8Array, isCut = false, version = QUIC_V1) =>
  readInitialFrames(payload, types(version), isCut);
const close = concat(Uint8Array.of(0x1c, 0x41, 0x28, 0x06, 3), Buffer.from("bye"));
const a = { offset: 0, bytes: pattern(70) };
const b = { offset: 20000, bytes: pattern(3, 9) };
const frameOf = (piece: typeof a) => cryptoFrame(piece.offset, piece.bytes);

test.each([
  ["alone", concat(frameOf(a), frameOf(b))],
  ["between padding", concat(padding(9), frameOf(a), padding(300), frameOf(b), padding(40))],
  ["between PING and ACK", concat(PING, ACK, frameOf(a), PING, PING, ACK_ECN, frameOf(b), PING)],
  ["before a CONNECTION_CLOSE", concat(frameOf(a), frameOf(b), close)],
  ["behind a CONNECTION_CLOSE", concat(close, frameOf(a), frameOf(b))],
])("CRYPTO frames are found %s", (_, payload) => {
  expect(read(payload)).toEqual({ pieces: [a, b], isValid: true });
});

test("a payload of padding holds nothing", () => {
  expect(read(padding(1000))).toEqual({ pieces: [], isValid: true });
});

describe("what is in front is kept", () => {
  test.each([
    ["a frame that Initial packets may not hold", Uint8Array.of(0x08, 0, 0)],
    ["an unknown frame", Uint8Array.of(0x3f)],
    [
      "a CRYPTO frame with more than is there",
      concat(Uint8Array.of(0x06, 0), quicInteger(2 ** 40), pattern(5)),
    ],
    [
      "an ACK of more ranges than are there",
      concat(Uint8Array.of(0x02, 1, 1), quicInteger(2 ** 61), padding(50)),
    ],
    ["a CONNECTION_CLOSE with more than is there", close.subarray(0, -1)],
    ["half a number", Uint8Array.of(0x06, 0xc0)],
  ])("of %s", (_, nonsense) => {
    const { pieces, isValid } = read(concat(frameOf(a), nonsense));
    expect(pieces).toEqual([a]);
    expect(isValid).toBe(false);
  });
});

test("no more than 256 frames are looked at", () => {
  const payload = concat(...Array.from({ length: 300 }, (_, index) => cryptoFrame(index, Uint8Array.of(1))));
  const { pieces, isValid } = read(payload);
  expect([pieces.length, isValid]).toEqual([256, false]);
});

test("of a packet that was cut the last frame is taken as far as it goes", () => {
  const payload = concat(frameOf(b), frameOf(a).subarray(0, 30));
  const { pieces, isValid } = read(payload, true);
  expect(pieces).toEqual([b, { offset: 0, bytes: pattern(26) }]);
  expect(isValid).toBe(true);
  expect(read(payload).isValid).toBe(false);
  expect(read(concat(frameOf(b), Uint8Array.of(0x06, 0x80)), true)).toEqual({ pieces: [b], isValid: true });
});

test("a packet that was cut may still hold nothing that is not allowed", () => {
  expect(read(concat(frameOf(a), Uint8Array.of(0x3f)), true).isValid).toBe(false);
});

test("Google's versions have numbers of their own", () => {
  const frame = cryptoFrame(0, pattern(20), 0x08);
  const piece = { offset: 0, bytes: pattern(20) };
  const payload = concat(Uint8Array.of(0x07), frame, padding(5));
  expect(read(payload, false, QUIC_T051)).toEqual({ pieces: [piece], isValid: true });
  expect(read(concat(frame, ACK), false, QUIC_T051)).toEqual({ pieces: [piece], isValid: false });
});
