import { u16, u32 } from "./numbers.ts";

/** EtherTypes (IEEE 802 numbers at IANA). */
export const ETHER_TYPE_IPV4 = 0x0800;
export const ETHER_TYPE_IPV6 = 0x86dd;
/** What is known not to be IP and has no EtherType of its own. */
const ETHER_TYPE_NONE = 0;
const VLAN_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];
const ETHER_TYPE_MPLS = 0x8847;
const ETHER_TYPE_PPPOE_SESSION = 0x8864;
/** Below this, an Ethernet type is a length, and an LLC header follows (IEEE 802.3 section 3.2.6). */
const MIN_ETHER_TYPE = 0x0600;
const MAX_VLAN_TAGS = 4;
/** Service access points of both ends. */
const LLC_SNAP = 0xaaaa;
const LLC_IP = 0x0606;
const LLC_UNNUMBERED = 0x03;
const MAX_MPLS_LABELS = 16;

const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;

/** What follows a frame's link header: EtherType, 0 where there is none, and where it begins. */
export interface LinkLayer {
  etherType: number;
  offset: number;
}

type LinkParser = (bytes: Uint8Array) => LinkLayer | null;

/** IP by its version, the first four bits. */
function rawIp(bytes: Uint8Array, offset: number): LinkLayer | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  const version = first >> 4;
  const etherType = version === 4 ? ETHER_TYPE_IPV4 : version === 6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_NONE;
  return { etherType, offset };
}

/** A stack of MPLS labels (RFC 3032); IP by its version below (RFC 4928 keeps other payloads off 4 and 6). */
function mpls(bytes: Uint8Array, start: number): LinkLayer | null {
  for (let label = 0; label < MAX_MPLS_LABELS; label++) {
    const offset = start + label * 4;
    if (offset + 4 > bytes.length) return null;
    const isBottom = ((bytes[offset + 2] ?? 0) & 1) === 1;
    if (isBottom) return rawIp(bytes, offset + 4);
  }
  return { etherType: ETHER_TYPE_NONE, offset: start };
}

/** What follows a PPP header (RFC 1661 section 2), whose protocol may be compressed to a byte (its section 6.5). */
function ppp(bytes: Uint8Array, start: number): LinkLayer | null {
  const first = bytes[start];
  const isShort = first !== undefined && (first & 1) === 1;
  const offset = start + (isShort ? 1 : 2);
  if (first === undefined || offset > bytes.length) return null;
  const protocol = isShort ? first : u16(bytes, start);
  if (protocol === PPP_MPLS) return mpls(bytes, offset);
  const etherType =
    protocol === PPP_IPV4 ? ETHER_TYPE_IPV4 : protocol === PPP_IPV6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_NONE;
  return { etherType, offset };
}

/** PPP, perhaps in HDLC-like framing (RFC 1662 section 3.1), or Cisco's HDLC with an EtherType (RFC 1547 section 4.3.1). */
function hdlcPpp(bytes: Uint8Array): LinkLayer | null {
  const head = u16(bytes, 0);
  if (head === 0xff03) return ppp(bytes, 2);
  if (head === 0x0f00 || head === 0x8f00) return bytes.length < 4 ? null : ether(bytes, u16(bytes, 2), 4);
  return ppp(bytes, 0);
}

/** A session packet of PPPoE (RFC 2516 section 4): version and type 1, code 0. */
function pppoe(bytes: Uint8Array, offset: number): LinkLayer | null {
  if (offset + 6 > bytes.length) return null;
  if (u16(bytes, offset) !== 0x1100) return { etherType: ETHER_TYPE_NONE, offset };
  return ppp(bytes, offset + 6);
}

/** LLC (IEEE 802.2): SNAP without an organization, so that an EtherType follows (RFC 1042), or IP's own number. */
function llc(bytes: Uint8Array, offset: number): LinkLayer {
  const access = u16(bytes, offset);
  const isUnnumbered = bytes[offset + 2] === LLC_UNNUMBERED;
  if (access === LLC_IP && isUnnumbered) return { etherType: ETHER_TYPE_IPV4, offset: offset + 3 };
  const isSnap = access === LLC_SNAP && isUnnumbered && offset + 8 <= bytes.length;
  const organization = u32(bytes, offset + 2) & 0xffffff;
  if (!isSnap || organization !== 0) return { etherType: ETHER_TYPE_NONE, offset };
  return { etherType: u16(bytes, offset + 6), offset: offset + 8 };
}

/** What is found behind `type`: through VLAN tags, then at most one of LLC, PPPoE and MPLS. */
function ether(bytes: Uint8Array, type: number, start: number): LinkLayer | null {
  let etherType = type;
  let offset = start;
  for (let tags = 0; tags < MAX_VLAN_TAGS && VLAN_TYPES.includes(etherType); tags++) {
    if (offset + 4 > bytes.length) return null;
    etherType = u16(bytes, offset + 2);
    offset += 4;
  }
  if (etherType < MIN_ETHER_TYPE) return llc(bytes, offset);
  if (etherType === ETHER_TYPE_PPPOE_SESSION) return pppoe(bytes, offset);
  if (etherType === ETHER_TYPE_MPLS) return mpls(bytes, offset);
  return { etherType, offset };
}

/** A header of `length` bytes with the EtherType at `typeAt`. */
function typedHeader(length: number, typeAt: number): LinkParser {
  return (bytes) => (bytes.length < length ? null : ether(bytes, u16(bytes, typeAt), length));
}

const AF_INET = 2;
/** Windows, NetBSD and OpenBSD, FreeBSD, macOS. */
const AF_INET6: readonly number[] = [23, 24, 28, 30];

/** BSD's loopback: an address family in the byte order of the host that captured (NULL), or of the network (LOOP). */
function loopback(bytes: Uint8Array): LinkLayer | null {
  if (bytes.length < 4) return null;
  // A family is below 256: it stands in the first byte or the last.
  const family = (bytes[0] ?? 0) | (bytes[3] ?? 0);
  const isFamily = u16(bytes, 1) === 0 && (bytes[0] === 0 || bytes[3] === 0);
  let etherType = ETHER_TYPE_NONE;
  if (isFamily && family === AF_INET) etherType = ETHER_TYPE_IPV4;
  else if (isFamily && AF_INET6.includes(family)) etherType = ETHER_TYPE_IPV6;
  return { etherType, offset: 4 };
}

const raw: LinkParser = (bytes) => rawIp(bytes, 0);

const PARSERS: ReadonlyMap<number, LinkParser> = new Map([
  [0, loopback],
  [1, typedHeader(14, 12)],
  [9, hdlcPpp],
  // The numbers that raw IP had on some systems before it had one for files.
  [12, raw],
  [14, raw],
  [50, hdlcPpp],
  [101, raw],
  [108, loopback],
  [113, typedHeader(16, 14)],
  [228, (bytes) => (bytes.length === 0 ? null : { etherType: ETHER_TYPE_IPV4, offset: 0 })],
  [229, (bytes) => (bytes.length === 0 ? null : { etherType: ETHER_TYPE_IPV6, offset: 0 })],
  [276, typedHeader(20, 0)],
]);

/** Whether `linkLayer` knows this link type. */
export function isKnownLinkType(linkType: number): boolean {
  return PARSERS.has(linkType);
}

/**
 * Finds what a frame's link header carries; null when the frame is cut short in it, or its link type is not known.
 * EtherType 0 is something that is not IP. Tunnels are not looked into, being IP packets themselves.
 */
export function linkLayer(linkType: number, bytes: Uint8Array): LinkLayer | null {
  return PARSERS.get(linkType)?.(bytes) ?? null;
}
