import { describe, expect, test } from "bun:test";
import { concat, fields } from "../support/bytes.ts";
import {
  arp,
  ethernet,
  type FrameSpec,
  fragments,
  frame,
  ipPacket,
  PROTOCOL,
  pattern,
  type Transport,
  tunnel,
} from "../support/frames.ts";
import { NEXT, PacketLab } from "./harness.ts";

const V4 = { source: "10.1.2.3", destination: "192.0.2.9" };
const V6 = { source: "fd00::1:2", destination: "2001:db8::9" };
const udp = (size = 20): Transport => ({
  kind: "udp",
  sourcePort: 40000,
  destinationPort: 53,
  payload: pattern(size),
});
const tcp = (size = 20): Transport => ({
  kind: "tcp",
  sourcePort: 40000,
  destinationPort: 443,
  payload: pattern(size),
});

/** The one connection that `frames` made. */
function only(frames: Uint8Array[]) {
  using lab = new PacketLab();
  for (const bytes of frames) expect(lab.run(bytes)).toBe(NEXT);
  const connections = lab.connections();
  expect(connections).toHaveLength(1);
  const total = frames.reduce((sum, bytes) => sum + bytes.length, 0);
  expect(lab.totals()).toMatchObject({ attributed: frames.length, packets: frames.length, bytes: total });
  return connections[0];
}

/** PPPoE's session header (RFC 2516) with PPP's protocol; one MPLS label (RFC 3032). */
const pppoe = (protocol: number, packet: Uint8Array) =>
  concat(fields([0x11, 1], [0, 1], [7, 2], [packet.length + 2, 2], [protocol, 2]), packet);
const label = (isBottom: boolean) => fields([0x00010000 | (isBottom ? 0x100 : 0) | 64, 4]);

describe("behind PPPoE and MPLS", () => {
  const v4 = ipPacket({ ...V4, transport: tcp() });
  const v6 = ipPacket({ ...V6, transport: udp() });
  test.each([
    ["PPPoE", 0x8864, pppoe(0x0021, v4), "192.0.2.9 443"],
    ["PPPoE, IPv6", 0x8864, pppoe(0x0057, v6), "2001:db8::9 53"],
    ["one MPLS label", 0x8847, concat(label(true), v4), "192.0.2.9 443"],
    [
      "three MPLS labels, IPv6",
      0x8847,
      concat(label(false), label(false), label(true), v6),
      "2001:db8::9 53",
    ],
  ])("IP in %s has its ports", (_, type, payload, server) => {
    expect(only([ethernet(type, payload)])).toMatchObject({ server });
    expect(only([ethernet(type, payload, { vlans: [{ id: 3 }] })])).toMatchObject({ server });
  });

  test.each([
    ["PPP that is no IP", 0x8864, pppoe(0xc021, v4)],
    ["PPPoE discovery", 0x8864, concat(fields([0x11, 1], [9, 1]), v4)],
    ["a stack without a bottom", 0x8847, concat(...Array.from({ length: 20 }, () => label(false)))],
    ["a pseudowire", 0x8847, concat(label(true), fields([0, 4]), v4)],
    ["a cut header", 0x8864, fields([0x11, 1], [0, 1], [7, 2])],
  ])("%s is no connection", (_, type, payload) => {
    using lab = new PacketLab();
    expect(lab.run(ethernet(type, payload))).toBe(NEXT);
    expect(lab.totals()).toMatchObject({ attributed: 0, notIp: 1 });
  });
});

describe("5-tuple", () => {
  const cases: [string, FrameSpec, { protocol: number; client: string; server: string }][] = [
    [
      "UDP over IPv4",
      { ...V4, transport: udp() },
      { protocol: 17, client: "10.1.2.3 40000", server: "192.0.2.9 53" },
    ],
    [
      "TCP over IPv4",
      { ...V4, transport: tcp() },
      { protocol: 6, client: "10.1.2.3 40000", server: "192.0.2.9 443" },
    ],
    [
      "UDP over IPv6",
      { ...V6, transport: udp() },
      { protocol: 17, client: "fd00::1:2 40000", server: "2001:db8::9 53" },
    ],
    [
      "TCP over IPv6",
      { ...V6, transport: tcp() },
      { protocol: 6, client: "fd00::1:2 40000", server: "2001:db8::9 443" },
    ],
    [
      "SCTP",
      { ...V4, transport: { kind: "sctp", sourcePort: 7, destinationPort: 9, payload: pattern(8) } },
      { protocol: 132, client: "10.1.2.3 7", server: "192.0.2.9 9" },
    ],
    [
      "ICMP",
      { ...V4, transport: { kind: "icmp" } },
      { protocol: 1, client: "10.1.2.3 0", server: "192.0.2.9 0" },
    ],
    [
      "ICMPv6",
      { ...V6, transport: { kind: "icmp" } },
      { protocol: 58, client: "fd00::1:2 0", server: "2001:db8::9 0" },
    ],
    [
      "ESP",
      { ...V4, transport: { kind: "raw", protocol: PROTOCOL.esp, payload: pattern(30) } },
      { protocol: 50, client: "10.1.2.3 0", server: "192.0.2.9 0" },
    ],
  ];
  test.each(cases)("%s", (_name, spec, expected) => {
    expect(only([frame(spec)])).toMatchObject(expected);
  });

  test("a tunnel counts on its outer addresses", () => {
    const bytes = tunnel(V4, { ...V6, transport: tcp() });
    expect(only([bytes])).toMatchObject({ protocol: PROTOCOL.gre, client: "10.1.2.3 0" });
  });

  test("IPv4 and the IPv6 that maps it are two connections", () => {
    using lab = new PacketLab();
    lab.run(frame({ source: "1.2.3.4", destination: "5.6.7.8", transport: udp() }));
    lab.run(frame({ source: "::ffff:1.2.3.4", destination: "::ffff:5.6.7.8", transport: udp() }));
    expect(lab.connections().map((one) => one.ipv6)).toEqual([false, true]);
  });

  test("ends with the same address and port", () => {
    const same = { source: "10.0.0.1", destination: "10.0.0.1" };
    const transport: Transport = { kind: "udp", sourcePort: 5, destinationPort: 5 };
    expect(only([frame({ ...same, transport })])).toMatchObject({
      sent: { packets: 1 },
      received: { packets: 0 },
    });
  });

  test("ARP has no connection", () => {
    using lab = new PacketLab();
    const bytes = arp("10.0.0.1", "10.0.0.2");
    expect(lab.run(bytes)).toBe(NEXT);
    expect(lab.totals()).toMatchObject({ notIp: 1, packets: 1, bytes: bytes.length });
    expect(lab.connections()).toHaveLength(0);
  });
});

describe("VLAN tags", () => {
  const tags = {
    vlan: [{ id: 5 }],
    qinq: [{ id: 5, tpid: 0x88a8 }, { id: 6 }],
    old: [{ id: 5, tpid: 0x9100 }, { id: 6 }],
  };
  for (const [name, vlans] of Object.entries(tags)) {
    test(`${name} over IPv4 and IPv6`, () => {
      expect(only([frame({ ...V4, transport: tcp(), vlans })])).toMatchObject({ server: "192.0.2.9 443" });
      expect(only([frame({ ...V6, transport: udp(), vlans })])).toMatchObject({ server: "2001:db8::9 53" });
    });
  }

  test("tagged and untagged packets of one 5-tuple are one connection", () => {
    const spec = { ...V4, transport: tcp() };
    expect(only([frame(spec), frame({ ...spec, vlans: [{ id: 9 }] })])).toMatchObject({
      sent: { packets: 2 },
    });
  });

  test("three tags are not looked through", () => {
    using lab = new PacketLab();
    lab.run(frame({ ...V4, transport: tcp(), vlans: [{ id: 1 }, { id: 2 }, { id: 3 }] }));
    expect(lab.totals()).toMatchObject({ notIp: 1, attributed: 0 });
  });
});

describe("IPv4 options", () => {
  for (let words = 0; words <= 10; words++) {
    test(`${words * 4} bytes`, () => {
      const options = new Uint8Array(words * 4).fill(1);
      expect(only([frame({ ...V4, transport: tcp(), options })])).toMatchObject({
        client: "10.1.2.3 40000",
        protocol: 6,
      });
      expect(only([frame({ ...V4, transport: udp(), options })])).toMatchObject({ client: "10.1.2.3 40000" });
    });
  }
});

describe("IPv6 extension headers", () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, index) => ({
      type:
        (["destination", "routing", "hop_by_hop", "authentication", "mobility"] as const)[index % 5] ??
        "routing",
      data: pattern(index * 5),
    }));
  for (let length = 1; length <= 8; length++) {
    test(`a chain of ${length}`, () => {
      const spec = { ...V6, transport: tcp(), extensions: chain(length) };
      expect(only([frame(spec)])).toMatchObject({
        protocol: 6,
        client: "fd00::1:2 40000",
        server: "2001:db8::9 443",
      });
    });
  }

  test("a longer chain counts on its addresses", () => {
    const extensions = Array.from({ length: 9 }, () => ({ type: "destination" as const }));
    const seen = only([frame({ ...V6, transport: tcp(), extensions })]);
    expect(seen).toMatchObject({ client: "fd00::1:2 0", server: "2001:db8::9 0" });
  });
});

describe("fragments", () => {
  for (const ends of [V4, V6]) {
    test(`of ${ends.source}: the first has ports, the others count on their addresses`, () => {
      using lab = new PacketLab();
      const frames = fragments({ ...ends, transport: udp(3000) }, 1000);
      expect(frames).toHaveLength(4);
      for (const bytes of frames) lab.run(bytes);
      const seen = lab.connections();
      const length = (from: number, to: number) =>
        frames.slice(from, to).reduce((sum, one) => sum + one.length, 0);
      expect(seen.map((one) => [one.client, one.protocol, one.sent])).toEqual([
        [`${ends.source} 40000`, 17, { packets: 1, bytes: length(0, 1) }],
        [`${ends.source} 0`, 17, { packets: 3, bytes: length(1, 4) }],
      ]);
      expect(lab.totals()).toMatchObject({ attributed: 4, bytes: length(0, 4) });
    });
  }
});

describe("GSO", () => {
  const bytes = frame({ ...V4, transport: tcp(3000) });
  const header = 14 + 20 + 20;

  test("segments count as packets, their headers as bytes", () => {
    using lab = new PacketLab();
    expect(lab.run(bytes, { direction: "egress", gsoSize: 750, gsoSegs: 4 })).toBe(NEXT);
    expect(lab.connections()[0]?.sent).toEqual({ packets: 4, bytes: bytes.length + 3 * header });
    expect(lab.totals()).toMatchObject({ attributed: 4, bytes: bytes.length + 3 * header });
  });

  test("a segment count left empty follows from the segment size", () => {
    using lab = new PacketLab();
    lab.run(bytes, { gsoSize: 1400 });
    expect(lab.totals()).toMatchObject({ attributed: 3, bytes: bytes.length + 2 * header });
  });
});

test("link padding is not payload: a bare ACK, padded to 60 bytes and repeated, is no retransmission", () => {
  const ack = frame({ ...V4, transport: { kind: "tcp", sourcePort: 1, destinationPort: 2 } });
  const padded = new Uint8Array(60);
  padded.set(ack);
  expect(only([padded, padded, padded])).toMatchObject({
    retransmits: { sent: 0 },
    sent: { packets: 3, bytes: 180 },
  });
});
