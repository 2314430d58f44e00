import { describe, expect, test } from "bun:test";
import { parseFilter } from "../../../src/filter/parse.ts";
import { addTerm, checkFilter, termOf, termsOf } from "../../../src/page/filter/edit.ts";

test("a mistake has its place", () => {
  expect(checkFilter("")).toEqual({ isValid: true, expression: null });
  expect(checkFilter("port 443 and proot tcp")).toMatchObject({ isValid: false, at: 13, length: 5 });
});

describe("adding a term", () => {
  test.each([
    ["", "port 443", "port 443"],
    ["tcp", "port 443", "tcp and port 443"],
    ["tcp or udp", "port 443", "(tcp or udp) and port 443"],
    ["tcp and port 443", "port 443", "tcp and port 443"],
    ["port 443", "port 443", "port 443"],
    ["not a filter (", "port 443", "port 443"],
  ])("%j and %j", (text, term, expected) => {
    expect(addTerm(text, term)).toBe(expected);
    expect(() => parseFilter(expected)).not.toThrow();
  });
});

test("every value there can be makes a term that is a filter", () => {
  const values: [string, string | number | null][] = [
    ["domain", null],
    ["domain", "none"],
    ["domain", '<img/src=x/onerror="alert(1)">'],
    ["domain", "a\\032b(c)"],
    ["registered_domain", "example.co.uk"],
    ["client", "2001:db8::1"],
    ["server", "192.0.2.1"],
    ["server_port", 443],
    ["protocol", "TCP"],
    ["protocol", "ICMPv6"],
    ["protocol", "IP(47)"],
    ["interface", "eth0"],
    ["interface", "veth1/br0/eth0"],
  ];
  for (const [key, value] of values) {
    const term = termOf(key, value);
    expect(term).not.toBeNull();
    expect(() => parseFilter(`tcp and not ${term}`)).not.toThrow();
  }
});

test("what crosses several interfaces is asked for by all of them, in one term", () => {
  expect(termOf("interface", "veth1/br0")).toBe("(iface veth1 and iface br0)");
  expect(addTerm("tcp", "(iface veth1 and iface br0)")).toBe("tcp and (iface veth1 and iface br0)");
});

test("what a filter cannot ask for makes no term", () => {
  expect(termOf("source", "sni")).toBeNull();
  expect(termOf("domain", "a b")).toBeNull();
  expect(termOf("domain", "*.*")).toBeNull();
  expect(termOf("client", "nonsense")).toBeNull();
});

test("a conversation is all of its values", () => {
  const q = termsOf({
    client: "10.0.0.1",
    server: "192.0.2.1",
    server_port: 443,
    protocol: "TCP",
    domain: null,
  });
  expect(q).toBe("client 10.0.0.1 and server 192.0.2.1 and server port 443 and proto tcp and domain none");
  expect(() => parseFilter(q)).not.toThrow();
});
