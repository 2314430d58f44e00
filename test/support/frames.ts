/** Ethernet frames built byte by byte, for packets that a real program would not send. */
import { addressBytes, checksum, concat, fields, macBytes, withUint16 } from "./bytes.ts";
import { PROTOCOL, padTo4, protocolOf, type Transport, transportBytes } from "./transport.ts";

export { concat, pattern } from "./bytes.ts";
export { PROTOCOL, TCP, type Transport } from "./transport.ts";

export const ETHER_TYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd, qinq: 0x88a8 } as const;

export interface Vlan {
  id: number;
  /** 0x8100 unless given; 0x88a8 for a service tag (802.1ad). */
  tpid?: number;
  priority?: number;
}

/** One IPv6 extension header (RFC 8200). `data` follows the two first bytes and is padded to the header's unit. */
export interface Extension {
  type: "hop_by_hop" | "routing" | "destination" | "authentication" | "mobility";
  data?: Uint8Array;
}

const EXTENSION_NUMBER = {
  hop_by_hop: 0,
  routing: 43,
  authentication: 51,
  destination: 60,
  mobility: 135,
} as const;
const FRAGMENT_HEADER = 44;
const NO_NEXT_HEADER = 59;

export interface PacketSpec {
  /** Both IPv4 or both IPv6. */
  source: string;
  destination: string;
  transport: Transport;
  ttl?: number;
  identification?: number;
  /** IPv4 options, padded to a multiple of 4. */
  options?: Uint8Array;
  extensions?: Extension[];
}

export interface FrameSpec extends PacketSpec {
  /** Outermost first. */
  vlans?: Vlan[];
  sourceMac?: string;
  destinationMac?: string;
}

export const SOURCE_MAC = "02:00:00:00:00:01";
export const DESTINATION_MAC = "02:00:00:00:00:02";

/** `payload` behind an Ethernet header, with VLAN tags outermost first. Not padded to 60 bytes. */
export function ethernet(
  etherType: number,
  payload: Uint8Array,
  options: { vlans?: readonly Vlan[]; sourceMac?: string; destinationMac?: string } = {},
): Uint8Array {
  const tags = (options.vlans ?? []).map((tag) =>
    fields([tag.tpid ?? ETHER_TYPE.vlan, 2], [((tag.priority ?? 0) << 13) | tag.id, 2]),
  );
  const addresses = [options.destinationMac ?? DESTINATION_MAC, options.sourceMac ?? SOURCE_MAC].map(
    macBytes,
  );
  return concat(...addresses, ...tags, fields([etherType, 2]), payload);
}

/** Where a piece of a packet lies in the whole: `offset` in bytes, a multiple of 8. */
interface Piece {
  offset: number;
  more: boolean;
}

function ipv4(spec: PacketSpec, payload: Uint8Array, piece: Piece): Uint8Array {
  const options = padTo4(spec.options ?? new Uint8Array());
  const headerLength = 20 + options.length;
  const header = concat(
    fields(
      [0x40 | (headerLength / 4), 1],
      [0, 1],
      [headerLength + payload.length, 2],
      [spec.identification ?? 1, 2],
      [(piece.more ? 0x2000 : 0) | (piece.offset / 8), 2],
      [spec.ttl ?? 64, 1],
      [protocolOf(spec.transport, false), 1],
      [0, 2],
    ),
    addressBytes(spec.source),
    addressBytes(spec.destination),
    options,
  );
  return concat(withUint16(header, 10, checksum(header)), payload);
}

function extensionBytes(extension: Extension, next: number): Uint8Array {
  const data = extension.data ?? new Uint8Array();
  if (extension.type === "authentication") {
    // RFC 4302: length in 4-byte units minus 2, a whole number of 8-byte units in IPv6.
    const body = concat(data, new Uint8Array(Math.max(0, 14 - data.length)));
    const padded = concat(body, new Uint8Array((8 - ((body.length + 2) % 8)) % 8));
    return concat(fields([next, 1], [(padded.length + 2) / 4 - 2, 1]), padded);
  }
  const options = extension.type === "hop_by_hop" || extension.type === "destination";
  const missing = (8 - ((data.length + 2) % 8)) % 8;
  // PadN (RFC 8200 4.2), or Pad1 for a single byte.
  const pad = new Uint8Array(missing);
  if (options && missing >= 2) pad.set([1, missing - 2]);
  const body = concat(data, pad);
  return concat(fields([next, 1], [(body.length + 2) / 8 - 1, 1]), body);
}

function ipv6(spec: PacketSpec, payload: Uint8Array, piece: Piece | null): Uint8Array {
  const upper = protocolOf(spec.transport, true);
  const chain = (spec.extensions ?? []).map((extension) => ({
    extension,
    number: EXTENSION_NUMBER[extension.type],
  }));
  const numbers: number[] = [
    ...chain.map(({ number }) => number),
    ...(piece === null ? [] : [FRAGMENT_HEADER]),
    upper,
  ];
  const headers = chain.map(({ extension }, index) =>
    extensionBytes(extension, numbers[index + 1] ?? NO_NEXT_HEADER),
  );
  if (piece !== null) {
    headers.push(
      fields([upper, 1], [0, 1], [piece.offset | (piece.more ? 1 : 0), 2], [spec.identification ?? 1, 4]),
    );
  }
  const body = concat(...headers, payload);
  return concat(
    fields([0x60000000, 4], [body.length, 2], [numbers[0] ?? NO_NEXT_HEADER, 1], [spec.ttl ?? 64, 1]),
    addressBytes(spec.source),
    addressBytes(spec.destination),
    body,
  );
}

function isIpv6(spec: PacketSpec): boolean {
  return spec.source.includes(":");
}

function transportOf(spec: PacketSpec): Uint8Array {
  return transportBytes(spec.transport, addressBytes(spec.source), addressBytes(spec.destination));
}

/** A whole IP packet, without a link header. */
export function ipPacket(spec: PacketSpec): Uint8Array {
  const payload = transportOf(spec);
  return isIpv6(spec) ? ipv6(spec, payload, null) : ipv4(spec, payload, { offset: 0, more: false });
}

/** A whole Ethernet frame. */
export function frame(spec: FrameSpec): Uint8Array {
  return ethernet(isIpv6(spec) ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4, ipPacket(spec), spec);
}

/** The frames of one packet cut into fragments of at most `size` payload bytes (rounded down to a multiple of 8). */
export function fragments(spec: FrameSpec, size: number): Uint8Array[] {
  const payload = transportOf(spec);
  const unit = Math.max(8, size - (size % 8));
  const count = Math.max(1, Math.ceil(payload.length / unit));
  return Array.from({ length: count }, (_, index) => {
    const piece = { offset: index * unit, more: index < count - 1 };
    const part = payload.subarray(piece.offset, piece.offset + unit);
    return isIpv6(spec)
      ? ethernet(ETHER_TYPE.ipv6, ipv6(spec, part, piece), spec)
      : ethernet(ETHER_TYPE.ipv4, ipv4(spec, part, piece), spec);
  });
}

/** An ARP request, as an example of a frame that is not IP. */
export function arp(sender: string, target: string): Uint8Array {
  const payload = concat(
    fields([1, 2], [ETHER_TYPE.ipv4, 2], [6, 1], [4, 1], [1, 2]),
    macBytes(SOURCE_MAC),
    addressBytes(sender),
    new Uint8Array(6),
    addressBytes(target),
  );
  return ethernet(ETHER_TYPE.arp, payload, { destinationMac: "ff:ff:ff:ff:ff:ff" });
}

/** A tunnel's outer packet around an inner one: GRE (RFC 2784) by default, else IP in IP. */
export function tunnel(
  outer: Omit<FrameSpec, "transport">,
  inner: PacketSpec,
  kind: "gre" | "ip" = "gre",
): Uint8Array {
  const packet = ipPacket(inner);
  const protocol = kind === "gre" ? PROTOCOL.gre : isIpv6(inner) ? 41 : 4;
  const payload =
    kind === "gre"
      ? concat(fields([0, 2], [isIpv6(inner) ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4, 2]), packet)
      : packet;
  return frame({ ...outer, transport: { kind: "raw", protocol, payload } });
}
