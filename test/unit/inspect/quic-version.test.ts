import { expect, test } from "bun:test";
import { quicVersion } from "../../../src/inspect/quic-version.ts";

test.each([
  ["draft-22 and mvfst's first", [0xff000016, 0xfaceb001], "7fbcdb0e"],
  ["drafts 23 to 28 and mvfst", [0xff000017, 0xff00001c, 0xfaceb002, 0xfaceb00e, 0xfaceb011], "c3eef712"],
  ["drafts 29 to 32", [0xff00001d, 0xff000020], "afbfec28"],
  [
    "drafts from 33 on, version 1 and mvfst's name for it",
    [0xff000021, 0xff000022, 1, 0xfaceb003],
    "38762cf7",
  ],
  ["version 2", [0x6b3343cf], "0dede3de"],
  ["Google's T050", [0x54303530], "7ff579e5"],
  ["Google's T051", [0x54303531], "7a4edef4"],
])("%s have their salt", (_, numbers, salt) => {
  for (const number of numbers) {
    const known = quicVersion(number)?.salt;
    expect([number, known?.length, known?.subarray(0, 4).toHex()]).toEqual([number, 20, salt]);
  }
});

test.each([
  ["draft-21, whose header is another", 0xff000015],
  ["draft-35, which never was", 0xff000023],
  ["Google's Q046, which is without TLS", 0x51303436],
  ["Google's Q050, which is without TLS", 0x51303530],
  ["a reserved one", 0x1a2a3a4a],
  ["version negotiation", 0],
])("%s is not known", (_, number) => {
  expect(quicVersion(number)).toBeNull();
});
