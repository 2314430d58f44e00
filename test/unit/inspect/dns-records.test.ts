import { expect, test } from "bun:test";
import { MAX_DATA, readData } from "../../../src/inspect/dns-records.ts";
import { Reader } from "../../../src/inspect/reader.ts";
import { addressBytes, concat, fields } from "../../support/bytes.ts";
import { label, wireName } from "../../support/dns.ts";

const text = (value: string) => new TextEncoder().encode(value);
const HTTPS = 65;

function read(type: number, data: Uint8Array, recordClass = 1) {
  return readData(new Reader(concat(new Uint8Array(12), data), 12), type, recordClass);
}

/** A service parameter (RFC 9460 section 2.2). */
function parameter(key: number, value: Uint8Array): Uint8Array {
  return concat(fields([key, 2], [value.length, 2]), value);
}

test.each([
  ["A", 1, addressBytes("192.0.2.1"), "192.0.2.1"],
  ["AAAA", 28, addressBytes("2001:db8::1"), "2001:db8::1"],
  ["NS", 2, wireName("ns.example"), "ns.example"],
  ["CNAME", 5, wireName("www.example"), "www.example"],
  ["PTR", 12, wireName("host.example"), "host.example"],
  ["DNAME", 39, wireName("other.example"), "other.example"],
  ["MX", 15, concat(fields([10, 2]), wireName("mail.example")), "10 mail.example"],
  ["SRV", 33, concat(fields([0, 2], [5, 2], [5060, 2]), wireName("sip.example")), "0 5 5060 sip.example"],
  [
    "SOA",
    6,
    concat(wireName("ns.example"), wireName("admin.example"), fields([2024, 4]), new Uint8Array(16)),
    "ns.example admin.example 2024",
  ],
  ["TXT", 16, concat(label("v=spf1 -ALL"), label("two")), '"v=spf1 -ALL" "two"'],
  ["TXT with bytes that are no text", 16, label('a"\\\x1b\n<é'), '"a\\034\\092\\027\\010<\\195\\169"'],
  ["HINFO", 13, concat(label("RFC8482"), label("")), '"RFC8482" ""'],
  ["CAA", 257, concat(Uint8Array.of(0), label("issue"), text("ca.example")), '0 issue "ca.example"'],
  ["a type that is not looked into", 48, new Uint8Array(264), "DNSKEY \\# 264"],
  ["a type without a name", 65280, new Uint8Array(3), "TYPE65280 \\# 3"],
])("%s is presented", (_, type, data, presented) => {
  expect(read(type, data).data).toBe(presented);
});

test("an address belongs to class IN and has its length", () => {
  expect(read(1, addressBytes("192.0.2.1")).address).toEqual(addressBytes("192.0.2.1"));
  expect(read(28, addressBytes("::2")).address).toEqual(addressBytes("::2"));
  expect(read(1, addressBytes("192.0.2.1"), 3)).toMatchObject({ address: null, data: "A \\# 4" });
  expect(read(1, new Uint8Array(5))).toMatchObject({ address: null, data: "A \\# 5" });
  expect(read(28, new Uint8Array(4))).toMatchObject({ address: null, data: "AAAA \\# 4" });
});

test("TXT is read in every class, as version.bind is", () => {
  expect(read(16, label("9.18"), 3).data).toBe('"9.18"');
});

test.each([
  [2, wireName("a.example")],
  [5, wireName("a.example")],
  [12, wireName("a.example")],
  [15, concat(fields([1, 2]), wireName("a.example"))],
  [33, concat(new Uint8Array(6), wireName("a.example"))],
  [39, wireName("a.example")],
  [64, concat(fields([0, 2]), wireName("a.example"))],
  [HTTPS, concat(fields([0, 2]), wireName("a.example"))],
])("type %p leads to another name", (type, data) => {
  expect(read(type, data).target).toBe("a.example");
});

test.each([
  ["CNAME", 5, Uint8Array.of(0x41, 0)],
  ["MX", 15, Uint8Array.of(1)],
  ["SRV", 33, new Uint8Array(6)],
  ["SOA", 6, concat(wireName("a"), wireName("b"), new Uint8Array(3))],
  ["TXT", 16, Uint8Array.of(3, 0x61)],
  ["CAA", 257, Uint8Array.of(0, 9, 0x61)],
])("%s with broken data is its length", (name, type, data) => {
  expect(read(type, data)).toEqual({
    data: `${name} \\# ${data.length}`,
    address: null,
    target: null,
    hints: [],
  });
});

test("a service shows its parameters and gives its addresses", () => {
  // RFC 9460 appendix D.2, its parts put together.
  const data = concat(
    fields([16, 2]),
    wireName("foo.example.org"),
    parameter(1, concat(label("h2"), label("h3"))),
    parameter(3, fields([53, 2])),
    parameter(4, concat(addressBytes("192.0.2.1"), addressBytes("192.0.2.2"))),
    parameter(5, new Uint8Array(40)),
    parameter(6, addressBytes("2001:db8::1")),
    parameter(667, text("hello")),
  );
  const { hints, ...rest } = read(HTTPS, data);
  expect(rest).toEqual({
    data: "16 foo.example.org alpn=h2,h3 port=53 ipv4hint=192.0.2.1,192.0.2.2 ech ipv6hint=2001:db8::1 key667",
    address: null,
    target: null,
  });
  expect(hints).toEqual([addressBytes("192.0.2.1"), addressBytes("192.0.2.2"), addressBytes("2001:db8::1")]);
});

test("the alias mode has no parameters, and the root leads nowhere", () => {
  const alias = concat(fields([0, 2]), wireName("cdn.example"), parameter(4, addressBytes("192.0.2.1")));
  expect(read(HTTPS, alias)).toMatchObject({ data: "0 cdn.example", target: "cdn.example", hints: [] });
  expect(read(HTTPS, concat(fields([0, 2]), wireName("."))).target).toBeNull();
});

test.each([
  ["a port of one byte", [parameter(3, new Uint8Array(1))]],
  ["a port of three bytes", [parameter(3, new Uint8Array(3))]],
  ["no address in a hint", [parameter(4, new Uint8Array())]],
  ["half an address", [parameter(6, new Uint8Array(8))]],
  ["no protocol", [parameter(1, new Uint8Array())]],
  ["an empty protocol", [parameter(1, Uint8Array.of(0))]],
  ["a protocol past its end", [parameter(1, Uint8Array.of(3, 0x68))]],
  ["a key twice", [parameter(3, fields([53, 2])), parameter(3, fields([53, 2]))]],
  ["keys that fall", [parameter(4, addressBytes("192.0.2.1")), parameter(3, fields([53, 2]))]],
  ["a parameter past the end", [fields([1, 2], [9, 2])]],
])("a service with %s is none", (_, parameters) => {
  const data = concat(fields([1, 2]), wireName("."), ...parameters);
  expect(read(HTTPS, data)).toMatchObject({ data: `HTTPS \\# ${data.length}`, hints: [] });
});

test("long text is clipped", () => {
  const data = concat(...Array.from({ length: 200 }, () => label("x".repeat(255))));
  expect(read(16, data).data).toBe(`"${"x".repeat(MAX_DATA - 2)}…`);
});

test("a clip never leaves half a character", () => {
  // 252 characters of escapes, a dot and one letter: the face is at the last place and past it.
  const data = concat(label(new Uint8Array(63).fill(0x01)), label("a😀"), wireName("example"));
  expect(read(5, data).data).toBe(`${"\\001".repeat(63)}.a\ufffd…`);
});

test("a service gives a bounded number of addresses", () => {
  const many = concat(fields([1, 2]), wireName("."), parameter(4, new Uint8Array(4000)));
  expect(read(HTTPS, many).hints).toHaveLength(16);
});
