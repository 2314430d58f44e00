import { expect, test } from "bun:test";
import { type DecodedPacket, decodePacket } from "../../../src/capture/decode.ts";
import { quotedPacket } from "../../../src/capture/icmp.ts";
import { addressBytes, concat } from "../../support/bytes.ts";
import { ETHER_TYPE, fragments, ipPacket, pattern } from "../../support/frames.ts";

const V4 = { source: "192.0.2.1", destination: "198.51.100.2" };
const V6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const QUERY = { kind: "udp", sourcePort: 5000, destinationPort: 53, payload: pattern(40) } as const;

function decode(packet: Uint8Array): DecodedPacket {
  const etherType = (packet[0] ?? 0) >> 4 === 4 ? ETHER_TYPE.ipv4 : ETHER_TYPE.ipv6;
  const decoded = decodePacket(etherType, packet, 0, packet.length);
  if (typeof decoded === "string") throw new Error(decoded);
  return decoded;
}

/** The error message that a router sends about `quote`; `second` is the header's second word. */
function error(ends: typeof V4, type: number, quote: Uint8Array, second = 0): DecodedPacket {
  const transport = { kind: "icmp", type, payload: quote } as const;
  const identifier = second >>> 16;
  return decode(ipPacket({ ...ends, transport: { ...transport, identifier, sequence: second & 0xffff } }));
}

test.each([
  ...[3, 4, 5, 11, 12].map((type) => ["ICMP", type, V4] as const),
  ...[1, 2, 3, 4].map((type) => ["ICMPv6", type, V6] as const),
])("%s type %i quotes a packet", (_, type, ends) => {
  const quoted = quotedPacket(error(ends, type, ipPacket({ ...ends, transport: QUERY })));
  expect(quoted).toMatchObject({ protocol: 17, sourcePort: 5000, destinationPort: 53, payloadLength: 40 });
  expect(quoted?.payload).toEqual(pattern(40));
  expect(quoted?.destination).toEqual(addressBytes(ends.destination));
});

test.each([
  ...[0, 8, 13].map((type) => ["ICMP", type, V4] as const),
  ...[0, 5, 128, 129, 135].map((type) => ["ICMPv6", type, V6] as const),
])("%s type %i quotes none", (_, type, ends) => {
  expect(quotedPacket(error(ends, type, ipPacket({ ...ends, transport: QUERY })))).toBeNull();
});

test("a quote cut to eight bytes of transport has the ports and the length there was", () => {
  const quote = ipPacket({ ...V4, transport: QUERY }).subarray(0, 28);
  expect(quotedPacket(error(V4, 3, quote))).toMatchObject({
    sourcePort: 5000,
    destinationPort: 53,
    payload: new Uint8Array(),
    payloadLength: 40,
  });
});

test.each([
  ["ICMP", V4, 3, 5, 33],
  ["ICMPv6", V6, 1, 4, 17],
])("extensions behind a quote in %s are not part of it", (_, ends, type, at, units) => {
  // The quoted packet was longer than its quote.
  const packet = ipPacket({ ...ends, transport: { ...QUERY, payload: pattern(400) } });
  const length = units * (ends === V4 ? 4 : 8);
  const message = concat(packet.subarray(0, length), new Uint8Array(16).fill(0xee));
  const second = units << (at === 5 ? 16 : 24);
  const headers = ends === V4 ? 28 : 48;
  const quoted = quotedPacket(error(ends, type, message, second));
  expect(quoted?.payload).toEqual(pattern(400).subarray(0, length - headers));
  expect(quoted?.payloadLength).toBe(400);
});

test("a length below what RFC 4884 allows is not one", () => {
  const quote = ipPacket({ ...V4, transport: QUERY });
  expect(quotedPacket(error(V4, 3, quote, 1 << 16))?.payload).toEqual(pattern(40));
});

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array()],
  ["less than an IP header", ipPacket({ ...V4, transport: QUERY }).subarray(0, 19)],
  ["a packet of the other version", ipPacket({ ...V6, transport: QUERY })],
])("a quote of %s is none", (_, quote) => {
  expect(quotedPacket(error(V4, 3, quote))).toBeNull();
});

test("a later fragment of an ICMP message quotes nothing", () => {
  const quote = ipPacket({ ...V4, transport: QUERY });
  const transport = { kind: "icmp", type: 3, payload: quote } as const;
  const [first, second] = fragments({ ...V4, transport }, 48).map((each) => decode(each.subarray(14)));
  expect(first && quotedPacket(first)).toMatchObject({ sourcePort: 5000 });
  second?.payload.set([3]);
  expect(second && quotedPacket(second)).toBeNull();
});

test("another protocol quotes nothing", () => {
  const payload = concat(Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0), ipPacket({ ...V4, transport: QUERY }));
  const transport = { kind: "raw", protocol: 58, payload } as const;
  expect(quotedPacket(decode(ipPacket({ ...V4, transport })))).toBeNull();
});
