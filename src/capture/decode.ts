import { networkLayer, type NetworkLayer, type Unattributed } from "./network.ts";
import { type TcpHeader, type TransportLayer, transportLayer } from "./transport.ts";

export type { Unattributed } from "./network.ts";
export type { TcpHeader } from "./transport.ts";

/** Where a fragment's payload lies in the packet it was cut from. */
export interface PacketFragment {
  id: number;
  /** Bytes of the IP payload before `payload`: behind the transport header in a first fragment that has it whole. */
  offset: number;
  more: boolean;
  isFirst: boolean;
  /** A first fragment too short for its transport header, which is part of `payload`. */
  isHeaderCut: boolean;
}

/** An IP packet. Byte arrays are views of the frame. */
export interface DecodedPacket {
  ipv6: boolean;
  /** IANA number; in a later fragment of IPv6 that of the header it starts in. */
  protocol: number;
  /** 4 or 16 bytes. */
  source: Uint8Array;
  destination: Uint8Array;
  /** 0 for none, and where the capture or a later fragment does not have it. */
  sourcePort: number;
  destinationPort: number;
  tcp: TcpHeader | null;
  /** What was captured behind the transport header; of a protocol without ports, all that IP carries. */
  payload: Uint8Array;
  /** Bytes of it on the wire. */
  payloadLength: number;
  fragment: PacketFragment | null;
}

function span(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.subarray(start, Math.max(start, end));
}

/** A packet without a transport header: the bytes of a later fragment, or nothing that could be read. */
function withoutTransport(bytes: Uint8Array, network: NetworkLayer): DecodedPacket {
  const { ipv6, protocol, source, destination, fragment, end } = network;
  const isLater = fragment !== null && fragment.offset > 0;
  const start = isLater ? fragment.start : end;
  return {
    ipv6,
    protocol,
    source,
    destination,
    sourcePort: 0,
    destinationPort: 0,
    tcp: null,
    payload: span(bytes, start, end),
    payloadLength: Math.max(0, end - start),
    fragment: fragment && {
      id: fragment.id,
      offset: fragment.offset,
      more: fragment.more,
      isFirst: !isLater,
      isHeaderCut: !isLater,
    },
  };
}

function withTransport(bytes: Uint8Array, network: NetworkLayer, transport: TransportLayer): DecodedPacket {
  const { ipv6, protocol, source, destination, fragment } = network;
  const { sourcePort, destinationPort, tcp, payloadAt, end, payloadLength, whole } = transport;
  const hasPayload = whole || fragment !== null;
  return {
    ipv6,
    protocol,
    source,
    destination,
    sourcePort,
    destinationPort,
    tcp,
    payload: hasPayload ? span(bytes, payloadAt, end) : bytes.subarray(0, 0),
    payloadLength,
    fragment: fragment && {
      id: fragment.id,
      offset: payloadAt - fragment.start,
      more: fragment.more,
      isFirst: true,
      isHeaderCut: !whole,
    },
  };
}

/**
 * Decodes the IP packet at `offset` of a frame that has `wireLength` bytes on the wire, as the kernel's parser does
 * (bpf/parse.h): what cannot be read of a transport header leaves ports 0. A packet without an IP header that makes
 * sense is answered with its class.
 */
export function decodePacket(
  etherType: number,
  bytes: Uint8Array,
  offset: number,
  wireLength: number,
): DecodedPacket | Unattributed {
  const network = networkLayer(etherType, bytes, offset, wireLength);
  if (typeof network === "string") return network;
  const { transportAt, end, protocol, ipv6, fragment } = network;
  if (transportAt === null) return withoutTransport(bytes, network);
  const isFragment = fragment !== null;
  return withTransport(
    bytes,
    network,
    transportLayer(bytes, transportAt, end, { protocol, ipv6, isFragment }),
  );
}
