// IANA Assigned Internet Protocol Numbers, those whose ports or messages the agent reads.
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "ICMP"],
  [6, "TCP"],
  [17, "UDP"],
  [58, "ICMPv6"],
  [132, "SCTP"],
]);

const NUMBERS: ReadonlyMap<string, number> = new Map(
  [...NAMES].map(([number, name]) => [name.toLowerCase(), number]),
);

const MAX_PROTOCOL = 255;

/** The name of an IP protocol number (IANA): `TCP`, `UDP`, `ICMP`, `ICMPv6`, `SCTP`, else `IP(n)`. */
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
