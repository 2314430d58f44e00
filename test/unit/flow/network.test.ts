import { expect, test } from "bun:test";
import ipaddr from "ipaddr.js";
import { parseAddress } from "../../../src/flow/address.ts";
import { isNetwork, networkRange, parseNetwork } from "../../../src/flow/network.ts";

const bytes = (text: string) => parseAddress(text) ?? new Uint8Array();

test.each([
  ["10.0.0.0/8", "10.0.0.0", "10.255.255.255"],
  ["10.1.2.3/31", "10.1.2.2", "10.1.2.3"],
  ["192.0.2.7", "192.0.2.7", "192.0.2.7"],
  ["0.0.0.0/0", "0.0.0.0", "255.255.255.255"],
  ["2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"],
  ["fe80::1", "fe80::1", "fe80::1"],
])("%s goes from %s to %s", (text, first, last) => {
  expect(networkRange(text)).toEqual({ first: bytes(first), last: bytes(last) });
});

test("contains what another library says it contains, and nothing of the other family", () => {
  for (let prefix = 0; prefix <= 32; prefix++) {
    const network = parseNetwork(`172.20.99.5/${prefix}`);
    const oracle = ipaddr.parseCIDR(`172.20.99.5/${prefix}`) as [ipaddr.IPv4, number];
    for (const address of [
      "172.20.99.5",
      "172.20.99.4",
      "172.20.98.5",
      "172.21.0.0",
      "172.0.0.1",
      "10.0.0.1",
    ]) {
      expect([prefix, address, network.contains(bytes(address))]).toEqual([
        prefix,
        address,
        ipaddr.IPv4.parse(address).match(oracle),
      ]);
    }
    expect(network.contains(bytes("::"))).toBe(false);
  }
});

test.each([
  "",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0/8",
  "::/129",
  "fe80::1%eth0",
  "10.0.0.0/-1",
])("%p is refused", (text) => {
  expect(isNetwork(text)).toBe(false);
  expect(networkRange(text)).toBeNull();
  expect(() => parseNetwork(text)).toThrow(`"${text}" is neither an IP address nor a network`);
});
