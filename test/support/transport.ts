import { checksum, concat, fields, withUint16 } from "./bytes.ts";

/** IP protocol numbers (IANA). */
export const PROTOCOL = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
} as const;

/** TCP flags (RFC 9293 bit order). */
export const TCP = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

interface Ports {
  sourcePort: number;
  destinationPort: number;
}

/** What an IP packet carries. Lengths and checksums are made right unless given. */
export type Transport =
  | ({
      kind: "tcp";
      flags?: number;
      sequence?: number;
      acknowledgment?: number;
      window?: number;
      /** TCP options, padded to a multiple of 4 with end-of-list. */
      options?: Uint8Array;
      payload?: Uint8Array;
    } & Ports)
  | ({ kind: "udp"; length?: number; payload?: Uint8Array } & Ports)
  | ({ kind: "sctp"; payload?: Uint8Array } & Ports)
  | {
      kind: "icmp";
      type?: number;
      code?: number;
      identifier?: number;
      sequence?: number;
      payload?: Uint8Array;
    }
  /** Anything else: the bytes as they are. */
  | { kind: "raw"; protocol: number; payload: Uint8Array };

const EMPTY = new Uint8Array();

export function padTo4(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
}

export function protocolOf(transport: Transport, ipv6: boolean): number {
  if (transport.kind === "raw") return transport.protocol;
  if (transport.kind === "icmp") return ipv6 ? PROTOCOL.icmpv6 : PROTOCOL.icmp;
  return PROTOCOL[transport.kind];
}

/** CRC-32C, as SCTP's checksum (RFC 9260, appendix A). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

function tcpHeader(transport: Extract<Transport, { kind: "tcp" }>): Uint8Array {
  const options = padTo4(transport.options ?? EMPTY);
  const header = fields(
    [transport.sourcePort, 2],
    [transport.destinationPort, 2],
    [transport.sequence ?? 0, 4],
    [transport.acknowledgment ?? 0, 4],
    [(5 + options.length / 4) << 4, 1],
    [transport.flags ?? TCP.ack, 1],
    [transport.window ?? 65535, 2],
    [0, 4],
  );
  return concat(header, options);
}

function udpHeader(transport: Extract<Transport, { kind: "udp" }>, payload: Uint8Array): Uint8Array {
  const length = transport.length ?? 8 + payload.length;
  return fields([transport.sourcePort, 2], [transport.destinationPort, 2], [length, 2], [0, 2]);
}

function icmpHeader(transport: Extract<Transport, { kind: "icmp" }>, ipv6: boolean): Uint8Array {
  return fields(
    [transport.type ?? (ipv6 ? 128 : 8), 1],
    [transport.code ?? 0, 1],
    [0, 2],
    [transport.identifier ?? 1, 2],
    [transport.sequence ?? 1, 2],
  );
}

function sctpPacket(transport: Extract<Transport, { kind: "sctp" }>, payload: Uint8Array): Uint8Array {
  const packet = concat(
    fields([transport.sourcePort, 2], [transport.destinationPort, 2], [1, 4], [0, 4]),
    padTo4(payload),
  );
  new DataView(packet.buffer).setUint32(8, crc32c(packet), true);
  return packet;
}

/** Header and payload of the transport layer; `source` and `destination` as bytes, for the pseudo-header. */
export function transportBytes(
  transport: Transport,
  source: Uint8Array,
  destination: Uint8Array,
): Uint8Array {
  const payload = transport.payload ?? EMPTY;
  const ipv6 = source.length === 16;
  const summed = (segment: Uint8Array, at: number, overAddresses: boolean) => {
    const length = fields([segment.length, 4], [protocolOf(transport, ipv6), 4]);
    const pseudoHeader = overAddresses ? concat(source, destination, length) : EMPTY;
    const sum = checksum(concat(pseudoHeader, segment));
    return withUint16(segment, at, sum === 0 && transport.kind === "udp" ? 0xffff : sum);
  };
  if (transport.kind === "tcp") return summed(concat(tcpHeader(transport), payload), 16, true);
  if (transport.kind === "udp") return summed(concat(udpHeader(transport, payload), payload), 6, true);
  if (transport.kind === "icmp") return summed(concat(icmpHeader(transport, ipv6), payload), 2, ipv6);
  return transport.kind === "sctp" ? sctpPacket(transport, payload) : payload;
}
