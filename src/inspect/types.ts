/** How a DNS message travelled: plain DNS over either transport, multicast DNS (RFC 6762), LLMNR (RFC 4795). */
export type DnsTransport = "udp" | "tcp" | "mdns" | "llmnr";

/** One question that someone asked, and what came of it. */
export interface Lookup {
  /** Of the query, or of the answer where no query was seen. Milliseconds since the epoch. */
  timeMs: number;
  interface: string;
  transport: DnsTransport;
  /** Who asked whom. */
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
  /** As safeText makes it; `.` is the root. */
  name: string;
  /** `A`, `HTTPS`, else `TYPE65280` (RFC 3597). */
  type: string;
  /** `NOERROR`, `NXDOMAIN`, else `RCODE3841`; null while nobody has answered. */
  rcode: string | null;
  /** From the last query seen to the answer; null where one of them was not seen. */
  latencyMs: number | null;
  /** Data of the answer section in presentation form, a bounded number; safe text. */
  answers: readonly string[];
  /** The server cut the answer (TC bit), or the capture did. */
  truncated: boolean;
}

/** What was looked for in a packet or stream. */
export const INSPECTED = ["tls", "quic", "http", "dns", "socks", "other"] as const;
export type Inspected = (typeof INSPECTED)[number];

/**
 * How an inspection ended. `found`: a name (for DNS: a message read); `none`: the protocol, but no name in it;
 * `truncated`: the capture or the sender cut it short; `unparseable`: bytes that the protocol does not allow;
 * `budget`: nothing decided within the bytes and packets that are looked at.
 */
export const OUTCOMES = ["found", "none", "truncated", "unparseable", "budget"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The two ends of a packet as it is on the wire, in text, and the interface it crossed. */
export interface Ends {
  interface: string;
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
}
