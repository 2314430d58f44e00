import { expect, test } from "bun:test";
import { canonicalDomainPattern, domainMatcher } from "../../../src/flow/domain-pattern.ts";

test.each([
  ["example.com", "example.com"],
  ["Example.COM.", "example.com"],
  ["*.Example.com", "*.example.com"],
  ["*.com.", "*.com"],
  [".", "."],
  ["b\u00dccher.example", "b\u00dccher.example"],
  ["a\\046b.example", "a\\046b.example"],
  ["_dmarc.example.com", "_dmarc.example.com"],
])("%p is %p", (text, canonical) => {
  expect(canonicalDomainPattern(text)).toBe(canonical);
});

test.each(["", "*", "*.", "*.*.com", "a*.com", "a b.com", ".example.com", "*..com", "x".repeat(1021)])(
  "%p is no pattern",
  (text) => {
    expect(canonicalDomainPattern(text)).toBeUndefined();
  },
);

test.each([
  ["example.com", "example.com", true],
  ["example.com", "www.example.com", false],
  ["*.example.com", "example.com", true],
  ["*.example.com", "a.b.example.com", true],
  ["*.example.com", "notexample.com", false],
  ["*.example.com", "example.com.evil", false],
  ["*.example.com", null, false],
  ["EXAMPLE.com", "example.com", true],
])("%p matches %p: %p", (pattern, domain, isMatch) => {
  expect(domainMatcher(pattern)(domain)).toBe(isMatch);
});
