/** Valid beginnings of TCP connections, with the name that has to be found in each however it is cut into segments. */
import type { PayloadPacket, Side } from "../../src/inspect/packet.ts";
import { concat, fields, pattern } from "../support/bytes.ts";
import { dnsAnswer, dnsQuery } from "../support/dns.ts";
import { clientHello, serverHello, tlsRecord, tlsRecords } from "../support/tls.ts";
import type { Random } from "./random.ts";
import {
  ascii,
  HTTP_REQUESTS,
  HTTP2_STREAMS,
  NAME,
  PLAIN_SESSIONS,
  PROXY_HEADERS,
  SOCKS_STREAMS,
} from "./seeds.ts";

export interface Session {
  name: string;
  /** What client and server send. */
  client: Uint8Array;
  server: Uint8Array;
  domain: string | null;
  tlsVersion: string | null;
  /** Messages of DNS in both. */
  messages: number;
  /** Whether CONNECT is somewhere in it. */
  isHttpConnect: boolean;
  port: number;
}

export const INNER = "inner.example";
const SERVER_RECORDS = concat(tlsRecords(serverHello({ version: 0x0304 })), tlsRecord(pattern(300), 23));
const HTTP_CONNECT = HTTP_REQUESTS[2]!;
const HTTP_OK = ascii("HTTP/1.1 200 OK\r\n\r\n");
const SOCKS_NAMED = SOCKS_STREAMS[2]!;
const SMTP = PLAIN_SESSIONS[0]!;
const POSTGRES = PLAIN_SESSIONS[6]!;

function hello(random: Random): Uint8Array {
  const extensions = random.oneIn(2) ? [] : [{ type: 21, data: new Uint8Array(random.below(7000)) }];
  const message = clientHello({ serverName: INNER, alpn: ["h2"], extensions });
  return tlsRecords(message, random.oneIn(2) ? [] : [random.below(40), random.below(message.length)]);
}

const framed = (message: Uint8Array) => concat(fields([message.length, 2]), message);

type Kind = (random: Random) => Partial<Session> & Pick<Session, "client">;

const overTls = (client: Uint8Array, server: Uint8Array): Kind => {
  return (random) => ({
    client: concat(client, hello(random)),
    server: concat(server, SERVER_RECORDS),
    domain: INNER,
    tlsVersion: "TLS 1.3",
  });
};
const http =
  (client: Uint8Array): Kind =>
  () => ({ client, server: HTTP_OK, domain: NAME });
const NOTHING = new Uint8Array();

const KINDS: Readonly<Record<string, Kind>> = {
  tls: overTls(NOTHING, NOTHING),
  "tls behind CONNECT": overTls(HTTP_CONNECT, HTTP_OK),
  "tls behind SOCKS": overTls(SOCKS_NAMED, Uint8Array.of(5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0)),
  "tls behind SMTP": overTls(SMTP, ascii("220 mx.example ESMTP\r\n250 STARTTLS\r\n220 go\r\n")),
  "tls behind PostgreSQL": overTls(POSTGRES, ascii("S")),
  "tls behind PROXY": overTls(PROXY_HEADERS[0]!, NOTHING),
  "tls behind PROXY and SMTP": overTls(concat(PROXY_HEADERS[1]!, SMTP), ascii("220 x\r\n")),
  "tls behind SOCKS and CONNECT": overTls(concat(SOCKS_NAMED, HTTP_CONNECT), ascii("x")),
  http: http(HTTP_REQUESTS[0]!),
  "http behind PROXY": http(concat(PROXY_HEADERS[1]!, HTTP_REQUESTS[1]!)),
  "http behind SOCKS": http(concat(SOCKS_STREAMS[1]!, HTTP_REQUESTS[5]!)),
  http2: () => ({ client: HTTP2_STREAMS[0]!, domain: NAME }),
  dns: (random) => {
    const names = Array.from({ length: random.between(1, 5) }, (_, index) => `n${index}.example`);
    return {
      client: concat(...names.map((name) => framed(dnsQuery(name)))),
      server: concat(...names.map((name) => framed(dnsAnswer(name, [])))),
      messages: names.length * 2,
      port: 53,
    };
  },
};

export function randomSession(random: Random): Session {
  const name = random.pick(Object.keys(KINDS));
  const { client, ...rest } = KINDS[name]!(random);
  const isHttpConnect = name.includes("CONNECT");
  const none = { server: NOTHING, domain: null, tlsVersion: null, messages: 0, port: 443 };
  return { name, client, isHttpConnect, ...none, ...rest };
}

/** A range of what one side sends. */
export interface Segment {
  side: Side;
  start: number;
  end: number;
}

/** All of `bytes` in at most `most` segments in order, some of which overlap or come twice. */
export function segments(random: Random, side: Side, bytes: Uint8Array, most: number): Segment[] {
  if (bytes.length === 0) return [];
  const cuts = Array.from({ length: random.below(Math.ceil(most / 2)) }, () => random.below(bytes.length));
  const starts = [...new Set([0, ...cuts])].toSorted((a, b) => a - b);
  return starts.flatMap((start, index) => {
    const end = starts[index + 1] ?? bytes.length;
    const segment = {
      side,
      start: random.oneIn(4) ? random.below(start + 1) : start,
      end: random.oneIn(4) ? random.between(end, bytes.length) : end,
    };
    return random.oneIn(4) ? [segment, { side, start, end }] : [segment];
  });
}

/** The same in any order. */
export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: random.u32() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Both in their order, one among the other. */
export function interleaved<T>(random: Random, one: readonly T[], other: readonly T[]): T[] {
  const [a, b] = [[...one], [...other]];
  return Array.from({ length: a.length + b.length }, () => {
    const next = b.length === 0 || (a.length > 0 && random.oneIn(2)) ? a.shift() : b.shift();
    if (next === undefined) throw new RangeError("nothing is left");
    return next;
  });
}

/** The packet that carries a segment of a session; sequence numbers begin at `starts`. */
export function packetOf(
  { side, start, end }: Segment,
  { client, server, port }: Pick<Session, "client" | "server" | "port">,
  starts: readonly [number, number],
  isStartKnown = true,
): PayloadPacket {
  const bytes = (side === 0 ? client : server).subarray(start, end);
  return {
    connection: 1,
    side,
    sourcePort: side === 0 ? 40_000 : port,
    destinationPort: side === 0 ? port : 40_000,
    protocol: 6,
    timeMs: 0,
    sequence: (starts[side] + start) >>> 0,
    start: isStartKnown ? starts[side] : null,
    fragment: null,
    segment: 0,
    bytes,
    length: bytes.length,
  };
}
