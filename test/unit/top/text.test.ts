import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { hostile } from "./fixture.ts";
import { sparkline } from "../../../src/top/sparkline.ts";
import { fit, pathText, safeText, widthOf, wrap } from "../../../src/top/text.ts";

test.each([
  ["\u001b[2Jgone", "\\u{1b}[2Jgone"],
  ["a\u202eb", "a\\u{202e}b"],
  ["a\nb\tc\u009b", "a\\u{a}b\\u{9}c\\u{9b}"],
  ["zero\u200bwidth", "zero\\u{200b}width"],
  ["e\u0301", "é"],
  ["x\u0301\u0302", "x\\u{301}\\u{302}"],
  ["אב", "\\u{5d0}\\u{5d1}"],
  ["世界.example", "世界.example"],
  ["🇩🇪", "\\u{1f1e9}\\u{1f1ea}"],
  ["\ud800", "\\u{d800}"],
])("%j is shown as %s", (text, shown) => {
  expect(safeText(text, false)).toBe(shown);
});

test("a path of interfaces shows the way, and its names are as safe as other text", () => {
  expect(pathText("veth1/br0/eth0", false)).toBe("veth1 › br0 › eth0");
  expect(pathText("veth1/\u001b[2J", true)).toBe("veth1 > \\u{1b}[2J");
  expect(pathText("eth0", true)).toBe("eth0");
});

test("without Unicode nothing beyond ASCII is left", () => {
  expect(safeText("世é", true)).toBe("\\u{4e16}\\u{e9}");
  fc.assert(
    fc.property(hostile, (text) => {
      expect(safeText(text, true)).toMatch(/^[ -~]*$/);
    }),
  );
});

test("a cell is exactly as wide as it should be, whatever the text", () => {
  const cell = fc.record({
    columns: fc.integer({ min: 0, max: 40 }),
    align: fc.constantFrom("left" as const, "right" as const),
    ascii: fc.boolean(),
  });
  fc.assert(
    fc.property(hostile, cell, (text, at) => {
      const safe = safeText(text, at.ascii);
      expect(widthOf(fit(safe, at))).toBe(at.columns);
      // Nothing joins with its neighbours: the whole is as wide as its parts.
      const parts = Array.from(safe, widthOf).reduce((sum, width) => sum + width, 0);
      expect(widthOf(safe)).toBe(parts);
    }),
  );
});

test("a cell is cut with an ellipsis, wide characters whole", () => {
  const left = { align: "left", ascii: false } as const;
  expect(fit("example.com", { ...left, columns: 8 })).toBe("example…");
  expect(fit("example.com", { ...left, columns: 8, ascii: true })).toBe("example~");
  expect(fit("世界世界", { ...left, columns: 6 })).toBe("世界… ");
  expect(fit("12 kB", { align: "right", ascii: false, columns: 7 })).toBe("  12 kB");
});

test("wrapped text keeps all of it, in lines that fit", () => {
  expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
  fc.assert(
    fc.property(hostile, fc.integer({ min: 2, max: 30 }), (text, columns) => {
      const safe = safeText(text, false);
      const lines = wrap(safe, columns);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      expect(lines.join("").replaceAll(" ", "")).toBe(safe.replaceAll(" ", ""));
    }),
  );
});

test("a sparkline has the newest on the right, the highest value at the highest level", () => {
  expect(sparkline([0, 1, 4, 8], 6, false)).toBe("   ▁▄█");
  expect(sparkline([0, 1, 4, 7], 4, true)).toBe(" .=#");
  expect(sparkline([1, 2, 3, 8, 8], 2, false)).toBe("██");
  expect(sparkline([0, 0], 3, false)).toBe("   ");
  expect(sparkline([], 3, false)).toBe("   ");
  expect(sparkline([1], 0, false)).toBe("");
  // A little beside very much is still something.
  expect(sparkline([1, 1e9], 2, false)).toBe("▁█");
});
