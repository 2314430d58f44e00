import type { NumberField } from "./types.ts";

/** What a test looks at. */
export type Field =
  | "address"
  | "port"
  | "proto"
  | "iface"
  | "dir"
  | "domain"
  | "source"
  | "alpn"
  | "ja4"
  | "state"
  | NumberField;

/** Keywords by what may follow them in the grammar. */
export const END_WORDS = ["src", "dst", "client", "server"] as const;
export const ADDRESS_WORDS = ["host", "net"] as const;
export const PORT_WORDS = ["port", "portrange"] as const;
export const NUMBER_WORDS = ["bytes", "packets", "rtt", "retrans"] as const;
export const VALUE_WORDS = ["proto", "iface", "dir", "domain", "source", "alpn", "ja4", "state"] as const;
/** Tests that are one word. */
export const BARE_WORDS = ["tcp", "udp", "icmp", "icmp6", "ip", "ip6", "ingress", "egress"] as const;
export const LOGIC_WORDS = ["and", "or", "not"] as const;
/** Other words for the same, as the API and tcpdump have them. */
export const ALIASES = {
  protocol: "proto",
  interface: "iface",
  direction: "dir",
  retransmits: "retrans",
  inbound: "ingress",
  outbound: "egress",
} as const;

export type BareWord = (typeof BARE_WORDS)[number];

/** Words that a test can begin with. */
export const TEST_WORDS: readonly string[] = [
  ...ADDRESS_WORDS,
  ...END_WORDS,
  ...PORT_WORDS,
  ...VALUE_WORDS,
  ...NUMBER_WORDS,
  ...BARE_WORDS,
];

/** What each keyword means, in a few words. */
export const HINTS: Readonly<Record<string, string>> = {
  host: "address or network of either end",
  net: "same as host",
  src: "sender of a packet; else the client",
  dst: "receiver of a packet; else the server",
  client: "the end that opened the connection",
  server: "the end that was called",
  port: "port of either end",
  portrange: "ports of either end, low-high",
  proto: "IP protocol",
  iface: "network interface, * and ? allowed",
  dir: "ingress or egress",
  domain: "name, *.name for it and all below, none",
  source: "where the name came from",
  alpn: "application protocol offered",
  ja4: "fingerprint of the TLS client",
  state: "TCP state, live connections only",
  bytes: "both ways, as in bytes > 1M",
  packets: "both ways, as in packets < 100",
  rtt: "round trip, as in rtt >= 20ms",
  retrans: "segments sent again, both ways",
  tcp: "proto tcp",
  udp: "proto udp",
  icmp: "proto icmp",
  icmp6: "proto icmpv6",
  ip: "IPv4",
  ip6: "IPv6",
  ingress: "dir ingress",
  egress: "dir egress",
  and: "both",
  or: "one of them",
  not: "the opposite",
};

const CANONICAL: ReadonlyMap<string, string> = new Map(Object.entries(ALIASES));

/** A keyword in lower case, the usual one for an alias. */
export function canonicalWord(word: string): string {
  const lower = word.toLowerCase();
  return CANONICAL.get(lower) ?? lower;
}

/** The field of a keyword that has values. */
export function fieldOf(word: string): Field {
  if (PORT_WORDS.some((known) => known === word)) return "port";
  return [...VALUE_WORDS, ...NUMBER_WORDS].find((field) => field === word) ?? "address";
}
