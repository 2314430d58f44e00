import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  arp,
  concat,
  fragments,
  frame,
  pattern,
  PROTOCOL,
  TCP,
  type Transport,
  tunnel,
} from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { tsharkFields } from "./support/capture.ts";

setDefaultTimeout(60_000);

const V4 = { source: "10.0.0.1", destination: "10.0.0.2" };
const V6 = { source: "fd00::1", destination: "fd00::2" };
const TAGS = [{ id: 5, tpid: 0x88a8 }, { id: 7 }];
const CHECKED = {
  "ip.check_checksum": "TRUE",
  "tcp.check_checksum": "TRUE",
  "udp.check_checksum": "TRUE",
  "sctp.checksum": "crc-32c",
};

const TRANSPORTS: Transport[] = [
  {
    kind: "tcp",
    sourcePort: 1000,
    destinationPort: 80,
    flags: TCP.syn,
    options: Uint8Array.of(2, 4, 5, 180, 1),
  },
  { kind: "udp", sourcePort: 1000, destinationPort: 9999, payload: pattern(33) },
  { kind: "sctp", sourcePort: 1000, destinationPort: 9998, payload: Uint8Array.of(10, 0, 0, 4) },
  { kind: "icmp", payload: pattern(9) },
];

/** tshark's rows of `fields` for the frames. */
async function dissect(frames: Uint8Array[], fields: string[]): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-frames-"));
  try {
    const file = join(folder, "frames.pcap");
    await writePcap(file, frames);
    return await tsharkFields(file, fields, { preferences: CHECKED });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("every transport over both families has the length and checksum that tshark expects", async () => {
  const frames = [V4, V6].flatMap((ip) => TRANSPORTS.map((transport) => frame({ ...ip, transport })));
  const status = ["tcp", "udp", "sctp", "icmp"].map((name) => `${name}.checksum.status`);
  const rows = await dissect(frames, [
    "_ws.malformed",
    "ip.checksum.status",
    ...status,
    "icmpv6.checksum.status",
  ]);
  expect(rows).toEqual([
    ["", "1", "1", "", "", "", ""],
    ["", "1", "", "1", "", "", ""],
    ["", "1", "", "", "1", "", ""],
    ["", "1", "", "", "", "1", ""],
    ["", "", "1", "", "", "", ""],
    ["", "", "", "1", "", "", ""],
    ["", "", "", "", "1", "", ""],
    ["", "", "", "", "", "", "1"],
  ]);
});

test("tags, IPv4 options and IPv6 extension headers lead to the same ports", async () => {
  const transport: Transport = { kind: "udp", sourcePort: 1000, destinationPort: 9999, payload: pattern(5) };
  const frames = [
    frame({ ...V4, transport, vlans: TAGS, options: Uint8Array.of(148, 4, 0, 0, 1) }),
    frame({
      ...V6,
      transport,
      vlans: TAGS,
      extensions: [
        { type: "hop_by_hop" },
        { type: "authentication", data: pattern(22) },
        { type: "destination", data: Uint8Array.of(1, 1, 0) },
      ],
    }),
  ];
  const rows = await dissect(frames, [
    "frame.protocols",
    "ieee8021ad.id",
    "vlan.id",
    "udp.srcport",
    "udp.dstport",
    "udp.checksum.status",
  ]);
  expect(rows).toEqual([
    ["eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:udp:data", "5", "7", "1000", "9999", "1"],
    [
      "eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ipv6:ipv6.hopopts:ah:ipv6.dstopts:udp:data",
      "5",
      "7",
      "1000",
      "9999",
      "1",
    ],
  ]);
});

test("fragments are put together again by tshark", async () => {
  const transport: Transport = { kind: "udp", sourcePort: 1, destinationPort: 9999, payload: pattern(100) };
  for (const ip of [V4, V6]) {
    const pieces = fragments({ ...ip, transport }, 40);
    const rows = await dissect(pieces, ["udp.length", "udp.checksum.status"]);
    expect(rows).toEqual([
      ["", ""],
      ["", ""],
      ["108", "1"],
    ]);
  }
});

test("other frames are what they claim to be", async () => {
  const ping: Transport = { kind: "icmp" };
  const frames = [
    arp("10.0.0.1", "10.0.0.2"),
    tunnel(V4, { ...V6, transport: ping }),
    tunnel(V6, { ...V4, transport: ping }, "ip"),
    frame({
      ...V4,
      transport: { kind: "raw", protocol: PROTOCOL.esp, payload: concat(pattern(8), pattern(20)) },
    }),
  ];
  const rows = await dissect(frames, ["frame.protocols", "_ws.malformed"]);
  expect(rows.map(([protocols]) => protocols)).toEqual([
    "eth:ethertype:arp",
    "eth:ethertype:ip:gre:ipv6:icmpv6",
    "eth:ethertype:ipv6:ip:icmp",
    "eth:ethertype:ip:esp",
  ]);
});
