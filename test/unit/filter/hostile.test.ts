import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { completeFilter } from "../../../src/filter/complete.ts";
import { FilterError, formatFilterError } from "../../../src/filter/errors.ts";
import { formatFilter } from "../../../src/filter/format.ts";
import { matchesGlob } from "../../../src/filter/glob.ts";
import { parseFilter } from "../../../src/filter/parse.ts";
import { HINTS } from "../../../src/filter/words.ts";

const WORDS = [
  ...Object.keys(HINTS),
  "10.0.0.1",
  "443",
  "1M",
  "20ms",
  "a.com",
  "(",
  ")",
  "!",
  "&&",
  "||",
  ">",
  "!=",
  '"',
  '"x"',
  "\\",
  "\u202e",
  "\ud800",
  "*",
  "-",
  "[",
  "\n",
];

const text = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(" ")),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
);

test("any text is understood or refused at a place of its own, in visible characters", () => {
  fc.assert(
    fc.property(text, (filter) => {
      try {
        const tree = parseFilter(filter);
        if (tree !== null) expect(parseFilter(formatFilter(tree))).not.toBeNull();
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        expect(error.at).toBeLessThanOrEqual(filter.length);
        expect(error.at + error.length).toBeLessThanOrEqual(filter.length);
        const formatted = formatFilterError(error);
        expect(formatted).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/u);
        expect(formatted.split("\n").length).toBe(3);
      }
    }),
    { numRuns: 2000, seed: 3, examples: [["((("], ["not not"], ['"']] },
  );
});

test("any text can be completed, anywhere in it", () => {
  fc.assert(
    fc.property(text, fc.nat(60), (filter, cursor) => {
      for (const { from, to } of completeFilter(filter, cursor)) {
        expect(from).toBeLessThanOrEqual(Math.min(cursor, filter.length));
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBeLessThanOrEqual(filter.length);
      }
    }),
    { numRuns: 1000, seed: 3 },
  );
});

test.each([
  ["*", "", true],
  ["", "", true],
  ["", "a", false],
  ["eth*", "eth0", true],
  ["eth?", "eth", false],
  ["*0", "eth0", true],
  ["*h*0", "eth10", true],
  ["*h*1", "eth10", false],
  ["?", "\u{1f600}", true],
  ["[a-z]", "b", false],
  ["[a-z]", "[a-z]", true],
  ["a.c", "abc", false],
] as const)("glob %p of %p: %p", (pattern, name, isMatch) => {
  expect(matchesGlob(pattern, name)).toBe(isMatch);
});

test("a glob of many stars does not try all ways", () => {
  expect(matchesGlob(`${"*a".repeat(120)}b`, "a".repeat(5000))).toBe(false);
});
