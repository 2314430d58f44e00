import { describe, expect, test } from "bun:test";
import { type FrameSpec, fragments, frame, pattern } from "../support/frames.ts";
import { NEXT, PacketLab } from "./harness.ts";

const V4 = { source: "10.1.2.3", destination: "192.0.2.9" };
const V6 = { source: "fd00::1:2", destination: "2001:db8::9" };
const tcp = { kind: "tcp", sourcePort: 40000, destinationPort: 443, payload: pattern(30) } as const;
const udp = { kind: "udp", sourcePort: 40000, destinationPort: 53, payload: pattern(30) } as const;
const ETHERNET = 14;
/** BPF_PROG_TEST_RUN itself refuses an IP frame without a whole IP header; behind a VLAN tag it does not look. */
const SHORTEST = { ipv4: ETHERNET + 20, ipv6: ETHERNET + 40, tagged: ETHERNET + 1 };
const TAGS = [{ id: 1, tpid: 0x88a8 }, { id: 2 }];

/** Mulberry32: the same frames in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Shape {
  name: string;
  spec: FrameSpec;
  shortest: number;
  /** Where the IP header ends, and where the ports do. */
  headerEnd: number;
  portsEnd: number;
}

const shapes: Shape[] = [
  {
    name: "TCP over IPv4",
    spec: { ...V4, transport: tcp },
    shortest: SHORTEST.ipv4,
    headerEnd: 34,
    portsEnd: 38,
  },
  {
    name: "UDP over IPv4 with options",
    spec: { ...V4, transport: udp, options: pattern(8) },
    shortest: SHORTEST.ipv4,
    headerEnd: 42,
    portsEnd: 46,
  },
  {
    name: "TCP over IPv4, QinQ",
    spec: { ...V4, transport: tcp, vlans: TAGS },
    shortest: SHORTEST.tagged,
    headerEnd: 42,
    portsEnd: 46,
  },
  {
    name: "UDP over IPv6, QinQ",
    spec: { ...V6, transport: udp, vlans: TAGS },
    shortest: SHORTEST.tagged,
    headerEnd: 62,
    portsEnd: 66,
  },
  {
    name: "TCP over IPv6",
    spec: { ...V6, transport: tcp },
    shortest: SHORTEST.ipv6,
    headerEnd: 54,
    portsEnd: 58,
  },
  {
    name: "UDP over IPv6 with a destination header",
    spec: { ...V6, transport: udp, extensions: [{ type: "destination" }] },
    shortest: SHORTEST.ipv6,
    headerEnd: 54,
    portsEnd: 66,
  },
];

describe("a frame cut short at every length", () => {
  test.each(shapes.map((shape) => [shape.name, shape] as const))("%s", (_name, shape) => {
    const { spec, shortest, headerEnd, portsEnd } = shape;
    const whole = frame(spec);
    using lab = new PacketLab();
    let bytes = 0;
    for (let length = shortest; length <= whole.length; length++) {
      bytes += length;
      expect(lab.run(whole.subarray(0, length))).toBe(NEXT);
    }
    const between = (from: number, to: number) => Math.max(0, to - Math.max(from, shortest));
    const runs = whole.length + 1 - shortest;
    const malformed = between(shortest, headerEnd);
    expect(lab.totals()).toEqual({
      malformed,
      attributed: runs - malformed,
      overflow: 0,
      notIp: 0,
      packets: runs,
      bytes,
    });
    const port = spec.transport.kind === "tcp" ? 443 : 53;
    const protocols = new Set([6, 17, 60]);
    const seen = lab.connections().map((one) => {
      expect(protocols.has(one.protocol)).toBe(true);
      return [one.client, one.server, one.sent.packets];
    });
    const withoutPorts = between(headerEnd, portsEnd);
    const merged = seen
      .filter(([client]) => client === `${spec.source} 0`)
      .reduce((sum, one) => sum + Number(one[2]), 0);
    expect(merged).toBe(withoutPorts);
    expect(seen.filter(([client]) => client !== `${spec.source} 0`)).toEqual([
      [
        `${spec.source} 40000`,
        `${spec.destination} ${port}`,
        whole.length + 1 - Math.max(portsEnd, shortest),
      ],
    ]);
  });
});

/** Runs `count` frames; each must go on and land in exactly one counter with exactly its bytes. */
function hammer(count: number, make: (index: number) => Uint8Array): void {
  using lab = new PacketLab({ connections: 4096 });
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const one = make(index);
    bytes += one.length;
    if (lab.run(one, { direction: index % 2 === 0 ? "ingress" : "egress" }) !== NEXT) {
      throw new Error(`frame ${index} did not go on: ${Buffer.from(one).toString("hex")}`);
    }
  }
  const totals = lab.totals();
  expect(totals).toMatchObject({ packets: count, bytes });
  const kept = lab.connections().reduce((sum, one) => sum + one.sent.packets + one.received.packets, 0);
  expect(kept).toBe(totals.attributed);
}

describe("bytes that make no sense", () => {
  test("random frames, half of them behind a tag and an IP version", () => {
    const next = random(1);
    hammer(20_000, () => {
      const bytes = Uint8Array.from({ length: SHORTEST.ipv6 + Math.floor(next() * 120) }, () => next() * 256);
      if (next() < 0.5)
        bytes.set([0x81, 0x00, 0, 1, ...(next() < 0.5 ? [0x08, 0x00, 0x45] : [0x86, 0xdd, 0x60])], 12);
      return bytes;
    });
  });

  test("valid frames with a few bytes changed", () => {
    const next = random(2);
    const seeds = [...shapes.map(({ spec }) => frame(spec)), ...fragments({ ...V6, transport: udp }, 16)];
    hammer(20_000, (index) => {
      const bytes = (seeds[index % seeds.length] ?? new Uint8Array()).slice();
      for (let change = 0; change < 1 + next() * 4; change++) {
        bytes[12 + Math.floor(next() * (bytes.length - 12))] = next() * 256;
      }
      return bytes;
    });
  });

  test("IPv4 total lengths that lie", () => {
    const whole = frame({ ...V4, transport: tcp });
    using lab = new PacketLab();
    const lengths = [...Array.from({ length: 100 }, (_, length) => length), 0x7fff, 0xffff];
    for (const length of lengths) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setUint16(16, length);
      expect(lab.run(bytes)).toBe(NEXT);
    }
    // Below 20 not even the header fits, below 24 the ports do not; 0 is what TSO leaves.
    expect(lab.totals()).toMatchObject({ malformed: 19, attributed: lengths.length - 19 });
    expect(lab.connections().map((one) => [one.client, one.sent.packets])).toEqual([
      ["10.1.2.3 40000", lengths.length - 23],
      ["10.1.2.3 0", 4],
    ]);
  });
});
