/** A day of history as a busy host makes it: a row for each connection that had packets in a window of ten seconds. */
import { type DomainSource, type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { Identity } from "../../../src/history/types.ts";
import type { HistoryRow } from "../../support/history-rows.ts";

export const WINDOW_MS = 10_000;
export const DAY_MS = 86_400_000;
export const CONVERSATIONS = 5000;
export const INTERFACES = ["eth0", "wg0"] as const;
/** Names below one of these; `*.example.com` finds those of the first. */
const PARENTS = ["example.com", "example.net", "example.org", "test.example"] as const;
const UDP = 17;
const TCP = 6;
/** A connection has packets in about so many windows, then its conversation goes on from another port. */
const WINDOWS_OF_CONNECTION = 6;
const FIRST_CLIENT_PORT = 32_768;
const CLIENT_PORTS = 28_000;
/** Every so many conversations one goes to a port of its own, from FIRST_RARE_PORT up. */
const RARE_EVERY = 50;
const FIRST_RARE_PORT = 8000;
const NAMED_EVERY = 5;
export const CLIENTS = 250;
/** Entries of the table that a conversation is drawn from; a power of two. */
const DRAWS = 1 << 16;
/** Most conversations go to one of a few services. */
const SERVICES = [
  [443, TCP],
  [443, TCP],
  [443, UDP],
  [53, UDP],
  [80, TCP],
  [22, TCP],
] as const;
const SOURCES: readonly DomainSource[] = ["sni", "sni", "quic", "dns", "http"];
/** An Ethernet frame with a full IP packet, and one with nothing but headers. */
const FULL_BYTES = 1514;
const SMALL_BYTES = 74;

/** Numbers that look random and are the same in each run: xorshift (Marsaglia 2003), 32 bits. */
export class Random {
  private state = 0x9e3779b9;

  /** From 0 to `below` - 1; `below` at most 2^32. */
  next(below: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return Math.floor(((this.state >>> 0) / 2 ** 32) * below);
  }
}

/** The server port that nothing but conversation `index`, a multiple of RARE_EVERY, uses. */
export function rarePort(index: number): number {
  return FIRST_RARE_PORT + Math.floor(index / RARE_EVERY);
}

/** How many ports `rarePort` gives. */
export const RARE_PORTS = Math.ceil(CONVERSATIONS / RARE_EVERY);

/** Number `index` of the names, of which there are CONVERSATIONS / NAMED_EVERY. */
export function nameOf(index: number): string {
  return `host${index}.${PARENTS[index % PARENTS.length] ?? ""}`;
}

/** How many names `nameOf` gives. */
export const NAMES = CONVERSATIONS / NAMED_EVERY;

/** A fifth of the conversations is named, the most frequent one is not. */
function namingOf(index: number): Naming {
  if (index % NAMED_EVERY !== NAMED_EVERY - 1) return NO_NAMING;
  const number = Math.floor(index / NAMED_EVERY);
  const domainSource = SOURCES[number % SOURCES.length] ?? "sni";
  const hasHello = domainSource === "sni" || domainSource === "quic";
  return {
    ...NO_NAMING,
    domain: nameOf(number),
    domainSource,
    ...(hasHello ? { alpn: ["h2", "http/1.1"], tlsVersion: "TLS 1.3" } : {}),
  };
}

/** Client number `index` of CLIENTS: each has as many conversations as another, but not as frequent ones. */
export function clientAddress(index: number): Uint8Array {
  return Uint8Array.of(10, 0, index >> 7, index & 127);
}

function conversation(index: number): Identity {
  const service = SERVICES[index % SERVICES.length] ?? SERVICES[0];
  return {
    client: clientAddress(index % CLIENTS),
    server: Uint8Array.of(198, 51, index >> 7, index & 127),
    clientPort: FIRST_CLIENT_PORT,
    serverPort: index % RARE_EVERY === 0 ? rarePort(index) : service[0],
    protocol: service[1],
    interface: INTERFACES[index % 10 === 0 ? 1 : 0],
    naming: namingOf(index),
  };
}

/** Each conversation as often as Zipf's law has it: the second has half as many as the first, the third a third. */
function drawTable(): Uint16Array {
  const sum = Array.from({ length: CONVERSATIONS }, (_, index) => 1 / (index + 1)).reduce((a, b) => a + b);
  const table = new Uint16Array(DRAWS);
  let [filled, share] = [0, 0];
  for (let index = 0; index < CONVERSATIONS; index++) {
    share += 1 / (index + 1) / sum;
    // One at least, so that none is missing; the most frequent ones lose what that takes.
    const end = Math.max(filled + 1, Math.floor(share * (DRAWS - CONVERSATIONS)) + index);
    table.fill(index, filled, Math.min(end, DRAWS));
    filled = end;
  }
  table.fill(0, Math.min(filled, DRAWS));
  return table;
}

/** Makes the rows of a day that ends about now, oldest first. */
export class Day {
  /** Milliseconds since the epoch of the first window. */
  readonly startMs: number;
  private readonly random = new Random();
  private readonly draws = drawTable();
  private readonly connections = Array.from({ length: CONVERSATIONS }, (_, index) => conversation(index));
  private made = 0;

  /** A day of `rows` rows altogether. */
  constructor(readonly rows: number) {
    this.startMs = Math.floor((Date.now() - DAY_MS) / WINDOW_MS) * WINDOW_MS;
  }

  /** The next row; called `rows` times. */
  next(): HistoryRow {
    const { random } = this;
    const index = this.draws[random.next(DRAWS)] ?? 0;
    const connection = this.connectionOf(index);
    const window = Math.floor((this.made++ / this.rows) * (DAY_MS / WINDOW_MS));
    const packetsSent = 1 + random.next(20);
    const packetsReceived = random.next(30);
    const isTcp = connection.protocol === TCP;
    return {
      connection,
      timestampMs: this.startMs + window * WINDOW_MS,
      kind: "window",
      direction: index % 4 === 0 ? "ingress" : "egress",
      packetsSent,
      bytesSent: packetsSent * SMALL_BYTES,
      packetsReceived,
      bytesReceived: packetsReceived * FULL_BYTES,
      tcpFlags: isTcp ? 0x18 : 0,
      rttNs: isTcp ? 1_000_000 + random.next(50_000_000) : null,
      retransmits: isTcp ? random.next(2) : 0,
    };
  }

  private connectionOf(index: number): Identity {
    const known = this.connections[index] ?? conversation(index);
    if (this.random.next(WINDOWS_OF_CONNECTION) !== 0) return known;
    const clientPort = FIRST_CLIENT_PORT + this.random.next(CLIENT_PORTS);
    const connection = { ...known, clientPort };
    this.connections[index] = connection;
    return connection;
  }
}
