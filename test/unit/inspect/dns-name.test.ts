import { expect, test } from "bun:test";
import { readName } from "../../../src/inspect/dns-name.ts";
import { safeText } from "../../../src/inspect/names.ts";
import { Reader } from "../../../src/inspect/reader.ts";
import { concat, fields } from "../../support/bytes.ts";
import { label, wireName } from "../../support/dns.ts";

const header = new Uint8Array(12);
const ROOT = new Uint8Array(1);

function nameAt(at: number, ...parts: Uint8Array[]) {
  const reader = new Reader(concat(header, ...parts), at);
  return { name: readName(reader), at: reader.at, ok: reader.ok };
}

test.each([
  ["labels", wireName("www.example.com"), "www.example.com"],
  ["the root", ROOT, "."],
  ["capitals", wireName("WWW.Example.COM"), "www.example.com"],
  ["a wildcard and an underscore", wireName("*._tcp.example"), "*._tcp.example"],
  ["a dot inside a label", concat(label("a.b"), wireName("example")), "a.b.example"],
  ["a backslash", concat(label("a\\b"), wireName("example")), "a\\b.example"],
  ["a space and an apostrophe", concat(label("Jan's TV"), wireName("local")), "jan's tv.local"],
  ["zero, newline and escape bytes", concat(label("\0\n\x1b"), ROOT), "\\000\\n\\033"],
  ["UTF-8", concat(label("Jans BÜRO.1"), wireName("local")), "jans bÜro.1.local"],
  ["broken UTF-8", concat(label(Uint8Array.of(0xc3, 0x28, 0xc3, 0xbc)), wireName("ü")), "\ufffd(ü.ü"],
  ["a character that turns text around", concat(label("ü\u202e"), ROOT), "ü\ufffd"],
  ["a character without a width", concat(label("\ufeffa"), ROOT), "\ufffda"],
])("%s are read", (_, wire, name) => {
  expect(nameAt(12, wire, Uint8Array.of(9))).toEqual({ name, at: 12 + wire.length, ok: true });
});

test("a pointer goes on with the earlier name and takes two bytes", () => {
  // RFC 1035 section 4.1.4, its example moved to 12: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA.
  const parts = [
    wireName("F.ISI.ARPA"),
    label("FOO"),
    fields([0xc000 | 12, 2]),
    fields([0xc000 | 18, 2]),
  ] as const;
  expect(nameAt(24, ...parts)).toEqual({ name: "foo.f.isi.arpa", at: 30, ok: true });
  expect(nameAt(30, ...parts)).toEqual({ name: "arpa", at: 32, ok: true });
});

test("pointers to pointers are followed back", () => {
  const wire = concat(wireName("org"), fields([0xc00c, 2], [0xc011, 2]));
  expect(nameAt(19, wire).name).toBe("org");
});

test.each([
  ["a pointer to itself", fields([0xc00c, 2])],
  ["a pointer forwards", concat(fields([0xc00e, 2]), wireName("org"))],
  ["a pointer into its own name", concat(label("a"), fields([0xc00c, 2]))],
  ["a pointer into the header", fields([0xc000, 2])],
  ["a label of type 01", Uint8Array.of(0x41, 1, 0)],
  ["a label of type 10", Uint8Array.of(0x81, 1, 0)],
])("%s is no name, whatever follows", (_, wire) => {
  expect(nameAt(12, wire, new Uint8Array(64))).toMatchObject({ name: null, ok: true });
});

test.each([
  ["before its first label", new Uint8Array()],
  ["inside a label", Uint8Array.of(5, 0x61)],
  ["before the root", label("a")],
  ["inside a pointer", Uint8Array.of(0xc0)],
])("a name that ends %s runs out", (_, wire) => {
  expect(nameAt(12, wire)).toMatchObject({ name: null, ok: false });
});

test("255 bytes are a name and 256 are none", () => {
  const long = concat(label("a".repeat(63)), label("b".repeat(63)), label("c".repeat(63)));
  expect(nameAt(12, long, label("d".repeat(61)), ROOT).name).toHaveLength(253);
  expect(nameAt(12, long, label("d".repeat(62)), ROOT).name).toBeNull();
});

test("a chain of pointers without end is given up", () => {
  // Each points to the one before it; the first to a name.
  const chain = (length: number) =>
    concat(
      wireName("a"),
      ...Array.from({ length }, (_, index) => fields([0xc000 | (index === 0 ? 12 : 13 + index * 2), 2])),
    );
  expect(nameAt(15 + 2 * 126, chain(127)).name).toBe("a");
  expect(nameAt(15 + 2 * 127, chain(128)).name).toBeNull();
});

test("names inside a part of a message end with it, pointers may leave it", () => {
  const bytes = concat(header, wireName("org"), label("a"), fields([0xc00c, 2]), ROOT);
  expect(readName(new Reader(bytes, 17, 21))).toBe("a.org");
  expect(readName(new Reader(bytes, 17, 20))).toBeNull();
});

test("each byte and each shown character is what safeText makes of it", () => {
  for (let byte = 0; byte < 256; byte++) {
    const shown = safeText(Uint8Array.of(byte));
    expect(nameAt(12, label(Uint8Array.of(byte)), ROOT).name).toBe(shown);
  }
  for (const text of ["é", "漢字", "😀", "a\u00a0b", "\u200d", "x\u2028"]) {
    expect(nameAt(12, label(text), ROOT).name).toBe(safeText(new TextEncoder().encode(text)));
  }
});
