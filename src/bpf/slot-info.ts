import { ENUMS } from "./layout.gen.ts";

const INFO = ENUMS.ayaflow_info;
const META = ENUMS.ayaflow_meta;

/** A connection's packets and bytes by side; side A is the lower (address, port) of the key. */
export interface SideCounters {
  packetsA: number;
  bytesA: number;
  packetsB: number;
  bytesB: number;
}

/** The two parts of the TCP handshake's round trip, in nanoseconds, 0 where not seen; they saturate at 4.29 s. */
export interface Handshake {
  rttServerNs: number;
  rttClientNs: number;
}

/** The whole round trip, SYN to the ACK that completes, as Wireshark has it; null unless both parts were seen. */
export function handshakeNs({ rttServerNs, rttClientNs }: Handshake): number | null {
  return rttServerNs === 0 || rttClientNs === 0 ? null : rttServerNs + rttClientNs;
}

/** What a slot says of its connection apart from the counters. */
export interface SlotDetail extends Handshake {
  addressA: Uint8Array;
  addressB: Uint8Array;
  portA: number;
  portB: number;
  /** Side that is the client: 0 for A. */
  client: 0 | 1;
  /** How the client's packets cross the interface: 0 ingress, 1 egress. */
  clientDirection: number;
  state: number;
  firstBootNs: number;
  lastJiffies: number;
  retransmits: [number, number];
  outOfOrder: [number, number];
  flags: [number, number];
}

/** IP protocol, family and interface of a key's `meta` word. */
export function splitMeta(meta: number): { protocol: number; ipv6: boolean; ifindex: number } {
  return {
    protocol: meta & 0xff,
    ipv6: (meta & META.AYAFLOW_META_IPV6) !== 0,
    ifindex: meta >>> META.AYAFLOW_META_IFINDEX_SHIFT,
  };
}

/** Side that is the client, of a slot's `info`: 0 for A. */
export function clientOf(info: number): 0 | 1 {
  return info & INFO.AYAFLOW_INFO_CLIENT_B ? 1 : 0;
}

/** How the packets of side A (0) or B (1) cross the interface: the kernel notes how the first one did, whoever sent it. */
export function directionOf(info: number, side: 0 | 1): number {
  const first = info & INFO.AYAFLOW_INFO_FIRST_B ? 1 : 0;
  const firstDirection = info & INFO.AYAFLOW_INFO_FIRST_EGRESS ? 1 : 0;
  return side === first ? firstDirection : 1 - firstDirection;
}

/** How the client's packets do: 0 ingress, 1 egress. */
export function clientDirectionOf(info: number): number {
  return directionOf(info, clientOf(info));
}
