import { describe, expect, test } from "bun:test";
import { isKnownLinkType, linkLayer } from "../../../src/capture/link.ts";
import { linkTypeName } from "../../../src/capture/link-names.ts";
import { concat, fields } from "../../support/bytes.ts";
import { arp, ETHER_TYPE, ethernet } from "../../support/frames.ts";

const IPV4 = ETHER_TYPE.ipv4;
const IPV6 = ETHER_TYPE.ipv6;
const IP = Uint8Array.of(0x45, 0, 0, 20);
const IP6 = Uint8Array.of(0x60, 0, 0, 0);

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

function cooked(protocol: number, payload: Uint8Array): Uint8Array {
  return concat(hex("0000 0001 0006 020000000001 0000"), fields([protocol, 2]), payload);
}

function cooked2(protocol: number, payload: Uint8Array): Uint8Array {
  return concat(fields([protocol, 2]), hex("0000 00000002 0001 00 06 020000000001 0000"), payload);
}

const pppoe = (rest: string) => ethernet(0x8864, concat(hex(`11 00 0001 0006 ${rest}`), IP));

test.each<[string, number, Uint8Array, number, number]>([
  ["Ethernet", 1, ethernet(IPV4, IP), IPV4, 14],
  ["Ethernet with ARP", 1, arp("192.0.2.1", "192.0.2.2"), ETHER_TYPE.arp, 14],
  ["one VLAN tag", 1, ethernet(IPV4, IP, { vlans: [{ id: 7 }] }), IPV4, 18],
  [
    "four VLAN tags",
    1,
    ethernet(IPV6, IP6, { vlans: [{ id: 1, tpid: 0x88a8 }, { id: 2, tpid: 0x9100 }, { id: 3 }, { id: 4 }] }),
    IPV6,
    30,
  ],
  [
    "a fifth VLAN tag is not IP",
    1,
    ethernet(IPV4, IP, { vlans: [1, 2, 3, 4, 5].map((id) => ({ id })) }),
    0x8100,
    30,
  ],
  ["LLC and SNAP", 1, ethernet(38, concat(hex("aaaa03 000000 0800"), IP)), IPV4, 22],
  [
    "LLC and SNAP in a VLAN",
    1,
    ethernet(38, concat(hex("aaaa03 000000 86dd"), IP6), { vlans: [{ id: 7 }] }),
    IPV6,
    26,
  ],
  ["SNAP of an organization is not IP", 1, ethernet(38, concat(hex("aaaa03 00000c 0800"), IP)), 0, 14],
  ["LLC with IP's own number", 1, ethernet(23, concat(hex("060603"), IP)), IPV4, 17],
  ["LLC without SNAP is not IP", 1, ethernet(38, concat(hex("424203"), IP)), 0, 14],
  ["LLC cut short is not IP", 1, ethernet(38, hex("aaaa")), 0, 14],
  ["PPPoE with IPv4", 1, pppoe("0021"), IPV4, 22],
  ["PPPoE with IPv6", 1, pppoe("0057"), IPV6, 22],
  ["PPPoE with LCP is not IP", 1, pppoe("c021"), 0, 22],
  [
    "PPPoE discovery in a session is not IP",
    1,
    ethernet(0x8864, concat(hex("11 09 0001 0006 0021"), IP)),
    0,
    14,
  ],
  ["a stack of two MPLS labels", 1, ethernet(0x8847, concat(hex("00010040 00011140"), IP)), IPV4, 22],
  ["MPLS with IPv6", 1, ethernet(0x8847, concat(hex("00011140"), IP6)), IPV6, 18],
  ["a pseudowire over MPLS is not IP", 1, ethernet(0x8847, hex("00011140 00000000")), 0, 18],
  ["MPLS labels without end are not IP", 1, ethernet(0x8847, new Uint8Array(400)), 0, 14],
  ["raw IPv4 by its version", 101, IP, IPV4, 0],
  ["raw IPv6 by its version", 101, IP6, IPV6, 0],
  ["raw IP of another version is not IP", 101, Uint8Array.of(0x50), 0, 0],
  ["raw IP by the number of BSD/OS", 12, IP, IPV4, 0],
  ["raw IP by the number of OpenBSD", 14, IP6, IPV6, 0],
  ["raw IPv4", 228, IP, IPV4, 0],
  ["raw IPv6", 229, IP6, IPV6, 0],
  ["BSD loopback, little-endian", 0, concat(hex("02000000"), IP), IPV4, 4],
  ["BSD loopback, big-endian", 0, concat(hex("00000002"), IP), IPV4, 4],
  ["macOS's IPv6", 0, concat(hex("1e000000"), IP6), IPV6, 4],
  ["FreeBSD's IPv6", 0, concat(hex("0000001c"), IP6), IPV6, 4],
  ["OpenBSD loopback", 108, concat(hex("00000018"), IP6), IPV6, 4],
  ["a family in both ends is not IP", 0, concat(hex("02000002"), IP), 0, 4],
  ["a family in the middle is not IP", 0, concat(hex("00000200"), IP), 0, 4],
  ["PPP with its two bytes in front", 9, concat(hex("ff03 0021"), IP), IPV4, 4],
  ["PPP without them", 9, concat(hex("0057"), IP6), IPV6, 2],
  ["PPP with a protocol of one byte", 50, concat(hex("ff03 21"), IP), IPV4, 3],
  ["MPLS over PPP", 50, concat(hex("ff03 0281 00011140"), IP), IPV4, 8],
  ["Cisco HDLC", 50, concat(hex("0f00 0800"), IP), IPV4, 4],
  ["Linux cooked", 113, cooked(IPV4, IP), IPV4, 16],
  ["Linux cooked with a VLAN tag", 113, cooked(0x8100, concat(hex("0007 86dd"), IP6)), IPV6, 20],
  ["Linux cooked with LLC and SNAP", 113, cooked(4, concat(hex("aaaa03 000000 0800"), IP)), IPV4, 24],
  ["Linux cooked v2", 276, cooked2(IPV6, IP6), IPV6, 20],
  ["Linux cooked v2 with a VLAN tag", 276, cooked2(0x8100, concat(hex("0007 0800"), IP)), IPV4, 24],
])("%s", (_, linkType, bytes, etherType, offset) => {
  expect(isKnownLinkType(linkType)).toBe(true);
  expect(linkLayer(linkType, bytes)).toEqual({ etherType, offset });
});

describe("a frame cut in its link header is not read", () => {
  test.each<[string, number, Uint8Array]>([
    ["Ethernet", 1, ethernet(IPV4, IP).subarray(0, 13)],
    ["VLAN tag", 1, ethernet(IPV4, IP, { vlans: [{ id: 7 }] }).subarray(0, 17)],
    ["MPLS", 1, ethernet(0x8847, hex("000111"))],
    ["MPLS without payload", 1, ethernet(0x8847, hex("00011140"))],
    ["PPPoE", 1, ethernet(0x8864, hex("1100000100"))],
    ["PPPoE without protocol", 1, ethernet(0x8864, hex("110000010006 00"))],
    ["raw IP", 101, new Uint8Array()],
    ["raw IPv4", 228, new Uint8Array()],
    ["loopback", 0, hex("020000")],
    ["PPP", 9, new Uint8Array()],
    ["Cisco HDLC", 50, hex("0f0008")],
    ["Linux cooked", 113, cooked(IPV4, IP).subarray(0, 15)],
    ["Linux cooked v2", 276, cooked2(IPV4, IP).subarray(0, 19)],
  ])("%s", (_, linkType, bytes) => {
    expect(linkLayer(linkType, bytes)).toBeNull();
  });
});

test("an unknown link type is not read, and has a name where there is one", () => {
  expect(isKnownLinkType(105)).toBe(false);
  expect(linkLayer(105, ethernet(IPV4, IP))).toBeNull();
  expect(linkTypeName(105)).toBe("IEEE 802.11 (105)");
  expect(linkTypeName(9999)).toBe("link type 9999");
});
