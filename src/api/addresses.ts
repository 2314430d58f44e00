import ipaddr from "ipaddr.js";
import { AyaflowError } from "../errors.ts";
import { isNetwork } from "../flow/network.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

const MAPPED_PREFIX_BITS = 96;

/** An IPv4 or IPv6 literal; IPv4-mapped addresses become IPv4, zones are dropped. Undefined if it is neither. */
function parseAddress(text: string): Address | undefined {
  const zone = text.indexOf("%");
  const bare = zone === -1 ? text : text.slice(0, zone);
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  if (!ipaddr.IPv6.isValid(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** The canonical text of an address (RFC 5952 for IPv6), or undefined if `text` is not an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address?.toString();
}

/** An address or CIDR as parseNetwork of flow takes it, or undefined if `text` is neither. */
export function canonicalNetwork(text: string): string | undefined {
  const [base = "", ...prefix] = text.split("/");
  const network = [canonicalAddress(base) ?? "", ...prefix].join("/");
  return isNetwork(network) ? network : undefined;
}

export function isLoopback(text: string): boolean {
  return text === "localhost" || parseAddress(text)?.range() === "loopback";
}

function parseRange(text: string): Range {
  const [base = "", prefix, ...rest] = text.trim().split("/");
  const address = parseAddress(base);
  const isMapped = address instanceof ipaddr.IPv4 && base.includes(":");
  const width = address instanceof ipaddr.IPv4 && !isMapped ? 32 : 128;
  const bits = prefix === undefined ? width : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  const least = isMapped ? MAPPED_PREFIX_BITS : 0;
  if (address === undefined || rest.length > 0 || bits < least || bits > width) {
    throw new AyaflowError(
      `allowed_ips: "${text}" is not a CIDR; write for example 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32`,
    );
  }
  return [address, isMapped ? bits - MAPPED_PREFIX_BITS : bits];
}

/**
 * A test of peer addresses against CIDRs (a bare address is a range of one); an empty list allows every address.
 * Throws AyaflowError for what is not a CIDR.
 */
export function createAllowList(cidrs: readonly string[]): (peer: string) => boolean {
  const ranges = cidrs.map(parseRange);
  if (ranges.length === 0) return () => true;
  return (peer) => {
    const address = parseAddress(peer);
    if (address === undefined) return false;
    return ranges.some(
      ([base, bits]) =>
        base.kind() === address.kind() && address.match([base, bits] as [ipaddr.IPv4, number]),
    );
  };
}

/** `address:port`, IPv6 as `[address]:port`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
