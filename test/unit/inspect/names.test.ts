import { expect, test } from "bun:test";
import { hostName, safeText, visibleText } from "../../../src/inspect/names.ts";
import { pattern } from "../../support/bytes.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

test.each([
  ["letters in lower case", "WWW.Example.COM", "www.example.com"],
  ["letters beyond ASCII as they are", "BÜRO.漢字.😀", "bÜro.漢字.😀"],
  ["a space", "Jan's TV", "jan's tv"],
  ["a backslash", "a\\b", "a\\b"],
  ["controls with a letter in C", "\x07\b\t\n\v\f\r", "\\a\\b\\t\\n\\v\\f\\r"],
  ["other controls in octal", "\0\x12\x1b[31m\x7f", "\\000\\022\\033[31m\\177"],
  ["controls beyond ASCII", "a\u0085\u009bb", "a\ufffd\ufffdb"],
  ["marks that turn text around", "gpj\u202eexe", "gpj\ufffdexe"],
  ["characters without a width", "a\u200d\ufeff\u00adb", "a\ufffd\ufffd\ufffdb"],
  ["separators that look like a space", "a\u00a0\u2028b", "a\ufffd\ufffdb"],
  ["marks of HTML", "<img onerror=x>&\"'", "<img onerror=x>&\"'"],
])("%s", (_, text, expected) => {
  expect(safeText(utf8(text))).toBe(expected);
});

test.each([
  [[0xc3, 0x28], "\ufffd("],
  [[0xff, 0x41], "\ufffda"],
  [[0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
  [[0xc0, 0x80], "\ufffd\ufffd"],
])("bytes %p are no UTF-8", (bytes, expected) => {
  expect(safeText(Uint8Array.from(bytes))).toBe(expected);
});

test("no byte puts anything but visible characters into a text", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      expect(safeText(Uint8Array.of(first, second))).not.toMatch(/(?! )[\p{C}\p{Z}]/u);
    }
  }
});

test("what is no name keeps its letters", () => {
  expect(visibleText(utf8("H2\0"))).toBe("H2\\000");
});

test.each([
  ["example.com.", "example.com"],
  ["Example.com", "example.com"],
  ["", null],
  [".", null],
])("host name %p is %p", (text, expected) => {
  expect(hostName(utf8(text))).toBe(expected);
});

test("a host name is no longer than a name can be", () => {
  expect(hostName(pattern(255).fill(0x61))).toBe("a".repeat(255));
  expect(hostName(pattern(256).fill(0x61))).toBeNull();
});
