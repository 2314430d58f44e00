import { describe, expect, test } from "bun:test";
import { createAllowList } from "../../../src/api/addresses.ts";
import { isCidr, parseListenAddress } from "../../../src/config/network.ts";

describe("isCidr", () => {
  const right = [
    "192.0.2.7",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "10.1.2.3/8",
    "::1",
    "2001:db8::/32",
    "::/0",
    "::ffff:10.0.0.0/104",
    "::ffff:10.0.0.1",
  ];
  test.each(right)("%p is right", (text) => expect(isCidr(text)).toBe(true));

  test.each(right)("the API takes %p too", (text) => expect(() => createAllowList([text])).not.toThrow());

  test.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "010.0.0.1",
    "256.0.0.1",
    "2001:db8::/129",
    "::ffff:10.0.0.0/8",
    "fe80::1%eth0",
    "localhost",
    " 10.0.0.1",
  ])("%p is wrong", (text) => expect(isCidr(text)).toBe(false));
});

describe("parseListenAddress", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    [" 0.0.0.0 ", "0.0.0.0"],
    ["::", "::"],
    ["[::1]", "::1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["localhost", "127.0.0.1"],
    ["LocalHost", "127.0.0.1"],
  ])("%p is %p", (text, address) => expect(parseListenAddress(text)).toBe(address));

  test.each(["", "eth0", "127.1", "[127.0.0.1]", "127.0.0.1:3000", "[::1]:3000", "*", "fe80::1%eth0"])(
    "%p is not one",
    (text) => expect(parseListenAddress(text)).toBeUndefined(),
  );
});
