/** The packets that the kernel side is timed with: both protocols and families, and how they differ from run to run. */
import { concat, frame, pattern, TCP, type Transport } from "../../support/frames.ts";
import type { Variation } from "../reference/vary.ts";

/** Connections that the runs of an uncached case go round. */
export const ROTATED = 2 ** 6;
const ROTATED_SHIFT = Math.log2(ROTATED);
/** More connections than any table here has slots. */
const NEW_MASK = 0xff_ffff;

const PAYLOAD_BYTES = 64;
const CLIENT_PORT = 40_000;
const SERVER_PORT = 443;
/** Of the client's SYN: its first byte of payload is number 0, as `vary` starts with. */
const CLIENT_SEQUENCE = 0xffff_ffff;
const SERVER_SEQUENCE = 5000;
/** First byte of a QUIC long header: a payload that inspection would want. */
const LONG_HEADER = Uint8Array.of(0xc3);

const ETHERNET_BYTES = 14;
/** Bytes of the frame that no program looks at: the destination's Ethernet address. */
const UNUSED_OFFSET = 0;
const TCP_SEQUENCE_OFFSET = 4;

interface FamilyShape {
  /** Above every client's, so that which side is A does not change. */
  server: string;
  /** Text of the address that has `word` as its last 32 bits. */
  client: (word: number) => string;
  addressBase: number;
  /** In the frame: the last 32 bits of the source, and the end of the IP header. */
  addressOffset: number;
  transportOffset: number;
}

const FAMILIES = {
  IPv4: {
    server: "192.0.2.255",
    client: (word) => [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join("."),
    addressBase: 0x0a00_0000,
    addressOffset: ETHERNET_BYTES + 12,
    transportOffset: ETHERNET_BYTES + 20,
  },
  IPv6: {
    server: "fd00::ffff:ffff",
    client: (word) => `fd00::${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`,
    addressBase: 0,
    addressOffset: ETHERNET_BYTES + 8 + 12,
    transportOffset: ETHERNET_BYTES + 40,
  },
} as const satisfies Record<string, FamilyShape>;

export const PROTOCOLS = ["TCP", "UDP"] as const;
export type Family = keyof typeof FAMILIES;
export type Protocol = (typeof PROTOCOLS)[number];

/** A frame that is run again and again, and what is changed in it each time. */
export interface Timed {
  frame: Uint8Array;
  variation: Variation;
}

export interface Kind {
  name: string;
  family: Family;
  protocol: Protocol;
  /** What opens connection `index` (below ROTATED), all but the packets that are timed. */
  opening: (index: number) => Uint8Array[];
  /** The next packet of connection 0: of TCP the next segment in order, its payload of 64 bytes. */
  cached: Timed;
  /** The next packets of ROTATED connections in turn. */
  uncached: Timed;
  /** First packets of connections never seen: of TCP a SYN, of UDP a datagram without payload. */
  fresh: Timed;
}

function tcpFrames(family: Family, index: number) {
  const { client, server, addressBase } = FAMILIES[family];
  const ends = [client(addressBase + index), server] as const;
  const tcp = (
    isReply: boolean,
    rest: Omit<Extract<Transport, { kind: "tcp" }>, "kind" | `${string}Port`>,
  ) => {
    const [sourcePort, destinationPort] = isReply ? [SERVER_PORT, CLIENT_PORT] : [CLIENT_PORT, SERVER_PORT];
    const [source, destination] = isReply ? [ends[1], ends[0]] : ends;
    return frame({ source, destination, transport: { kind: "tcp", sourcePort, destinationPort, ...rest } });
  };
  const acknowledgment = SERVER_SEQUENCE + 1;
  const syn = tcp(false, { sequence: CLIENT_SEQUENCE, flags: TCP.syn });
  return {
    first: syn,
    opening: [
      syn,
      tcp(true, { sequence: SERVER_SEQUENCE, acknowledgment: 0, flags: TCP.syn | TCP.ack }),
      tcp(false, { sequence: 0, acknowledgment }),
    ],
    next: tcp(false, {
      sequence: 0,
      acknowledgment,
      flags: TCP.psh | TCP.ack,
      payload: pattern(PAYLOAD_BYTES),
    }),
  };
}

function udpFrames(family: Family, index: number) {
  const { client, server: destination, addressBase } = FAMILIES[family];
  const source = client(addressBase + index);
  const ports = { sourcePort: CLIENT_PORT, destinationPort: SERVER_PORT };
  const payload = concat(LONG_HEADER, pattern(PAYLOAD_BYTES - LONG_HEADER.length));
  const next = frame({ source, destination, transport: { kind: "udp", ...ports, payload } });
  return {
    first: frame({ source, destination, transport: { kind: "udp", ...ports } }),
    opening: [next],
    next,
  };
}

function kind(protocol: Protocol, family: Family): Kind {
  const { addressBase, addressOffset, transportOffset } = FAMILIES[family];
  const frames = protocol === "TCP" ? tcpFrames : udpFrames;
  const { first, next } = frames(family, 0);
  const inOrder = {
    addressBase,
    addressOffset,
    sequenceOffset: protocol === "TCP" ? transportOffset + TCP_SEQUENCE_OFFSET : UNUSED_OFFSET,
    sequenceStep: PAYLOAD_BYTES,
  };
  return {
    name: `${protocol} ${family}`,
    family,
    protocol,
    opening: (index) => frames(family, index).opening,
    cached: { frame: next, variation: { ...inOrder, addressMask: 0, sequenceShift: 0 } },
    uncached: {
      frame: next,
      variation: { ...inOrder, addressMask: ROTATED - 1, sequenceShift: ROTATED_SHIFT },
    },
    fresh: {
      frame: first,
      variation: { ...inOrder, addressMask: NEW_MASK, sequenceOffset: UNUSED_OFFSET, sequenceShift: 0 },
    },
  };
}

/** TCP and UDP over IPv4, then over IPv6. */
export const KINDS: readonly Kind[] = (Object.keys(FAMILIES) as Family[]).flatMap((family) =>
  PROTOCOLS.map((protocol) => kind(protocol, family)),
);
