import { describe, expect, test } from "bun:test";
import { formatFilter } from "../../../src/filter/format.ts";
import { conversationOnly, filterNeeds, filterWeight, simplifyForRollup } from "../../../src/filter/needs.ts";
import { parseFilter } from "../../../src/filter/parse.ts";
import type { FilterExpression } from "../../../src/filter/types.ts";

function parsed(text: string): FilterExpression {
  const filter = parseFilter(text);
  if (filter === null) throw new Error("no filter");
  return filter;
}

describe("what a filter needs besides the conversation", () => {
  test.each([
    ["host 10.0.0.1 and client ::1 and not server net 10.0.0.0/8", []],
    ["server port 443 and tcp and iface eth0", []],
    ["domain *.a.com or source sni or alpn h2 or ja4 t13*", []],
    ["port 443", ["client_port"]],
    ["client port 443", ["client_port"]],
    ["src host 10.0.0.1", ["packet_source"]],
    ["tcp and (udp or not dst port 53)", ["packet_source", "client_port"]],
    ["bytes > 1", ["row_numbers"]],
    ["rtt > 1ms or retrans > 0 or packets > 1", ["row_numbers"]],
    ["ingress", ["direction"]],
    ["state closed", ["state"]],
  ] as const)("%s", (text, needs) => {
    expect([...filterNeeds(parsed(text))]).toEqual([...needs]);
    expect(conversationOnly(parsed(text))).toBe(needs.length === 0);
  });
});

describe("for sums without the client's port and the sender of packets", () => {
  test.each([
    ["port 443", "server port 443"],
    ["dst port 443", "server port 443"],
    ["src host 10.0.0.1 and dst 10.0.0.2", "client host 10.0.0.1 and server host 10.0.0.2"],
    ["host 10.0.0.1 or egress", "host 10.0.0.1 or dir egress"],
    ["client port 40000", false],
    ["src port 443", false],
    ["not client port 40000", true],
    ["tcp and client port 40000", false],
    ["tcp or client port 40000", "proto tcp"],
    ["tcp and not client port 40000", "proto tcp"],
    ["tcp or not client port 40000", true],
    ["tcp or udp or src port 1", "proto tcp or proto udp"],
    ["not (tcp and src port 1 or port 53)", "not server port 53"],
    ["src port 1 or client port 2", false],
    ["not src port 1 and not client port 2", true],
  ] as const)("%s", (text, simple) => {
    const found = simplifyForRollup(parsed(text));
    expect(typeof found === "boolean" ? found : formatFilter(found)).toBe(simple);
  });
});

test("a long filter weighs more", () => {
  expect(filterWeight(parsed("tcp"))).toBe(1);
  expect(filterWeight(parsed(Array.from({ length: 64 }, () => "tcp").join("||")))).toBe(4);
});
