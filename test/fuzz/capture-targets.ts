import { gzipSync } from "node:zlib";
import { type CapturedFrame, readCapture } from "../../src/capture/capture.ts";
import { type DecodedPacket, decodePacket } from "../../src/capture/decode.ts";
import { MAX_CAPTURED } from "../../src/capture/frame.ts";
import { quotedPacket } from "../../src/capture/icmp.ts";
import { isKnownLinkType, linkLayer } from "../../src/capture/link.ts";
import { decompressed } from "../../src/capture/source.ts";
import { AyaflowError } from "../../src/errors.ts";
import { FRAGMENT_LIMITS, FragmentStore } from "../../src/inspect/fragments.ts";
import { concat, pattern } from "../support/bytes.ts";
import { dnsQuery } from "../support/dns.ts";
import { arp, fragments, frame, ipPacket, type PacketSpec, tunnel } from "../support/frames.ts";
import {
  block,
  enhancedPacket,
  interfaceBlock,
  pcapHeader,
  pcapRecord,
  sectionHeader,
} from "../unit/capture/fixture.ts";
import { must } from "./invariants.ts";
import { mutated, split } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

const UDP: PacketSpec = {
  source: "192.0.2.1",
  destination: "198.51.100.2",
  transport: { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: dnsQuery("www.example.com") },
};
const UDP6: PacketSpec = {
  ...UDP,
  source: "2001:db8::1",
  destination: "2001:db8::2",
  extensions: [{ type: "hop_by_hop" }, { type: "authentication", data: pattern(14) }],
};
const TCP: PacketSpec = {
  source: "192.0.2.1",
  destination: "198.51.100.2",
  transport: { kind: "tcp", sourcePort: 40_000, destinationPort: 443, payload: pattern(90) },
};
const unreachable = (ipv6: boolean): PacketSpec => ({
  source: ipv6 ? "2001:db8::9" : "192.0.2.9",
  destination: ipv6 ? "2001:db8::1" : "192.0.2.1",
  transport: { kind: "icmp", type: ipv6 ? 1 : 3, code: 1, payload: ipPacket(ipv6 ? UDP6 : UDP) },
});
const long = (spec: PacketSpec): PacketSpec => ({
  ...spec,
  transport: { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: pattern(900) },
});
const FRAMES = [
  frame(UDP),
  frame(UDP6),
  frame({ ...TCP, vlans: [{ id: 7, tpid: 0x88a8 }, { id: 8 }] }),
  frame(unreachable(false)),
  frame(unreachable(true)),
  tunnel(UDP, TCP),
  arp("192.0.2.1", "192.0.2.2"),
  ...fragments(long(UDP), 400),
  ...fragments(long(UDP6), 400),
];
const LINK_TYPES = [0, 1, 9, 12, 14, 50, 101, 108, 113, 228, 229, 276];
const MEBIBYTE = 1024 * 1024;
/** One in so many captures is compressed: inflating is slow. */
const COMPRESSED = 32;

const CAPTURES = [
  concat(pcapHeader(), ...FRAMES.map((bytes) => pcapRecord(bytes, { seconds: 1_700_000_000 }))),
  concat(
    pcapHeader({ littleEndian: false, magic: 0xa1b23c4d }),
    pcapRecord(FRAMES[0]!, { littleEndian: false }),
  ),
  concat(pcapHeader({ magic: 0xa1b2cd34, linkType: 276 }), pcapRecord(FRAMES[2]!, { extra: 8 })),
  concat(
    sectionHeader(),
    interfaceBlock({ name: "eth0", resolution: 9, offsetSeconds: -5n }),
    interfaceBlock({ linkType: 101, snapLength: 60, resolution: 0x80 | 20 }),
    ...FRAMES.map((bytes, index) =>
      enhancedPacket(bytes, { index: index % 2, ticks: 1_700_000_000_000_000n }),
    ),
    block(4, pattern(24)),
    block(3, concat(Uint8Array.of(60, 0, 0, 0), FRAMES[0]!)),
    block(5, pattern(20)),
  ),
  concat(
    sectionHeader(false),
    interfaceBlock({ littleEndian: false, name: "wlan\u202e0" }),
    enhancedPacket(FRAMES[4]!, { littleEndian: false }),
    sectionHeader(),
    interfaceBlock(),
    enhancedPacket(FRAMES[1]!),
  ),
];

const store = new FragmentStore<DecodedPacket>();
let clockMs = 0;

/** RFC 791 section 3.1. */
const MAX_IP_PAYLOAD = 65_535;

function mustBePacket(packet: DecodedPacket, bytes: Uint8Array): void {
  const { source, destination, payload, payloadLength, ipv6 } = packet;
  const size = ipv6 ? 16 : 4;
  must(source.length === size && destination.length === size, "whole addresses");
  must(payload.length <= bytes.length, "a payload within the frame");
  // A header that is cut is given as payload, which it is not.
  must(payload.length <= payloadLength || packet.fragment?.isHeaderCut === true, "no more than its length");
  must(Number.isSafeInteger(payloadLength), "a length");
  for (const port of [packet.sourcePort, packet.destinationPort]) must(port >= 0 && port <= 65_535, "a port");
}

/** Through all that is done with a frame of a capture: link header, IP, ICMP's quotes, fragments. */
function takeFrame(linkType: number, bytes: Uint8Array, wireLength: number, random: Random): void {
  const link = linkLayer(linkType, bytes);
  if (link === null) return;
  const packet = decodePacket(link.etherType, bytes, link.offset, wireLength);
  if (typeof packet === "string") return;
  mustBePacket(packet, bytes);
  const quoted = quotedPacket(packet);
  if (quoted !== null) mustBePacket(quoted, bytes);
  const { fragment, payload } = packet;
  if (fragment === null) return;
  clockMs += random.below(200);
  const first = fragment.isFirst ? packet : null;
  const key = `${packet.source.toHex()} ${packet.destination.toHex()} ${fragment.id}`;
  const whole = store.add(
    key,
    { offset: fragment.offset, more: fragment.more, bytes: payload, first },
    clockMs,
  );
  must(store.heldBytes >= 0 && store.heldBytes <= FRAGMENT_LIMITS.maxBytes, "bounded fragments");
  must(whole === null || whole.payload.length <= MAX_IP_PAYLOAD, "a bounded packet");
}

function mustBeFrame({ bytes, length, timeMs, linkType }: CapturedFrame): void {
  must(bytes.length <= MAX_CAPTURED && length >= bytes.length, "a bounded frame");
  must(!Number.isNaN(new Date(timeMs).getTime()), `a time, not ${timeMs}`);
  must(isKnownLinkType(linkType) || linkLayer(linkType, bytes) === null, "no link header of an unknown type");
}

async function* chunks(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

export const CAPTURE_TARGETS: readonly Target[] = [
  {
    name: "capture",
    make(random) {
      if (!random.oneIn(COMPRESSED)) return [mutated(random, CAPTURES)];
      return [mutated(random, [Uint8Array.from(gzipSync(random.pick(CAPTURES)))])];
    },
    async check([file = new Uint8Array()], random) {
      const isCompressed = file[0] === 0x1f;
      const source = chunks(split(random, file, random.pick([1, 8])));
      let total = 0;
      try {
        for await (const captured of readCapture(isCompressed ? decompressed(source) : source)) {
          mustBeFrame(captured);
          takeFrame(captured.linkType, captured.bytes, captured.length, random);
          total += captured.bytes.length;
        }
      } catch (error) {
        if (!(error instanceof AyaflowError)) throw error;
      }
      must(total <= (isCompressed ? MEBIBYTE : file.length), "no more bytes than there are");
    },
  },
  {
    name: "packet",
    make: (random) => [mutated(random, FRAMES)],
    check([bytes = new Uint8Array()], random) {
      const linkType = random.oneIn(2) ? 1 : random.pick(LINK_TYPES);
      // Of some link types there is none among the seeds, but their headers fit IP packets without Ethernet's.
      const start = linkType === 1 ? 0 : random.pick([0, 10, 12, 14]);
      const part = bytes.subarray(start);
      takeFrame(linkType, part, part.length + random.pick([0, 0, 0, 1, 1500]), random);
    },
  },
];
