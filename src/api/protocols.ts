// IANA Assigned Internet Protocol Numbers, those met in practice.
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "ICMP"],
  [2, "IGMP"],
  [4, "IPv4"],
  [6, "TCP"],
  [17, "UDP"],
  [41, "IPv6"],
  [47, "GRE"],
  [50, "ESP"],
  [51, "AH"],
  [58, "ICMPv6"],
  [89, "OSPF"],
  [103, "PIM"],
  [112, "VRRP"],
  [132, "SCTP"],
  [136, "UDPLite"],
]);

const NUMBERS = new Map([...NAMES].map(([number, name]) => [name.toLowerCase(), number]));

/** The IANA name of an IP protocol number, or the number itself in decimal. */
export function protocolName(protocol: number): string {
  return NAMES.get(protocol) ?? String(protocol);
}

/** An IP protocol number from its name in any case or its decimal number; undefined for anything else. */
export function parseProtocol(text: string): number | undefined {
  const byName = NUMBERS.get(text.toLowerCase());
  if (byName !== undefined) return byName;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}
