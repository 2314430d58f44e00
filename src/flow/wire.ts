import type { Direction } from "./types.ts";

const IPV4_OFFSET = 12;

/** The address bytes of one side as they are on the wire: 4 for IPv4, 16 for IPv6. */
export function wireAddress(bytes: Uint8Array, ipv6: boolean): Uint8Array {
  return ipv6 ? bytes : bytes.subarray(IPV4_OFFSET);
}

/** `hook` of the kernel side as a word. */
export function directionName(hook: number): Direction {
  return hook === 0 ? "ingress" : "egress";
}
