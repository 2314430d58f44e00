import { describe, expect, test } from "bun:test";
import { type DecodedPacket, decodePacket } from "../../../src/capture/decode.ts";
import { linkLayer } from "../../../src/capture/link.ts";
import { addressBytes, concat, withUint16 } from "../../support/bytes.ts";
import {
  type Extension,
  ETHER_TYPE,
  fragments,
  frame,
  type FrameSpec,
  ipPacket,
  pattern,
  TCP,
  tunnel,
} from "../../support/frames.ts";

const V4 = { source: "192.0.2.1", destination: "198.51.100.2" };
const V6 = { source: "2001:db8::1", destination: "2001:db8::2" };
const UDP = { kind: "udp", sourcePort: 5353, destinationPort: 53, payload: pattern(33) } as const;
const SEGMENT = {
  kind: "tcp",
  sourcePort: 443,
  destinationPort: 40_000,
  sequence: 0xfffffff0,
  acknowledgment: 7,
  flags: TCP.ack | TCP.psh,
  window: 500,
  payload: pattern(50),
} as const;

function decode(bytes: Uint8Array, wireLength = bytes.length): DecodedPacket {
  const link = linkLayer(1, bytes);
  if (link === null) throw new Error("no link header");
  const packet = decodePacket(link.etherType, bytes, link.offset, wireLength);
  if (typeof packet === "string") throw new Error(packet);
  return packet;
}

/** The class of an IPv4 packet, or of an IPv6 packet. */
function classOf(packet: Uint8Array, etherType: number = ETHER_TYPE.ipv4, wireLength = packet.length) {
  const decoded = decodePacket(etherType, packet, 0, wireLength);
  return typeof decoded === "string" ? decoded : "ip";
}

describe.each([
  ["IPv4", V4],
  ["IPv6", V6],
])("%s", (name, ends) => {
  test("with TCP gives ends, header fields and payload", () => {
    const spec = { ...ends, transport: { ...SEGMENT, options: pattern(9) } };
    expect(decode(frame(spec))).toEqual({
      ipv6: name === "IPv6",
      protocol: 6,
      source: addressBytes(ends.source),
      destination: addressBytes(ends.destination),
      sourcePort: 443,
      destinationPort: 40_000,
      tcp: { sequence: 0xfffffff0, acknowledgment: 7, flags: 0x18, window: 500 },
      payload: pattern(50),
      payloadLength: 50,
      fragment: null,
    });
  });

  test("with UDP gives ports and payload", () => {
    const packet = decode(frame({ ...ends, transport: UDP }));
    expect(packet).toMatchObject({ protocol: 17, sourcePort: 5353, destinationPort: 53, tcp: null });
    expect(packet.payload).toEqual(pattern(33));
    expect(packet.payloadLength).toBe(33);
  });

  test("leaves out the padding of a short Ethernet frame", () => {
    const padded = concat(frame({ ...ends, transport: { ...UDP, payload: pattern(2) } }), new Uint8Array(18));
    expect(decode(padded).payload).toEqual(pattern(2));
    const empty = concat(frame({ ...ends, transport: { ...SEGMENT, payload: pattern(0) } }), pattern(6));
    expect(decode(empty)).toMatchObject({ payloadLength: 0, payload: new Uint8Array() });
  });

  test("cut by the capture keeps the payload's length on the wire", () => {
    const whole = frame({ ...ends, transport: SEGMENT });
    const packet = decode(whole.subarray(0, whole.length - 30), whole.length);
    expect(packet.payload).toEqual(pattern(20));
    expect(packet.payloadLength).toBe(50);
  });

  test("cut by the capture before the end of the header has what is there", () => {
    const whole = frame({ ...ends, transport: SEGMENT });
    const ports = decode(whole.subarray(0, whole.length - 50 - 16), whole.length);
    expect(ports).toMatchObject({ sourcePort: 443, destinationPort: 40_000, tcp: null, payloadLength: 0 });
    const none = decode(whole.subarray(0, whole.length - 50 - 17), whole.length);
    expect(none).toMatchObject({ sourcePort: 0, destinationPort: 0, tcp: null });
  });

  test("with SCTP has ports", () => {
    const transport = { kind: "sctp", sourcePort: 3868, destinationPort: 9, payload: pattern(8) } as const;
    expect(decode(frame({ ...ends, transport }))).toMatchObject({
      protocol: 132,
      sourcePort: 3868,
      destinationPort: 9,
    });
  });

  test("with ICMP has no ports, and all of the message is payload", () => {
    const packet = decode(frame({ ...ends, transport: { kind: "icmp", payload: pattern(10) } }));
    expect(packet).toMatchObject({ sourcePort: 0, destinationPort: 0, payloadLength: 18 });
    expect(packet.payload.subarray(8)).toEqual(pattern(10));
  });

  test("with a packet inside is not looked into", () => {
    const packet = decode(tunnel(ends, { ...V4, transport: UDP }, "ip"));
    expect(packet).toMatchObject({ protocol: 4, sourcePort: 0, destinationPort: 0 });
    expect(packet.source).toEqual(addressBytes(ends.source));
  });

  test("cut anywhere, at any length on the wire, never throws", () => {
    const whole = ipPacket({ ...ends, transport: SEGMENT });
    const etherType = name === "IPv4" ? ETHER_TYPE.ipv4 : ETHER_TYPE.ipv6;
    for (let length = 0; length <= whole.length; length++) {
      for (const wireLength of [length, whole.length]) {
        const packet = decodePacket(etherType, whole.subarray(0, length), 0, wireLength);
        if (typeof packet === "string") continue;
        expect(packet.payload.length).toBeLessThanOrEqual(packet.payloadLength);
      }
    }
  });
});

test("IPv4 options are stepped over", () => {
  const packet = decode(frame({ ...V4, options: pattern(11), transport: UDP }));
  expect(packet).toMatchObject({ sourcePort: 5353, payloadLength: 33 });
});

test("a total length of 0 stands for all that the frame has", () => {
  const packet = withUint16(frame({ ...V4, transport: SEGMENT }), 16, 0);
  expect(decode(packet)).toMatchObject({ payloadLength: 50, payload: pattern(50) });
});

test("a UDP length counts where it is shorter than IP's", () => {
  const packet = (length: number) => decode(frame({ ...V4, transport: { ...UDP, length } }));
  expect(packet(20)).toMatchObject({ payloadLength: 12, payload: pattern(12) });
  expect(packet(9999)).toMatchObject({ payloadLength: 33 });
  for (const length of [0, 7]) {
    expect(packet(length)).toMatchObject({ sourcePort: 5353, payloadLength: 0, payload: new Uint8Array() });
  }
});

test("a UDP length of 0 in IPv6 is that of a jumbogram", () => {
  const packet = frame({ ...V6, transport: { ...UDP, length: 0 } });
  expect(decode(packet)).toMatchObject({ payloadLength: 33, payload: pattern(33) });
  expect(decode(withUint16(packet, 18, 0))).toMatchObject({ payloadLength: 33 });
});

test("UDP-Lite has no length in its header", () => {
  const bytes = concat(Uint8Array.of(0, 1, 0, 2, 0, 8, 0, 0), pattern(5));
  const transport = { kind: "raw", protocol: 136, payload: bytes } as const;
  expect(decode(frame({ ...V4, transport }))).toMatchObject({ sourcePort: 1, payload: pattern(5) });
});

test.each([0, 4, 15])("a TCP header of %i words, which cannot be, has no payload", (words) => {
  const bytes = frame({ ...V4, transport: { ...SEGMENT, payload: pattern(30) } });
  bytes[14 + 20 + 12] = words << 4;
  const packet = decode(bytes);
  expect(packet.payload).toHaveLength(0);
  expect(packet).toMatchObject({ sourcePort: 443, tcp: { window: 500 } });
  // As the kernel counts it.
  expect(packet.payloadLength).toBe(Math.max(0, 50 - words * 4));
});

describe("the class of what has no IP header that makes sense", () => {
  const ipv4 = ipPacket({ ...V4, transport: UDP });
  const ipv6 = ipPacket({ ...V6, transport: UDP });
  const with0 = (bytes: Uint8Array, first: number) => {
    const out = bytes.slice();
    out[0] = first;
    return out;
  };

  test.each<[string, string, Uint8Array, number]>([
    ["ARP", "not_ip", ipv4, ETHER_TYPE.arp],
    ["no EtherType", "not_ip", ipv4, 0],
    ["IPv4 cut in its header", "malformed", ipv4.subarray(0, 19), ETHER_TYPE.ipv4],
    ["IPv4 of version 6", "malformed", with0(ipv4, 0x65), ETHER_TYPE.ipv4],
    ["a header of 16 bytes", "malformed", with0(ipv4, 0x44), ETHER_TYPE.ipv4],
    ["a header longer than the frame", "malformed", with0(ipv4.subarray(0, 59), 0x4f), ETHER_TYPE.ipv4],
    ["a header that fills the frame", "ip", with0(ipv4.subarray(0, 60), 0x4f), ETHER_TYPE.ipv4],
    ["a total length below the header's", "malformed", withUint16(ipv4, 2, 19), ETHER_TYPE.ipv4],
    ["a header and nothing else", "ip", withUint16(ipv4, 2, 20), ETHER_TYPE.ipv4],
    ["IPv6 cut in its header", "malformed", ipv6.subarray(0, 39), ETHER_TYPE.ipv6],
    ["IPv6 of version 4", "malformed", with0(ipv6, 0x45), ETHER_TYPE.ipv6],
    ["an IPv6 header and nothing else", "ip", ipv6.subarray(0, 40), ETHER_TYPE.ipv6],
  ])("%s is %s", (_, expected, bytes, etherType) => {
    expect(classOf(bytes, etherType)).toBe(expected);
  });
});

describe("IPv6 extension headers", () => {
  const every: Extension[] = [
    { type: "hop_by_hop" },
    { type: "destination", data: pattern(20) },
    { type: "routing", data: pattern(14) },
    { type: "authentication", data: pattern(22) },
    { type: "mobility", data: pattern(6) },
  ];
  const repeated = (count: number): FrameSpec => ({
    ...V6,
    extensions: Array.from({ length: count }, () => ({ type: "destination" })),
    transport: UDP,
  });

  test("are stepped over", () => {
    expect(decode(frame({ ...V6, extensions: every, transport: SEGMENT }))).toMatchObject({
      protocol: 6,
      sourcePort: 443,
      payload: pattern(50),
    });
  });

  test("are followed as far as the kernel does, eight of them", () => {
    expect(decode(frame(repeated(8)))).toMatchObject({ protocol: 17, sourcePort: 5353, payloadLength: 33 });
    expect(decode(frame(repeated(9)))).toMatchObject({
      protocol: 60,
      sourcePort: 0,
      payloadLength: 0,
      fragment: null,
    });
  });

  test("cut short leave the packet on its addresses", () => {
    const packet = decode(frame(repeated(2)).subarray(0, 14 + 40 + 8 + 2));
    expect(packet).toMatchObject({ protocol: 60, sourcePort: 0, payload: new Uint8Array() });
    expect(packet.source).toEqual(addressBytes(V6.source));
  });

  test("with a fragment header of a packet that is whole are stepped over", () => {
    const [only] = fragments({ ...V6, transport: UDP }, 1000);
    expect(decode(only ?? new Uint8Array())).toMatchObject({ sourcePort: 5353, fragment: null });
  });
});

describe.each([
  ["IPv4", { ...V4, identification: 777 }],
  ["IPv6", { ...V6, identification: 0x12345678, extensions: [{ type: "destination" as const }] }],
])("fragments of %s", (_, ends) => {
  test("tell where their payload lies, and the first has the ports", () => {
    const [first, second, last] = fragments({ ...ends, transport: UDP }, 16).map((each) => decode(each));
    const id = ends.identification;
    expect(first).toMatchObject({ sourcePort: 5353, payload: pattern(33).subarray(0, 8) });
    expect(first?.fragment).toEqual({ id, offset: 8, more: true, isFirst: true, isHeaderCut: false });
    expect(second).toMatchObject({ protocol: 17, sourcePort: 0, payload: pattern(33).subarray(8, 24) });
    expect(second?.fragment).toEqual({ id, offset: 16, more: true, isFirst: false, isHeaderCut: false });
    expect(last).toMatchObject({ payloadLength: 9, payload: pattern(33).subarray(24) });
    expect(last?.fragment).toEqual({ id, offset: 32, more: false, isFirst: false, isHeaderCut: false });
  });

  test("too short for a transport header say so", () => {
    const [first, second] = fragments({ ...ends, transport: SEGMENT }, 8).map((each) => decode(each));
    if (first === undefined || second === undefined) throw new Error("no fragment");
    expect(first).toMatchObject({ sourcePort: 443, tcp: null });
    expect(first.fragment).toMatchObject({ isFirst: true, isHeaderCut: true });
    expect(first.payload).toHaveLength(8);
    expect((second.fragment?.offset ?? 0) - (first.fragment?.offset ?? 0)).toBe(8);
  });
});
