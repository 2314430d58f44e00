import { describe, expect, test } from "bun:test";
import { compileGlob, isGlob, isInterfacePattern } from "../../../src/config/glob.ts";

describe("compileGlob", () => {
  test.each([
    ["veth*", ["veth", "veth0a"], ["eth0", "xveth0"]],
    ["eth?", ["eth0", "ethx"], ["eth", "eth10"]],
    ["eth[0-2]", ["eth0", "eth2"], ["eth3", "eth"]],
    ["eth[!0]", ["eth1"], ["eth0"]],
    ["eth[^0]", ["eth1"], ["eth0"]],
    ["e.h*", ["e.h0"], ["eth0"]],
    ["(a|b)*", ["(a|b)1"], ["a", "b"]],
    ["*", ["lo", "eth0.100"], []],
    ["a[.]b", ["a.b"], ["axb"]],
    [String.raw`a[\d]`, [String.raw`a${"\\"}`, "ad"], ["a1"]],
  ])("%p", (pattern, matching, others) => {
    const matches = compileGlob(pattern);
    expect(matching.map((name) => matches?.(name))).toEqual(matching.map(() => true));
    expect(others.map((name) => matches?.(name))).toEqual(others.map(() => false));
  });

  test("a range that runs backwards is broken", () => expect(compileGlob("eth[9-0]")).toBeUndefined());
});

test("glob characters", () => {
  expect(["*", "eth?", "eth[0]"].map(isGlob)).toEqual([true, true, true]);
  expect(["eth0", "eth0]", "br-1"].map(isGlob)).toEqual([false, false, false]);
});

describe("isInterfacePattern", () => {
  test.each([
    "eth0",
    "auto",
    "br-0123456789ab",
    "eth0.100",
    "veth*",
    "[a-f][0-9]*",
    "wg@home",
    "veth[0123456789]*",
  ])("%p can be one", (text) => expect(isInterfacePattern(text)).toBe(true));
  test.each([
    "",
    ".",
    "..",
    "a b",
    "a/b",
    "a,b",
    "eth0:1",
    "a\tb",
    "sixteen-bytes-xx",
    "ünïcödé-nämé",
    "eth[",
    "eth[]",
    "[9-0]",
  ])("%p cannot", (text) => expect(isInterfacePattern(text)).toBe(false));
});
