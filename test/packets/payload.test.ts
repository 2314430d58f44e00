import { describe, expect, test } from "bun:test";
import { ENUMS } from "../../src/bpf/layout.gen.ts";
import { pattern } from "../support/bytes.ts";
import { fragments, frame, TCP, type FrameSpec, type Transport } from "../support/frames.ts";
import { PacketLab } from "./harness.ts";

const LIMIT = ENUMS.ayaflow_limit;
const FRAGMENT = ENUMS.ayaflow_fragment;
const A = { source: "10.0.0.1", destination: "10.0.0.2" };
const B = { source: "10.0.0.2", destination: "10.0.0.1" };
const CLIENT = { sourcePort: 40_000, destinationPort: 8443 };
const SERVER = { sourcePort: 8443, destinationPort: 40_000 };

function tcp(rest: Partial<Extract<Transport, { kind: "tcp" }>>, reply = false): FrameSpec {
  const ports = reply ? SERVER : CLIENT;
  return { ...(reply ? B : A), transport: { kind: "tcp", ...ports, ...rest } };
}

function udp(payload: Uint8Array, destinationPort = 443): FrameSpec {
  return { ...A, transport: { kind: "udp", sourcePort: 40_000, destinationPort, payload } };
}

function lab(): PacketLab {
  return new PacketLab({ inspect: true });
}

/** What userspace got, of all frames in order. */
function payloadsOf(one: PacketLab, ...frames: FrameSpec[]): Uint8Array[] {
  for (const spec of frames) one.run(frame(spec));
  one.drain();
  return one.payloads.map(({ bytes }) => bytes);
}

const QUIC_LIKE = Uint8Array.from([0xc3, 0, 0, 0, 1, ...pattern(1200)]);
const DNS_QUERY = Uint8Array.from([
  0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0x77, 0x77, 0x77, 0, 0, 1, 0, 1,
]);

describe("payload of TCP", () => {
  test("comes with its side, its sequence number and that of the first byte ever sent", () => {
    using one = lab();
    const [client, server] = [pattern(300, 1), pattern(200, 2)];
    const got = payloadsOf(
      one,
      tcp({ flags: TCP.syn, sequence: 0xffff_ff00 }),
      tcp({ flags: TCP.syn | TCP.ack, sequence: 500, acknowledgment: 0xffff_ff01 }, true),
      tcp({ sequence: 0xffff_ff01, acknowledgment: 501, payload: client }),
      tcp({ sequence: 501, acknowledgment: 45, payload: server }, true),
    );
    expect(got).toEqual([client, server]);
    expect(one.payloads).toMatchObject([
      { side: 0, protocol: 6, sequence: 0xffff_ff01, startSequence: 0xffff_ff01, length: 300, fragment: 0 },
      { side: 1, sequence: 501, startSequence: 501, length: 200 },
    ]);
  });

  test("of a connection whose start was not seen says so", () => {
    using one = lab();
    payloadsOf(one, tcp({ sequence: 77, payload: pattern(9) }));
    expect(one.payloads).toMatchObject([{ sequence: 77, startSequence: 0 }]);
  });

  test("in a SYN (RFC 7413) starts behind it", () => {
    using one = lab();
    payloadsOf(one, tcp({ flags: TCP.syn, sequence: 9, payload: pattern(40) }));
    expect(one.payloads).toMatchObject([{ sequence: 10, startSequence: 10, length: 40 }]);
  });

  test("ends with the byte budget of each side", () => {
    using one = lab();
    const part = pattern(1400);
    const frames = Array.from({ length: 20 }, (_, index) => tcp({ sequence: index * 1400, payload: part }));
    const got = payloadsOf(one, ...frames, tcp({ sequence: 1, payload: pattern(10) }, true));
    const sent = got.slice(0, -1).reduce((sum, bytes) => sum + bytes.length, 0);
    expect(sent).toBe(LIMIT.AYAFLOW_INSPECT_BYTES);
    const last = one.payloads.at(-2);
    expect(last?.length).toBe(1400);
    expect(last?.bytes).toEqual(part.slice(0, LIMIT.AYAFLOW_INSPECT_BYTES % 1400));
    expect(one.payloads.at(-1)).toMatchObject({ side: 1, length: 10 });
  });

  test("ends with the packet budget of each side", () => {
    using one = lab();
    const frames = Array.from({ length: 100 }, (_, index) => tcp({ sequence: index, payload: pattern(1) }));
    expect(payloadsOf(one, ...frames)).toHaveLength(LIMIT.AYAFLOW_INSPECT_PACKETS);
  });

  test("goes on for HTTP/2 in the clear, on both sides, until userspace says stop", () => {
    using one = lab();
    const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const more = Array.from({ length: 40 }, (_, index) =>
      tcp({ sequence: 100 + index, payload: pattern(1) }),
    );
    const back = Array.from({ length: 40 }, (_, index) =>
      tcp({ sequence: index, payload: pattern(2) }, true),
    );
    payloadsOf(one, tcp({ sequence: 0, payload: preface }), ...more, ...back);
    expect(one.payloads).toHaveLength(81);
    one.kernel.slots.stopInspection(one.payloads[0]?.slot ?? -1);
    expect(payloadsOf(one, ...more, ...back)).toHaveLength(81);
  });

  test("stops for both sides when userspace says so, and starts anew with the next connection in the slot", () => {
    using one = lab();
    const open = tcp({ flags: TCP.syn, sequence: 1 });
    payloadsOf(one, open, tcp({ sequence: 2, payload: pattern(5) }));
    one.kernel.slots.stopInspection(one.payloads[0]?.slot ?? -1);
    payloadsOf(one, tcp({ sequence: 7, payload: pattern(6) }), tcp({ payload: pattern(7) }, true));
    expect(one.payloads.map(({ length }) => length)).toEqual([5]);
    payloadsOf(
      one,
      tcp({ flags: TCP.rst, sequence: 13 }),
      tcp({ flags: TCP.syn, sequence: 900 }),
      tcp({ sequence: 901, payload: pattern(8) }),
    );
    expect(one.payloads.map(({ length }) => length)).toEqual([5, 8]);
    expect(one.payloads.at(-1)).toMatchObject({ startSequence: 901 });
  });

  test("without inspection stays in the kernel", () => {
    using one = new PacketLab();
    expect(payloadsOf(one, tcp({ payload: pattern(100) }), udp(DNS_QUERY, 53))).toEqual([]);
    expect(one.connections()).toHaveLength(2);
  });
});

describe("payload of UDP", () => {
  test("comes when it looks like QUIC or DNS, on any port", () => {
    using one = lab();
    const got = payloadsOf(one, udp(QUIC_LIKE, 9999), udp(DNS_QUERY, 9998));
    expect(got).toEqual([QUIC_LIKE, DNS_QUERY]);
  });

  test("does not come when it looks like neither", () => {
    using one = lab();
    const rtp = Uint8Array.from([0x80, 0x60, ...pattern(160)]);
    const shortHeader = Uint8Array.from([0x43, ...pattern(40)]);
    expect(payloadsOf(one, udp(rtp, 5004), udp(shortHeader), udp(Uint8Array.of(0xff), 1))).toHaveLength(1);
  });

  test.each([53, 5353, 5355])("of port %d always comes, also when the budget is spent", (port) => {
    using one = lab();
    const frames = Array.from({ length: 200 }, () => udp(pattern(400), port));
    expect(payloadsOf(one, ...frames)).toHaveLength(200);
  });

  test("always comes on any port once userspace wants it", () => {
    using one = lab();
    payloadsOf(one, udp(DNS_QUERY, 9998));
    one.kernel.slots.inspectAlways(one.payloads[0]?.slot ?? -1);
    payloadsOf(one, ...Array.from({ length: 100 }, () => udp(pattern(30), 9998)));
    expect(one.payloads).toHaveLength(101);
  });

  test("ends where UDP's own length says, not with the padding behind it", () => {
    using one = lab();
    const transport = { sourcePort: 1, destinationPort: 53, length: 8 + 21 };
    const padded = { kind: "udp", ...transport, payload: Uint8Array.from([...DNS_QUERY, 1, 2, 3]) } as const;
    expect(payloadsOf(one, { ...A, transport: padded }, udp(pattern(2), 53))).toEqual([
      DNS_QUERY,
      pattern(2),
    ]);
    const tagged: FrameSpec = { ...A, vlans: [{ id: 3 }], transport: padded };
    expect(payloadsOf(one, tagged).at(-1)).toEqual(DNS_QUERY);
  });

  test("of a GSO packet tells the size of its datagrams", () => {
    using one = lab();
    one.run(frame(udp(Uint8Array.from([...QUIC_LIKE, ...QUIC_LIKE]))), {
      gsoSize: QUIC_LIKE.length,
      gsoSegs: 2,
    });
    one.drain();
    expect(one.payloads).toMatchObject([{ segment: QUIC_LIKE.length, length: 2 * QUIC_LIKE.length }]);
  });
});

describe("fragments", () => {
  const whole = pattern(3000);
  test.each([
    ["IPv4", A],
    ["IPv6", { source: "fd00::1", destination: "fd00::2" }],
  ])("of %s come with what puts them together", (_, ends) => {
    using one = lab();
    const transport = { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: whole } as const;
    for (const piece of fragments({ ...ends, transport, identification: 0x0102 }, 1208)) one.run(piece);
    one.drain();
    const id = ends === A ? 0x0201 : 0x0201_0000;
    expect(one.payloads).toMatchObject([
      {
        fragment: FRAGMENT.AYAFLOW_FRAGMENT_FIRST,
        fragmentOffset: 8,
        fragmentId: id,
        bytes: whole.slice(0, 1200),
      },
      { fragment: FRAGMENT.AYAFLOW_FRAGMENT_LATER, fragmentOffset: 1208, bytes: whole.slice(1200, 2408) },
      { fragment: FRAGMENT.AYAFLOW_FRAGMENT_LAST, fragmentOffset: 2416, bytes: whole.slice(2408) },
    ]);
  });
});

describe("ICMP", () => {
  const quote = Uint8Array.from([0x45, 0, 0, 40, ...pattern(36)]);
  test("errors come, echoes do not", () => {
    using one = lab();
    payloadsOf(
      one,
      { ...A, transport: { kind: "icmp", type: 8, payload: quote } },
      { ...A, transport: { kind: "icmp", type: 3, code: 3, payload: quote } },
    );
    expect(one.payloads).toMatchObject([{ protocol: 1, length: 8 + quote.length }]);
    expect(one.payloads[0]?.bytes.slice(8)).toEqual(quote);
  });
});

test("payload that finds the ring full is counted", () => {
  using one = new PacketLab({ inspect: true, ringBytes: 4096 });
  for (let sent = 0; sent < 20; sent++) one.run(frame(udp(pattern(400), 53)));
  one.drain();
  const lost = one.kernel.counters.losses()[ENUMS.ayaflow_lost.AYAFLOW_LOST_RING_PAYLOAD] ?? 0;
  expect(one.payloads.length).toBeGreaterThan(2);
  expect(lost).toBe(20 - one.payloads.length);
});
