import { describe, expect, test } from "bun:test";
import ipaddr from "ipaddr.js";
import { formatAddress, parseAddress } from "../../../src/flow/address.ts";

const ROUND_TRIPS = [
  "0.0.0.0",
  "192.0.2.7",
  "255.255.255.255",
  "::",
  "::1",
  "1::",
  "2001:db8::1",
  "2001:db8:0:1:1:1:1:1",
  "2001:0:0:1::1",
  "2001:db8::1:0:0:1",
  "fe80::dead:beef",
  "::ffff:192.0.2.7",
  "1:2:3:4:5:6:7:8",
  "::2:3:4:5:6:7:8".replace("::", "0:"),
];

describe("formatAddress and parseAddress", () => {
  test.each(ROUND_TRIPS)("%s survives a round trip", (text) => {
    const bytes = parseAddress(text);
    expect(bytes).not.toBeNull();
    expect(formatAddress(bytes ?? new Uint8Array())).toBe(text);
  });

  test("writes what ipaddr.js writes for every pattern of zero groups", () => {
    for (let pattern = 0; pattern < 256; pattern++) {
      const bytes = new Uint8Array(16);
      for (let index = 0; index < 8; index++) if (pattern & (1 << index)) bytes[index * 2 + 1] = index + 1;
      const expected = ipaddr.fromByteArray([...bytes]) as ipaddr.IPv6;
      expect(formatAddress(bytes)).toBe(expected.toRFC5952String());
      expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
    }
  });

  test.each([
    ["2001:DB8::A", "2001:db8::a"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["::0:1", "::1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ])("reads %s as %s", (text, canonical) => {
    expect(formatAddress(parseAddress(text) ?? new Uint8Array())).toBe(canonical);
  });

  test.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "a.b.c.d",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    ":1",
    "1:",
    "x".repeat(10_000),
  ])("refuses %p", (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test("refuses to format other lengths", () => {
    expect(() => formatAddress(new Uint8Array(5))).toThrow("an address has 4 or 16 bytes, not 5");
  });
});
