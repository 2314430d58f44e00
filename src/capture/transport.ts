import { u16, u32 } from "./numbers.ts";

/** IP protocol numbers (IANA) with ports. */
const TCP = 6;
const UDP = 17;
const DCCP = 33;
const SCTP = 132;
const UDP_LITE = 136;
const TCP_HEADER = 20;
const UDP_HEADER = 8;
const PORTS = 4;

/** The fields of a TCP header (RFC 9293 section 3.1) that a connection's state follows from. */
export interface TcpHeader {
  sequence: number;
  acknowledgment: number;
  /** FIN is the lowest bit, CWR the eighth. */
  flags: number;
  /** As it stands, not scaled. */
  window: number;
}

export interface TransportLayer {
  sourcePort: number;
  destinationPort: number;
  tcp: TcpHeader | null;
  /** Where the payload begins; the start of the header where that is not `whole`. */
  payloadAt: number;
  /** Where the payload ends on the wire. */
  end: number;
  /** Payload bytes on the wire, by the rules of the kernel's parser. */
  payloadLength: number;
  /** False when the header says nonsense, or goes on behind `end`. */
  whole: boolean;
}

const NO_PORTS = { sourcePort: 0, destinationPort: 0 };

function readPorts(bytes: Uint8Array, at: number, end: number): typeof NO_PORTS {
  if (at + PORTS > end || at + PORTS > bytes.length) return NO_PORTS;
  return { sourcePort: u16(bytes, at), destinationPort: u16(bytes, at + 2) };
}

function tcp(bytes: Uint8Array, at: number, end: number): TransportLayer {
  const ports = readPorts(bytes, at, end);
  if (at + TCP_HEADER > end || at + TCP_HEADER > bytes.length) {
    return { ...ports, tcp: null, payloadAt: at, end, payloadLength: 0, whole: false };
  }
  const header = ((bytes[at + 12] ?? 0) >> 4) * 4;
  const whole = header >= TCP_HEADER && at + header <= end;
  return {
    ...ports,
    tcp: {
      sequence: u32(bytes, at + 4),
      acknowledgment: u32(bytes, at + 8),
      flags: bytes[at + 13] ?? 0,
      window: u16(bytes, at + 14),
    },
    payloadAt: whole ? at + header : at,
    end,
    payloadLength: Math.max(0, end - at - header),
    whole,
  };
}

/** Where the datagram of a UDP header (RFC 768) ends. In IPv6, length 0 is that of a jumbogram (RFC 2675 section 4). */
function udpEnd(bytes: Uint8Array, at: number, ipEnd: number, ipv6: boolean): number {
  const length = u16(bytes, at + 4);
  const isCut = at + UDP_HEADER > bytes.length;
  return isCut || (length === 0 && ipv6) ? ipEnd : Math.min(ipEnd, at + length);
}

/** A UDP header whose datagram ends at `end`, inside the IP packet's `ipEnd`. */
function udp(bytes: Uint8Array, at: number, ipEnd: number, end: number): TransportLayer {
  const ports = readPorts(bytes, at, ipEnd);
  const whole = at + UDP_HEADER <= end;
  const payloadAt = whole ? at + UDP_HEADER : at;
  return { ...ports, tcp: null, payloadAt, end, payloadLength: whole ? end - payloadAt : 0, whole };
}

/**
 * Reads the transport header at `at` of an IP packet that ends at `end` on the wire. Without a header known here the
 * payload is all that IP carries. `isFragment`: lengths in the header are those of the packet before it was cut.
 */
export function transportLayer(
  bytes: Uint8Array,
  at: number,
  end: number,
  { protocol, ipv6, isFragment }: { protocol: number; ipv6: boolean; isFragment: boolean },
): TransportLayer {
  if (protocol === TCP) return tcp(bytes, at, end);
  if (protocol === UDP) return udp(bytes, at, end, isFragment ? end : udpEnd(bytes, at, end, ipv6));
  // UDP-Lite has the checksum's coverage where UDP has its length (RFC 3828).
  if (protocol === UDP_LITE) return udp(bytes, at, end, end);
  const ports = protocol === SCTP || protocol === DCCP ? readPorts(bytes, at, end) : NO_PORTS;
  return { ...ports, tcp: null, payloadAt: at, end, payloadLength: Math.max(0, end - at), whole: true };
}
