import ipaddr from "ipaddr.js";

const MAPPED_PREFIX_BITS = 96;

function isIpv6(text: string): boolean {
  // A zone (RFC 4007) names a link of this host: it means nothing in an allow list or to a listener.
  return !text.includes("%") && ipaddr.IPv6.isValid(text);
}

/** Whether `text` is an IPv4 or IPv6 address or CIDR, as the API's allow list takes it. */
export function isCidr(text: string): boolean {
  const [base = "", prefix, ...rest] = text.split("/");
  const isV4 = ipaddr.IPv4.isValidFourPartDecimal(base);
  if (rest.length > 0 || (!isV4 && !isIpv6(base))) return false;
  if (prefix === undefined) return true;
  const isMapped = !isV4 && ipaddr.IPv6.parse(base).isIPv4MappedAddress();
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  return bits >= (isMapped ? MAPPED_PREFIX_BITS : 0) && bits <= (isV4 ? 32 : 128);
}

/**
 * The address to listen on: an IPv4 or IPv6 literal, brackets removed; `localhost` is 127.0.0.1, so that it does not
 * depend on a resolver. Undefined for anything else.
 */
export function parseListenAddress(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === "localhost") return "127.0.0.1";
  if (ipaddr.IPv4.isValidFourPartDecimal(trimmed)) return trimmed;
  const bare = /^\[(.*)\]$/.exec(trimmed)?.[1] ?? trimmed;
  return isIpv6(bare) ? ipaddr.IPv6.parse(bare).toRFC5952String() : undefined;
}
