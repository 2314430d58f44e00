/** First bytes of protocols that are not built elsewhere, valid ones. */
import { concat, fields, pattern } from "../support/bytes.ts";

export const NAME = "www.example.com";

export const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

const CR_LF = "\r\n";
const heads = (...lines: string[]) => ascii(lines.join(CR_LF) + CR_LF + CR_LF);

export const HTTP_REQUESTS = [
  heads("GET / HTTP/1.1", `Host: ${NAME}`, "Accept: */*"),
  heads("POST /a?b=c HTTP/1.1", "User-Agent: x", `host:  ${NAME}:8080  `, "Content-Length: 3"),
  heads(
    "CONNECT www.example.com:443 HTTP/1.1",
    "Host: www.example.com:443",
    "Proxy-Authorization: Basic eA==",
  ),
  heads("GET http://user@www.example.com:80/x HTTP/1.1", "Host: other.example"),
  heads("GET / HTTP/1.1", "Upgrade: foo, h2c", "Connection: Upgrade", "Host: [2001:db8::1]:80"),
  heads("GET / HTTP/1.0", "X-Folded: a", "\tb", `Host: ${NAME}`),
  ascii(`OPTIONS * HTTP/1.1\nHost: ${NAME}\n\n`),
];
export const HTTP_RESPONSES = [
  heads("HTTP/1.1 200 OK", "Server: x", "Content-Length: 0"),
  concat(
    heads("HTTP/1.1 100 Continue"),
    heads("HTTP/1.1 103 Early Hints", "Link: </a>"),
    heads("HTTP/1.0 404 No"),
  ),
  heads("HTTP/1.1 101 Switching Protocols", "Upgrade: h2c"),
];

const PREFACE = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, PRIORITY, SETTINGS, PUSH_PROMISE, CONTINUATION] = [0, 1, 2, 4, 5, 9];
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;

export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
): Uint8Array {
  const { length } = payload;
  return concat(fields([length >> 16, 1], [length & 0xffff, 2], [type, 1], [flags, 1], [stream, 4]), payload);
}

/** A literal field without Huffman coding; names and values under 127 bytes. */
export function headerField(name: string, value: string, first = 0): Uint8Array {
  return concat(Uint8Array.of(first, name.length), ascii(name), Uint8Array.of(value.length), ascii(value));
}

const INDEXED_LITERAL = 0x40;
/** `:authority` by its place in the static table, the value in Huffman coding (RFC 7541 appendix C.4.1). */
const CODED_AUTHORITY = concat(Uint8Array.of(0x41, 0x8c), Uint8Array.fromHex("f1e3c2e5f23a6ba0ab90f4ff"));
const AUTHORITY = headerField(":authority", NAME, INDEXED_LITERAL);
const DNS_BODY = headerField("content-type", "application/dns-message");
export const HTTP2_START = concat(PREFACE, http2Frame(SETTINGS, 0, 0, new Uint8Array(6)));
const GET_DNS = concat(
  Uint8Array.of(0x82, 0x87),
  CODED_AUTHORITY,
  headerField(":path", "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB", INDEXED_LITERAL),
  headerField("accept", "application/dns-message"),
);

/** Both directions; those of a client have the preface. */
export const HTTP2_STREAMS = [
  concat(HTTP2_START, http2Frame(HEADERS, END_HEADERS | END_STREAM, 1, AUTHORITY)),
  concat(HTTP2_START, http2Frame(HEADERS, END_HEADERS | END_STREAM, 1, GET_DNS)),
  concat(
    HTTP2_START,
    http2Frame(PRIORITY, 0, 3, new Uint8Array(5)),
    http2Frame(
      HEADERS,
      PADDED,
      1,
      concat(Uint8Array.of(2), Uint8Array.of(0x83), CODED_AUTHORITY, new Uint8Array(2)),
    ),
    http2Frame(CONTINUATION, END_HEADERS, 1, DNS_BODY),
    http2Frame(DATA, 0, 1, pattern(20)),
    http2Frame(DATA, END_STREAM | PADDED, 1, concat(Uint8Array.of(3), pattern(30), new Uint8Array(3))),
    http2Frame(HEADERS, END_HEADERS | END_STREAM, 3, concat(Uint8Array.of(0x3f, 0xe1, 0x1f, 0xbe), GET_DNS)),
  ),
  concat(
    http2Frame(SETTINGS, 0, 0),
    http2Frame(HEADERS, END_HEADERS, 1, concat(Uint8Array.of(0x88), DNS_BODY)),
    http2Frame(PUSH_PROMISE, END_HEADERS, 1, concat(fields([2, 4]), AUTHORITY)),
    http2Frame(DATA, END_STREAM, 1, pattern(40)),
  ),
];

export const SOCKS_STREAMS = [
  concat(Uint8Array.of(4, 1, 0x01, 0xbb, 192, 0, 2, 1), ascii("me\0")),
  concat(Uint8Array.of(4, 1, 0x01, 0xbb, 0, 0, 0, 1), ascii(`me\0${NAME}\0`)),
  concat(Uint8Array.of(5, 1, 0, 5, 1, 0, 3, NAME.length), ascii(NAME), Uint8Array.of(1, 0xbb)),
  concat(
    Uint8Array.of(5, 2, 0, 2, 1, 4),
    ascii("user"),
    Uint8Array.of(6),
    ascii("secret"),
    Uint8Array.of(5, 1, 0, 3, NAME.length),
    ascii(NAME),
    Uint8Array.of(1, 0xbb),
  ),
  Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0, 80),
  concat(Uint8Array.of(5, 1, 0, 5, 3, 0, 4), new Uint8Array(16), Uint8Array.of(0, 80)),
];

const OID = ascii("1.3.6.1.4.1.1466.20037");
/** HAProxy's PROXY protocol, both versions. */
export const PROXY_HEADERS = [
  ascii("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
  concat(ascii("\r\n\r\n\0\r\nQUIT\n"), Uint8Array.of(0x21, 0x11, 0, 12), pattern(12)),
];
/** What clients say before TLS. */
export const PLAIN_SESSIONS = [
  ascii("EHLO client.example\r\nSTARTTLS\r\n"),
  ascii("a1 CAPABILITY\r\na2 STARTTLS\r\n"),
  ascii("STLS\r\n"),
  ascii("AUTH TLS\r\n"),
  ascii("<stream:stream to='example.com'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
  concat(Uint8Array.of(0x30, 29, 2, 1, 1, 0x77, 24, 0x80, OID.length), OID),
  fields([8, 4], [80_877_103, 4]),
  concat(Uint8Array.of(32, 0, 0, 1, 0, 0x0a, 0, 0, 0, 0, 0, 1, 45), new Uint8Array(23)),
  Uint8Array.of(3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0),
];
