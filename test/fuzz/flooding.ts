/** Floods of connections that begin a handshake and do not end it, and what they make the process take. */
import { heapStats } from "bun:jsc";
import { readFileSync } from "node:fs";
import { Inspector } from "../../src/inspect/inspector.ts";
import type { PayloadPacket } from "../../src/inspect/packet.ts";
import { concat, fields, pattern } from "../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../support/dns.ts";
import { cryptoFrame, initialPacket } from "../support/quic.ts";
import { clientHello, tlsRecords } from "../support/tls.ts";
import { ascii, headerField, HTTP2_START, http2Frame } from "./seeds.ts";

const KIBIBYTE = 1024;
/** Source ports: none of those of DNS. */
const FIRST_PORT = 10_000;
const PORTS = 50_000;
const TCP = 6;
const UDP = 17;
const HEADERS = 1;
const DATA = 0;
const END_HEADERS = 4;
/** How often the clock moves on and the inspector is told so. */
const TICK_EVERY = 1000;

const HELLO = tlsRecords(
  clientHello({ serverName: "half-open.example", extensions: [{ type: 21, data: pattern(9000) }] }),
);
const FIRST_KIBIBYTE = HELLO.subarray(0, KIBIBYTE);
const CRYPTO = clientHello({
  serverName: "half-open.example",
  extensions: [{ type: 57, data: pattern(1500) }],
});
const INITIAL = initialPacket(cryptoFrame(0, CRYPTO.subarray(0, 1100)));
const LATE_INITIAL = initialPacket(cryptoFrame(16_000, CRYPTO.subarray(0, 200)));
const DNS_MEDIA = headerField("content-type", "application/dns-message");
/** Small fields that each take a place in the table, once it was made as large as may be. */
const FULL_TABLE = concat(
  Uint8Array.of(0x3f, 0xe1, 0xff, 0x03),
  ...Array.from({ length: 1800 }, (_, at) => Uint8Array.of(0x40, 2, 97 + (at % 26), 97 + (at >> 5), 1, 49)),
);
const MANY_BODIES = Array.from({ length: 256 }, (_, at) =>
  concat(
    http2Frame(HEADERS, END_HEADERS, at * 2 + 3, DNS_MEDIA),
    http2Frame(DATA, 0, at * 2 + 3, Uint8Array.of(1)),
  ),
);
const DNS_REQUEST = http2Frame(
  HEADERS,
  END_HEADERS,
  1,
  concat(headerField(":authority", "a.example"), DNS_MEDIA),
);

/** What one connection sends: parts of a stream at their place in it, or datagrams. */
interface Part {
  at: number;
  bytes: Uint8Array;
}

export interface Flood {
  name: string;
  protocol: number;
  port: number;
  parts(connection: number): Part[];
}

/** Parts of a stream in order, in packets that fit the Ethernet. */
function inOrder(bytes: Uint8Array): Part[] {
  const size = 1400;
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => ({
    at: index * size,
    bytes: bytes.subarray(index * size, (index + 1) * size),
  }));
}

const stream = (name: string, ...parts: Part[]): Flood => ({
  name,
  protocol: TCP,
  port: 443,
  parts: () => parts,
});
const datagrams = (name: string, port: number, make: (connection: number) => Uint8Array): Flood => ({
  name,
  protocol: UDP,
  port,
  parts: (connection) => [{ at: 0, bytes: make(connection) }],
});
/** The longest name, every byte of which is written as four characters. */
const longName = (connection: number) =>
  [60, 60, 60, 60]
    .map((length, at) => `${"\u0001".repeat(length - 9)}${at}${String(connection).padStart(8, "0")}`)
    .join(".");

export const FLOODS: readonly Flood[] = [
  stream("one byte", { at: 0, bytes: Uint8Array.of(0x16) }),
  stream("1 KiB of a hello", { at: 0, bytes: FIRST_KIBIBYTE }),
  stream("one byte, 16 KiB ahead", { at: 16_383, bytes: Uint8Array.of(1) }),
  stream(
    "64 ranges",
    ...Array.from({ length: 64 }, (_, at) => ({ at: at * 2 + 1, bytes: Uint8Array.of(at) })),
  ),
  datagrams("QUIC Initial, half a hello", 443, () => INITIAL),
  datagrams("QUIC Initial, 16 KiB ahead", 443, () => LATE_INITIAL),
  stream(
    "HTTP/2, table of fields",
    ...inOrder(concat(HTTP2_START, DNS_REQUEST, http2Frame(HEADERS, END_HEADERS, 3, FULL_TABLE))),
  ),
  stream("HTTP/2, many bodies", ...inOrder(concat(HTTP2_START, DNS_REQUEST, ...MANY_BODIES))),
  stream(
    "HTTP/2, long frame",
    ...inOrder(concat(HTTP2_START, DNS_REQUEST, fields([0, 1], [65_535, 2], [0, 1], [0, 1], [1, 4]))),
  ),
  stream("HTTP request line", ...inOrder(concat(ascii("GET /"), new Uint8Array(9000).fill(0x61)))),
  {
    name: "DNS over TCP",
    protocol: TCP,
    port: 53,
    parts: () => [{ at: 0, bytes: concat(fields([30, 2]), dnsQuery("a.example").subarray(0, 20)) }],
  },
  datagrams("DNS questions, long names", 53, (connection) => dnsQuery(longName(connection))),
  // Multicast DNS is learned from without a question.
  datagrams("mDNS answers, long names", 5353, (connection) => {
    const name = `${longName(connection)}.local`;
    const address = `10.${connection >> 16}.${(connection >> 8) & 255}.${connection & 255}`;
    return dnsAnswer(name, [addressRecord(name, address)]);
  }),
];

export interface FloodReport {
  name: string;
  connections: number;
  /** Inspections under way in the end, and given up before. */
  size: number;
  evicted: number;
  /** Questions that wait and addresses that have a name. */
  lookups: number;
  addresses: number;
  /** Bytes that the inspections take by their own account: in the end, and the most there ever were. */
  stated: number;
  mostStated: number;
  /** Bytes in use that were not before, garbage collected. */
  heap: number;
  /** The most that the process ever took more than before: garbage goes when the runtime sees fit. */
  resident: number;
  seconds: number;
}

async function heapBytes(): Promise<number> {
  // The stack of this turn may hold on to garbage.
  await Bun.sleep(1);
  Bun.gc(true);
  Bun.gc(true);
  return heapStats().heapSize;
}

/** Memory of the process: now, or the most that it ever was. */
function residentBytes(which: "VmRSS" | "VmHWM"): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * KIBIBYTE;
}

function packets(flood: Flood, connection: number, timeMs: number): PayloadPacket[] {
  const { protocol, port } = flood;
  return flood.parts(connection).map(({ at, bytes }) => ({
    connection,
    side: 0,
    sourcePort: FIRST_PORT + (connection % PORTS),
    destinationPort: port,
    protocol,
    timeMs,
    sequence: (1000 + at) >>> 0,
    start: protocol === TCP ? 1000 : null,
    fragment: null,
    segment: 0,
    bytes,
    length: bytes.length,
  }));
}

/** Sends the flood from as many connections, none of which ever ends, and measures. */
export async function runFlood(flood: Flood, connections: number): Promise<FloodReport> {
  const inspector = new Inspector({
    ends: (connection) => ({
      interface: "eth0",
      source: `10.${(connection >> 16) & 255}.${(connection >> 8) & 255}.${connection & 255}`,
      sourcePort: FIRST_PORT + (connection % PORTS),
      destination: "192.0.2.1",
      destinationPort: flood.port,
    }),
    learn: () => undefined,
    want: () => undefined,
    lookup: () => undefined,
  });
  const { pool } = inspector;
  const heapBefore = await heapBytes();
  const residentBefore = residentBytes("VmRSS");
  const started = performance.now();
  let mostStated = 0;
  for (let connection = 0; connection < connections; connection++) {
    for (const packet of packets(flood, connection, connection / TICK_EVERY)) inspector.packet(packet);
    if (pool.memory > mostStated) mostStated = pool.memory;
    if (connection % TICK_EVERY === 0) inspector.tick(connection / TICK_EVERY);
  }
  const seconds = (performance.now() - started) / 1000;
  const resident = residentBytes("VmHWM") - residentBefore;
  const heap = (await heapBytes()) - heapBefore;
  return {
    name: flood.name,
    connections,
    size: pool.size,
    evicted: pool.evicted,
    lookups: inspector.lookups.size,
    addresses: inspector.addresses.size,
    stated: pool.memory,
    mostStated,
    heap,
    resident,
    seconds,
  };
}
