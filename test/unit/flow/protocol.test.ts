import { expect, test } from "bun:test";
import { parseProtocol, protocolName } from "../../../src/flow/protocol.ts";

test("every protocol number has a name that reads back", () => {
  for (let number = 0; number < 256; number++) expect(parseProtocol(protocolName(number))).toBe(number);
});

test.each([
  [6, "TCP"],
  [17, "UDP"],
  [1, "ICMP"],
  [58, "ICMPv6"],
  [132, "SCTP"],
  [47, "GRE"],
  [253, "IP(253)"],
])("%d is %s", (number, name) => {
  expect(protocolName(number)).toBe(name);
});

test.each([
  ["tcp", 6],
  ["icmpV6", 58],
  ["0", 0],
  ["255", 255],
  ["256", null],
  ["-1", null],
  ["", null],
  ["ip()", null],
  ["http", null],
])("%p reads as %p", (text, number) => {
  expect(parseProtocol(text)).toBe(number);
});
