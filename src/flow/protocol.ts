// IANA Assigned Internet Protocol Numbers, those met in practice.
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "ICMP"],
  [2, "IGMP"],
  [4, "IPv4"],
  [6, "TCP"],
  [17, "UDP"],
  [33, "DCCP"],
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

const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...NAMES].map(([number, name]) => [name.toLowerCase(), number]),
);

const MAX_PROTOCOL = 255;

/** The name of an IP protocol number (IANA): `TCP`, `UDP`, `ICMPv6`, else `IP(n)`. */
export function protocolName(protocol: number): string {
  return NAMES.get(protocol) ?? `IP(${protocol})`;
}

/** The IP protocol number of a name in any case, a decimal number or `IP(n)`; null for anything else. */
export function parseProtocol(text: string): number | null {
  const lower = text.toLowerCase();
  const named = NUMBERS.get(lower);
  if (named !== undefined) return named;
  const digits = /^(?:ip\((\d{1,3})\)|(\d{1,3}))$/.exec(lower);
  const number = Number(digits?.[1] ?? digits?.[2] ?? Number.NaN);
  return number <= MAX_PROTOCOL ? number : null;
}
