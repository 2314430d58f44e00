/** What the parsers are timed with: one case each, with what it has to find. */
import { type ClientHello, readClientHello } from "../../../src/inspect/client-hello.ts";
import { parseDns } from "../../../src/inspect/dns-message.ts";
import { readHttpRequest } from "../../../src/inspect/http.ts";
import { readHttp2 } from "../../../src/inspect/http2.ts";
import { ja4 } from "../../../src/inspect/ja4.ts";
import type { Findings, PayloadPacket, Side } from "../../../src/inspect/packet.ts";
import { QuicInspection } from "../../../src/inspect/quic-inspection.ts";
import { readServerHello } from "../../../src/inspect/server-hello.ts";
import { readSocks } from "../../../src/inspect/socks.ts";
import { TcpInspection } from "../../../src/inspect/tcp-inspection.ts";
import { concat, fields } from "../../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsQuery, nameRecord } from "../../support/dns.ts";
import { tlsRecord } from "../../support/tls.ts";
import { HOST, LARGE_HELLO, QUIC_DATAGRAM, QUIC_SCATTERED, SERVER_STREAM, SMALL_HELLO } from "./hellos.ts";

export interface ParserCase {
  name: string;
  /** Payload that one run looks at. */
  bytes: number;
  /** Does the work once and returns what it found. */
  run: () => string | null;
  finds: string;
}

const SEGMENT_BYTES = 1400;
const ADDRESSES = 8;
/** Of this very hello, which is Chrome's but for the values of its keys. */
const LARGE_JA4 = "t13d1516h2_8daaf6152771_a4fd63cedf09";

const ascii = (text: string) => new TextEncoder().encode(text);
export const SMALL_STREAM = tlsRecord(SMALL_HELLO);
export const LARGE_STREAM = tlsRecord(LARGE_HELLO);
/** A hello cut into the segments that carry it. */
export const LARGE_SEGMENTS = [
  LARGE_STREAM.subarray(0, SEGMENT_BYTES),
  LARGE_STREAM.subarray(SEGMENT_BYTES),
] as const;

export const DNS_QUERY = dnsQuery(HOST);
/** An alias and the addresses of what it leads to. */
export const DNS_ANSWER = dnsAnswer(HOST, [
  nameRecord(HOST, 5, "www.example.com.cdn.example.net"),
  ...Array.from({ length: ADDRESSES }, (_, index) =>
    addressRecord("www.example.com.cdn.example.net", `198.51.100.${index + 1}`),
  ),
]);

const HTTP_HEAD = ascii(
  [
    "GET /assets/app/main.js?v=20240501 HTTP/1.1",
    `Host: ${HOST}`,
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Accept: */*",
    `Referer: http://${HOST}/assets/`,
    "Accept-Encoding: gzip, deflate",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark",
    "\r\n",
  ].join("\r\n"),
);

function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  return concat(fields([0, 1], [payload.length, 2], [type, 1], [flags, 1], [stream, 4]), payload);
}

/** GET, scheme and path by index, the authority and two more fields as literals: curl --http2-prior-knowledge. */
const HTTP2_FIELDS = concat(
  Uint8Array.of(0x82, 0x86, 0x84, 0x41, HOST.length),
  ascii(HOST),
  Uint8Array.of(0x7a, 11),
  ascii("curl/7.88.1"),
  Uint8Array.of(0x53, 3),
  ascii("*/*"),
);
const HTTP2_START = concat(
  ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  http2Frame(4, 0, 0, fields([3, 2], [100, 4], [4, 2], [0x2000000, 4], [2, 2], [0, 4])),
  http2Frame(8, 0, 0, fields([0x1ff0001, 4])),
  http2Frame(1, 5, 1, HTTP2_FIELDS),
);

const SOCKS_REQUEST = concat(
  Uint8Array.of(5, 1, 0, 5, 1, 0, 3, HOST.length),
  ascii(HOST),
  Uint8Array.of(0x01, 0xbb),
);

/** Who sends what, in order, before and with TLS: RFC 3207. */
const SMTP_SESSION: readonly (readonly [Side, Uint8Array])[] = [
  [1, ascii("220 mail.example.com ESMTP\r\n")],
  [0, ascii("EHLO client.example.org\r\n")],
  [1, ascii("250-mail.example.com\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 STARTTLS\r\n")],
  [0, ascii("STARTTLS\r\n")],
  [1, ascii("220 ready\r\n")],
  [0, SMALL_STREAM],
  [1, SERVER_STREAM],
];

/** A packet of a connection to port 443 unless said otherwise. */
export function packetOf(side: Side, bytes: Uint8Array, rest: Partial<PayloadPacket> = {}): PayloadPacket {
  const [sourcePort, destinationPort] = side === 0 ? [40_000, 443] : [443, 40_000];
  return {
    connection: 0,
    side,
    sourcePort,
    destinationPort,
    protocol: 6,
    timeMs: 0,
    sequence: 1,
    start: 1,
    fragment: null,
    segment: 0,
    bytes,
    length: bytes.length,
    ...rest,
  };
}

/** The packets of a conversation, each side's sequence numbers going on. */
export function conversation(sent: readonly (readonly [Side, Uint8Array])[]): PayloadPacket[] {
  const next: [number, number] = [1, 1];
  return sent.map(([side, bytes]) => {
    const sequence = next[side];
    next[side] += bytes.length;
    return packetOf(side, bytes, { sequence });
  });
}

function sizeOf(packets: readonly PayloadPacket[]): number {
  return packets.reduce((sum, { length }) => sum + length, 0);
}

/** A case of packets that one inspection takes until it has a name. */
function inspected(
  name: string,
  packets: readonly PayloadPacket[],
  begin: (findings: Findings) => { packet: (packet: PayloadPacket) => unknown },
): ParserCase {
  let domain: string | null = null;
  const findings: Findings = {
    learn: (update) => {
      domain = update.domain ?? domain;
    },
    count: () => undefined,
    dns: () => false,
  };
  const run = () => {
    domain = null;
    const inspection = begin(findings);
    for (const packet of packets) inspection.packet(packet);
    return domain;
  };
  return { name, bytes: sizeOf(packets), run, finds: HOST };
}

/** A case of a parser that reads the start of a stream. */
function read(
  name: string,
  stream: Uint8Array,
  run: (stream: Uint8Array) => string | null,
  finds = HOST,
): ParserCase {
  return { name, bytes: stream.length, run: () => run(stream), finds };
}

function largeHello(): ClientHello {
  const reading = readClientHello(LARGE_STREAM);
  if (reading.state !== "found") throw new Error("the large hello is none");
  return reading.value;
}

function serverName(stream: Uint8Array): string | null {
  const reading = readClientHello(stream);
  return reading.state === "found" ? reading.value.serverName : null;
}

/** Every parser by itself. */
export function parserCases(): ParserCase[] {
  const hello = largeHello();
  const tcp = (findings: Findings) => new TcpInspection(findings, false);
  const quic = (findings: Findings) => new QuicInspection(findings);
  return [
    read("TLS ClientHello", SMALL_STREAM, serverName),
    read("TLS ClientHello, post-quantum", LARGE_STREAM, serverName),
    inspected(
      "TLS ClientHello in two segments, and JA4",
      conversation(LARGE_SEGMENTS.map((segment) => [0, segment] as const)),
      tcp,
    ),
    { name: "JA4 of a hello that was read", bytes: 0, run: () => ja4(hello, "tcp"), finds: LARGE_JA4 },
    read(
      "TLS ServerHello",
      SERVER_STREAM,
      (stream) => {
        const reading = readServerHello(stream);
        return reading.state === "found" ? reading.value.version.toString(16) : null;
      },
      "304",
    ),
    inspected("QUIC Initial, and JA4", [packetOf(0, QUIC_DATAGRAM, { protocol: 17 })], quic),
    inspected(
      "QUIC Initials, hello scattered, and JA4",
      QUIC_SCATTERED.map((bytes) => packetOf(0, bytes, { protocol: 17 })),
      quic,
    ),
    read("DNS query", DNS_QUERY, (bytes) => {
      const message = parseDns(bytes, { strict: false, isCut: false });
      return message?.questions[0]?.name ?? null;
    }),
    read(
      `DNS answer, ${ADDRESSES + 1} records`,
      DNS_ANSWER,
      (bytes) => String(parseDns(bytes, { strict: false, isCut: false })?.answers.length),
      String(ADDRESSES + 1),
    ),
    read("HTTP request head", HTTP_HEAD, (stream) => {
      const reading = readHttpRequest(stream);
      return reading.state === "found" ? reading.value.host : null;
    }),
    read("HTTP/2 preface and HEADERS", HTTP2_START, (stream) => {
      const reading = readHttp2(stream);
      return reading.state === "found" ? reading.value.authority : null;
    }),
    read("SOCKS5 request", SOCKS_REQUEST, (stream) => {
      const reading = readSocks(stream);
      return reading.state === "found" ? reading.value.host : null;
    }),
    inspected("SMTP session with STARTTLS, both sides, and JA4", conversation(SMTP_SESSION), tcp),
  ];
}
