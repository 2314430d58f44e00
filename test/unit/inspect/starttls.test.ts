import { describe, expect, test } from "bun:test";
import { readStartTls } from "../../../src/inspect/starttls.ts";
import { readProxyHeader } from "../../../src/inspect/starttls-proxy.ts";
import { concat, fields, pattern } from "../../support/bytes.ts";

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const TLS = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01);

/** One element of BER with a short length. */
const ber = (tag: number, ...parts: Uint8Array[]) => {
  const content = concat(...parts);
  return concat(Uint8Array.of(tag, content.length), content);
};
const OID = latin1("1.3.6.1.4.1.1466.20037");
const ldap = (...request: Uint8Array[]) => ber(0x30, ber(2, Uint8Array.of(1)), ...request);
const LDAP_START_TLS = ldap(ber(0x77, ber(0x80, OID)));
const LDAP_BIND = ldap(ber(0x60, ber(2, Uint8Array.of(3)), ber(4), ber(0x80)));
const LDAP_LONG = concat(
  Uint8Array.of(0x30, 0x84, 0, 0, 0, 37, 2, 1, 1, 0x77, 0x84, 0, 0, 0, 28, 0x80, 0x84, 0, 0, 0, 22),
  OID,
);

const SSL_REQUEST = fields([8, 4], [80_877_103, 4]);
const GSSENC_REQUEST = fields([8, 4], [80_877_104, 4]);
const mysql = (flags: number) =>
  concat(Uint8Array.of(32, 0, 0, 1, flags & 0xff, flags >> 8, 0, 0, 0, 0, 0, 1, 45), new Uint8Array(23));
const OLD_MYSQL = Uint8Array.of(5, 0, 0, 1, 0x00, 0x08, 0, 0, 1);

function rdp(routing: string, protocols: number | null): Uint8Array {
  const negotiation = protocols === null ? new Uint8Array() : Uint8Array.of(1, 0, 8, 0, protocols, 0, 0, 0);
  const variable = concat(latin1(routing), negotiation);
  return concat(
    Uint8Array.of(3, 0, 0, variable.length + 11, variable.length + 6, 0xe0, 0, 0, 0, 0, 0),
    variable,
  );
}

const PROXY_TEXT = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const PROXY_BINARY = concat(latin1("\r\n\r\n\0\r\nQUIT\n"), Uint8Array.of(0x21, 0x11, 0, 12), pattern(12));

const SESSIONS: [string, string, Uint8Array][] = [
  ["SMTP", "smtp", latin1("EHLO a.example\r\nSTARTTLS\r\n")],
  ["SMTP in lower case with bare line feeds", "smtp", latin1("helo a\nstarttls \n")],
  ["SMTP that was refused TLS once", "smtp", latin1("EHLO a\r\nSTARTTLS\r\nNOOP\r\nEHLO a\r\nSTARTTLS\r\n")],
  [
    "SMTP behind a message",
    "smtp",
    latin1(`EHLO a\r\nDATA\r\n${"b\xc3\xbc ".repeat(99)}\r\n.\r\nSTARTTLS\r\n`),
  ],
  ["LMTP", "lmtp", latin1("LHLO a.example\r\nSTARTTLS\r\n")],
  ["IMAP", "imap", latin1("a1 CAPABILITY\r\na.2 STARTTLS\r\n")],
  ["POP3", "pop3", latin1("CAPA\r\nSTLS\r\n")],
  ["FTP", "ftp", latin1("FEAT\r\nAUTH TLS\r\n")],
  ["FTP with the older spelling", "ftp", latin1("AUTH SSL\r\n")],
  ["NNTP", "nntp", latin1("CAPABILITIES\r\nSTARTTLS\r\n")],
  ["ManageSieve", "managesieve", latin1("STARTTLS\r\n")],
  [
    "XMPP",
    "xmpp",
    latin1("<?xml version='1.0'?><stream:stream to='a'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
  ],
  ["XMPP with an end tag", "xmpp", latin1("<stream:stream>\n<starttls xmlns='x'></starttls>\n")],
  ["LDAP", "ldap", LDAP_START_TLS],
  ["LDAP with long lengths", "ldap", LDAP_LONG],
  ["LDAP behind other requests", "ldap", concat(LDAP_BIND, LDAP_START_TLS, LDAP_BIND, LDAP_START_TLS)],
  ["PostgreSQL", "postgresql", SSL_REQUEST],
  ["PostgreSQL that was refused GSSAPI", "postgresql", concat(GSSENC_REQUEST, SSL_REQUEST)],
  ["MySQL", "mysql", mysql(0x0a00)],
  ["MySQL before 4.1", "mysql", OLD_MYSQL],
  ["RDP", "rdp", rdp("", 1)],
  ["RDP with a cookie", "rdp", rdp("Cookie: mstshash=me\r\n", 0x0b)],
  ["PROXY 1", "proxy", latin1(PROXY_TEXT)],
  ["PROXY 1 of an unknown client", "proxy", latin1("PROXY UNKNOWN\r\n")],
  ["PROXY 2", "proxy", PROXY_BINARY],
  ["PROXY 1 before SMTP", "smtp", latin1(`${PROXY_TEXT}EHLO a\r\nSTARTTLS\r\n`)],
  ["PROXY 2 before PostgreSQL", "postgresql", concat(PROXY_BINARY, SSL_REQUEST)],
];

test.each(SESSIONS)("finds where TLS begins: %s", (_, protocol, session) => {
  const stream = concat(session, TLS);
  for (let length = 0; length < session.length + 2; length++) {
    expect(readStartTls(stream.subarray(0, length))).toEqual({ state: "more" });
  }
  const expected = { state: "found", value: { protocol }, used: session.length };
  expect(readStartTls(stream.subarray(0, session.length + 2))).toEqual(expected as never);
  expect(readStartTls(stream)).toEqual(expected as never);
});

test.each([
  ["TLS from the start", TLS],
  ["bytes that are no text", latin1("\x7f\x00")],
  ["text that turns binary", latin1("SSH-2.0-x\r\n\x00\x00")],
  ["TLS behind another command", concat(latin1("EHLO a\r\nNOOP\r\n"), TLS)],
  ["TLS behind commands that were pipelined", concat(latin1("STARTTLS\r\nNOOP\r\n"), TLS)],
  ["TLS within a line", concat(latin1("STARTTLS"), TLS)],
  ["a command with more to it", concat(latin1("EHLO a\r\nSTARTTLS now please\r\n"), TLS)],
  ["a long line that ends as a command", concat(latin1(`${"a".repeat(300)} STARTTLS\r\n`), TLS)],
  ["another control behind the command", latin1("STARTTLS\r\n\x15\x03")],
  ["another version behind the command", latin1("STARTTLS\r\n\x16\x00")],
  ["LDAP without StartTLS before TLS", concat(LDAP_BIND, TLS)],
  ["LDAP with another extended request", concat(ldap(ber(0x77, ber(0x80, OID.toReversed()))), TLS)],
  ["an indefinite length", Uint8Array.of(0x30, 0x80, 2, 1, 1)],
  ["a length of five bytes", Uint8Array.of(0x30, 0x85, 0, 0, 0, 0, 9)],
  ["a request longer than its message", Uint8Array.of(0x30, 5, 2, 1, 1, 0x77, 9)],
  ["a message that is not of LDAP", Uint8Array.of(0x30, 5, 2, 1, 1, 0x61, 0)],
  ["PostgreSQL that goes on in the clear", concat(SSL_REQUEST, fields([8, 4], [0x0003_0000, 4]))],
  ["PostgreSQL with GSSAPI", concat(GSSENC_REQUEST, fields([0x6000, 4]))],
  ["MySQL without TLS", concat(mysql(0x0200), TLS)],
  ["MySQL with bytes in the unused part", concat(mysql(0x0a00).fill(7, 20, 21), TLS)],
  ["MySQL that goes on in the clear", concat(mysql(0x0a00), latin1("root"))],
  ["RDP with its own security", concat(rdp("Cookie: a\r\n", 0), TLS)],
  ["RDP without negotiation", concat(rdp("Cookie: a\r\n", null), TLS)],
  ["ISO transport of another length", Uint8Array.of(3, 0, 0, 19, 13, 0xe0)],
  ["PROXY 1 with nonsense", concat(latin1("PROXY TCP4 a\r\n\0"), TLS)],
  [
    "PROXY 2 with another command",
    concat(PROXY_BINARY.subarray(0, 12), Uint8Array.of(0x31, 0x11, 0, 0), TLS),
  ],
])("is not a session that turns to TLS: %s", (_, stream) => {
  expect(readStartTls(stream)).toEqual({ state: "no" });
});

test("gives up at 16 KiB", () => {
  const line = (length: number) => latin1(`EHLO a\r\n${"b".repeat(length - 10)}\r\n`);
  expect(readStartTls(line(16_383))).toEqual({ state: "more" });
  expect(readStartTls(line(16_384))).toEqual({ state: "no" });
  expect(readStartTls(concat(line(16_384), latin1("STARTTLS\r\n"), TLS))).toEqual({ state: "no" });
});

test("text without end takes time in proportion to its length", () => {
  for (const part of ["<starttls ", "a STARTTLS\n", "\n", " ", "<starttls></starttls ", "AUTH  "]) {
    const stream = concat(latin1("a".concat(part.repeat(16_384 / part.length))).subarray(0, 16_380), TLS);
    const start = performance.now();
    readStartTls(stream);
    expect(performance.now() - start).toBeLessThan(500);
  }
});

test("bytes of any kind end in a reading", () => {
  for (const [, , session] of SESSIONS) {
    for (let at = 0; at < session.length; at++) {
      const { state } = readStartTls(concat(session.subarray(0, at), pattern(64, at)));
      expect(["no", "more", "found"]).toContain(state);
    }
  }
});

describe("a PROXY header", () => {
  test("ends where the client's own stream begins", () => {
    const binary = concat(PROXY_BINARY, latin1("GET /"));
    expect(readProxyHeader(binary)).toEqual({ state: "found", value: { version: 2 }, used: 28 });
    expect(readProxyHeader(latin1(`${PROXY_TEXT}GET /`))).toEqual({
      state: "found",
      value: { version: 1 },
      used: PROXY_TEXT.length,
    });
  });

  test("of version 1 has at most 107 bytes", () => {
    expect(readProxyHeader(latin1(`PROXY UNKNOWN ${"a".repeat(92)}`)).state).toBe("more");
    expect(readProxyHeader(latin1(`PROXY UNKNOWN ${"a".repeat(93)}\r\n`)).state).toBe("no");
    expect(readProxyHeader(latin1(`PROXY UNKNOWN ${"a".repeat(91)}\r\n`)).state).toBe("found");
  });
});
