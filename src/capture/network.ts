import { ETHER_TYPE_IPV4, ETHER_TYPE_IPV6 } from "./link.ts";
import { u16, u32 } from "./numbers.ts";

/** Why a frame belongs to no connection, as the kernel has it: no IP, or an IP header cut short or impossible. */
export type Unattributed = "not_ip" | "malformed";

/** Where a fragment lies in the packet it was cut from. */
export interface FragmentHeader {
  id: number;
  /** Bytes from the start of the IP payload. */
  offset: number;
  more: boolean;
  /** Where the fragment's own bytes begin in the frame. */
  start: number;
}

/** What an IP header says, in offsets into the frame. */
export interface NetworkLayer {
  ipv6: boolean;
  /** Of the transport, or of the extension header where the chain could not be followed. */
  protocol: number;
  source: Uint8Array;
  destination: Uint8Array;
  /** Where the transport header begins; null in a later fragment, or behind a chain that could not be followed. */
  transportAt: number | null;
  /** Where the packet ends on the wire: link padding is behind. The capture may end before. */
  end: number;
  fragment: FragmentHeader | null;
}

const IPV4_HEADER = 20;
const IPV4_OFFSET_MASK = 0x1fff;
const IPV4_MORE = 0x2000;
const IPV6_HEADER = 40;
const IPV6_OFFSET_MASK = 0xfff8;
const IPV6_MORE = 1;
const MAX_EXTENSIONS = 8;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const FRAGMENT_HEADER = 8;
/** Hop-by-hop, routing, fragment, authentication, destination, mobility, HIP, Shim6. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, FRAGMENT, AUTHENTICATION, 60, 135, 139, 140]);

function ipv4(bytes: Uint8Array, at: number, wireLength: number): NetworkLayer | "malformed" {
  if (at + IPV4_HEADER > bytes.length) return "malformed";
  const first = bytes[at] ?? 0;
  const header = (first & 0xf) * 4;
  const total = u16(bytes, at + 2);
  if (first >> 4 !== 4 || header < IPV4_HEADER || at + header > wireLength) return "malformed";
  // The length is 0 in a packet that the network card is to cut into segments.
  if (total < header && total !== 0) return "malformed";
  const field = u16(bytes, at + 6);
  const offset = (field & IPV4_OFFSET_MASK) * 8;
  const more = (field & IPV4_MORE) !== 0;
  const isFragment = more || offset > 0;
  return {
    ipv6: false,
    protocol: bytes[at + 9] ?? 0,
    source: bytes.subarray(at + 12, at + 16),
    destination: bytes.subarray(at + 16, at + 20),
    transportAt: offset > 0 ? null : at + header,
    end: total === 0 ? wireLength : Math.min(at + total, wireLength),
    fragment: isFragment ? { id: u16(bytes, at + 4), offset, more, start: at + header } : null,
  };
}

type Chain = Pick<NetworkLayer, "protocol" | "transportAt" | "fragment">;

/** Steps over IPv6 extension headers (RFC 8200 section 4), as many and as far as the kernel's parser. */
function followChain(bytes: Uint8Array, start: number, next: number): Chain {
  let at = start;
  let protocol = next;
  let fragment: FragmentHeader | null = null;
  for (let count = 0; count < MAX_EXTENSIONS && EXTENSIONS.has(protocol); count++) {
    if (at + 4 > bytes.length) return { protocol, transportAt: null, fragment };
    const units = bytes[at + 1] ?? 0;
    const following = bytes[at] ?? 0;
    if (protocol === FRAGMENT) {
      const field = u16(bytes, at + 2);
      const offset = field & IPV6_OFFSET_MASK;
      const more = (field & IPV6_MORE) !== 0;
      // Whole in spite of the header (RFC 6946) when it neither follows nor is followed by another.
      const isFragment = more || offset > 0;
      fragment = isFragment ? { id: u32(bytes, at + 4), offset, more, start: at + FRAGMENT_HEADER } : null;
      if (offset > 0) return { protocol: following, transportAt: null, fragment };
      at += FRAGMENT_HEADER;
    } else {
      // AH counts 4-byte words less two (RFC 4302), the others 8-byte words less one.
      at += protocol === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
    }
    protocol = following;
  }
  return { protocol, transportAt: EXTENSIONS.has(protocol) ? null : at, fragment };
}

function ipv6(bytes: Uint8Array, at: number, wireLength: number): NetworkLayer | "malformed" {
  if (at + IPV6_HEADER > bytes.length || (bytes[at] ?? 0) >> 4 !== 6) return "malformed";
  const length = u16(bytes, at + 4);
  return {
    ipv6: true,
    source: bytes.subarray(at + 8, at + 24),
    destination: bytes.subarray(at + 24, at + 40),
    // The length is 0 in a jumbogram (RFC 2675), and where the network card is to cut segments.
    end: length === 0 ? wireLength : Math.min(at + IPV6_HEADER + length, wireLength),
    ...followChain(bytes, at + IPV6_HEADER, bytes[at + 6] ?? 0),
  };
}

/**
 * Reads the IP header (RFC 791, RFC 8200) at `offset` of a frame that has `wireLength` bytes on the wire, by the rules of
 * the kernel's parser (bpf/parse.h).
 */
export function networkLayer(
  etherType: number,
  bytes: Uint8Array,
  offset: number,
  wireLength: number,
): NetworkLayer | Unattributed {
  if (etherType === ETHER_TYPE_IPV4) return ipv4(bytes, offset, wireLength);
  if (etherType === ETHER_TYPE_IPV6) return ipv6(bytes, offset, wireLength);
  return "not_ip";
}
