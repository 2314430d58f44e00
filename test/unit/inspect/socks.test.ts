import { expect, test } from "bun:test";
import { readSocks } from "../../../src/inspect/socks.ts";
import { concat, pattern } from "../../support/bytes.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const NAME = "Www.example.com";
const socks4 = (address: number[], rest: string) =>
  concat(Uint8Array.of(4, 1, 0x01, 0xbb, ...address), ascii(rest));
const GREETING = Uint8Array.of(5, 1, 0);
const PASSWORD = concat(Uint8Array.of(1, 4), ascii("user"), Uint8Array.of(6), ascii("secret"));
const byName = (command: number, name = NAME) =>
  concat(Uint8Array.of(5, command, 0, 3, name.length), ascii(name), Uint8Array.of(0x01, 0xbb));
const IPV4 = Uint8Array.of(5, 1, 0, 1, 192, 0, 2, 1, 0, 80);
const IPV6 = concat(Uint8Array.of(5, 1, 0, 4), new Uint8Array(16), Uint8Array.of(0, 80));

test.each([
  ["SOCKS4", socks4([192, 0, 2, 1], "me\0"), 4, null],
  ["SOCKS4 without a user", socks4([192, 0, 2, 1], "\0"), 4, null],
  ["SOCKS4a", socks4([0, 0, 0, 1], `me\0${NAME}\0`), 4, "www.example.com"],
  ["SOCKS4a with an address as name", socks4([0, 0, 0, 1], "\x00192.0.2.1\0"), 4, null],
  ["SOCKS5 with a name", concat(GREETING, byName(1)), 5, "www.example.com"],
  ["SOCKS5 with an address as name", concat(GREETING, byName(1, "192.0.2.1")), 5, null],
  ["SOCKS5 with an IPv4 address", concat(GREETING, IPV4), 5, null],
  ["SOCKS5 with an IPv6 address", concat(GREETING, IPV6), 5, null],
  ["SOCKS5 with a password", concat(Uint8Array.of(5, 3, 0, 1, 2), PASSWORD, byName(1)), 5, "www.example.com"],
  [
    "SOCKS5 without the password it offered",
    concat(Uint8Array.of(5, 2, 0, 2), byName(1)),
    5,
    "www.example.com",
  ],
  ["SOCKS5 for datagrams", concat(GREETING, byName(3)), 5, null],
])("finds what %s asks for, and where the relayed stream begins", (_, request, version, host) => {
  for (let length = 0; length < request.length; length++) {
    expect(readSocks(request.subarray(0, length))).toEqual({ state: "more" });
  }
  const expected = {
    state: "found",
    value: { version: version as 4 | 5, host },
    used: request.length,
  } as const;
  expect(readSocks(request)).toEqual(expected);
  expect(readSocks(concat(request, pattern(50)))).toEqual(expected);
});

test.each([
  ["another first byte", [0x16, 3, 1]],
  ["SOCKS4 with another command", [4, 3]],
  ["SOCKS4 to port 0", [4, 1, 0, 0, 192, 0, 2, 1]],
  ["SOCKS4 to a network that is none", [4, 1, 0, 80, 0, 0, 0, 0]],
  ["SOCKS4 with a user that is not text", [4, 1, 0, 80, 192, 0, 2, 1, 7]],
  ["SOCKS4 with a user without end", [4, 1, 0, 80, 192, 0, 2, 1, ...Array.from({ length: 256 }, () => 0x61)]],
  ["SOCKS4a with an empty name", [4, 1, 0, 80, 0, 0, 0, 1, 0, 0]],
  ["SOCKS5 without methods", [5, 0]],
  ["SOCKS5 with a method twice", [5, 2, 0, 0]],
  ["SOCKS5 with the method that refuses", [5, 1, 0xff]],
  ["SOCKS5 with a password nobody offered", [5, 1, 0, 1, 1]],
  ["SOCKS5 with another version behind the greeting", [5, 1, 0, 4]],
  ["SOCKS5 with another command", [5, 1, 0, 5, 4, 0, 1]],
  ["SOCKS5 with a reserved byte in use", [5, 1, 0, 5, 1, 1, 1]],
  ["SOCKS5 with another kind of address", [5, 1, 0, 5, 1, 0, 2]],
])("is not SOCKS: %s", (_, bytes) => {
  expect(readSocks(Uint8Array.from(bytes))).toEqual({ state: "no" });
});

test("SOCKS5 behind GSSAPI cannot be read", () => {
  expect(readSocks(Uint8Array.of(5, 2, 0, 1, 1, 1, 0, 4))).toEqual({ state: "bad" });
});

test("the password is not told", () => {
  const reading = readSocks(concat(Uint8Array.of(5, 1, 2), PASSWORD, byName(1)));
  expect(reading.state).toBe("found");
  expect(JSON.stringify(reading)).not.toContain("secret");
});
