import { expect, test } from "bun:test";
import { HEADER_BYTES, readName } from "../../../src/inspect/dns-name.ts";
import { Reader } from "../../../src/inspect/reader.ts";
import { hasReverseName, pointedName, reverseZoneName } from "../../../src/inspect/reverse-zone.ts";
import { addressBytes, concat } from "../../support/bytes.ts";
import { label, wireName } from "../../support/dns.ts";

test.each(["10.0.0.1", "169.254.169.254", "223.255.255.255", "240.0.0.1", "fec0::1", "fd00::1", "::2"])(
  "%s can have a name",
  (address) => {
    expect(hasReverseName(addressBytes(address))).toBe(true);
  },
);

test.each([
  ["192.0.2.7", "7.2.0.192.in-addr.arpa"],
  ["4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"],
])("the name of %s in the reverse zones is %s", (address, name) => {
  expect(reverseZoneName(addressBytes(address))).toBe(name);
});

test.each([
  ["Host.Example.", "host.example"],
  ["_x.host-1.example", "_x.host-1.example"],
  [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
  ["\\195\\169.example", "é.example"],
  ["\u{1f600}.example", "\u{1f600}.example"],
])("a record to %p names %p", (record, name) => {
  expect(pointedName(record)).toBe(name);
});

test.each<[string, string | Uint8Array]>([
  ["\\027[31m\\000\\255A", Uint8Array.of(0x1b, 0x5b, 0x33, 0x31, 0x6d, 0, 0xff, 0x41)],
  ["\u001b[31m", "\u001b[31m"],
  ["a\\.b", "a.b"],
  ["a\\\\b", "a\\b"],
  ["a\u202eb", "a\u202eb"],
])("a record to %p in presentation form reads as the same name in a message", (record, first) => {
  const message = concat(new Uint8Array(HEADER_BYTES), label(first), wireName("example"));
  const name = readName(new Reader(message, HEADER_BYTES));
  expect(name).toEndWith(".example");
  expect(pointedName(`${record}.example`)).toBe(name);
  expect(name).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test("a backslash at the end is one", () => {
  expect(pointedName("lone\\")).toBe(pointedName("lone\\\\"));
});

test.each([
  "",
  ".",
  "..",
  "\\.",
  "\\032.\\032",
  "a..example",
  ".example",
  "\\256.example",
  `${"a".repeat(64)}.example`,
  "a.".repeat(128),
  "a".repeat(100_000),
  "10.0.0.1",
  "7.2.0.192.in-addr.arpa",
  "7.2.0.192.IN-ADDR.ARPA.",
  "in-addr.arpa",
  "8.b.d.0.1.0.0.2.ip6.arpa",
])("a record to %p names no host", (record) => {
  expect(pointedName(record)).toBeNull();
});
