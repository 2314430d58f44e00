import { describe, expect, test } from "bun:test";
import { concat, pattern } from "../../support/bytes.ts";
import { dnsAnswer, dnsQuery } from "../../support/dns.ts";
import { ascii, Watcher } from "../../support/inspection.ts";
import { clientHello, serverHello, tlsRecords } from "../../support/tls.ts";

const HELLO = tlsRecords(clientHello({ serverName: "api.Example.com", alpn: ["h2", "http/1.1"] }));
const SERVER = tlsRecords(serverHello({ version: 0x0304 }));
const NAMED = { domain: "api.example.com", domainSource: "sni", alpn: ["h2", "http/1.1"] } as const;

describe("TLS", () => {
  test.each([20, 100, 1400])("is named by segments of %d bytes", (size) => {
    const watcher = new Watcher();
    watcher.stream(0, HELLO, { size });
    expect(watcher.naming()).toMatchObject(NAMED);
    expect(watcher.outcomes).toEqual({ "tls/found": 1 });
  });

  test("is named by segments in any order, twice and overlapping", () => {
    const start = 0xffff_ff80;
    const pieces = Array.from({ length: 8 }, (_, index) => index * 40).filter((at) => at < HELLO.length);
    const shuffled = pieces.toSorted((a, b) => ((a * 7) % 11) - ((b * 7) % 11));
    for (const order of [pieces, pieces.toReversed(), [...shuffled, ...pieces]]) {
      const watcher = new Watcher();
      for (const at of order) {
        watcher.packet(0, HELLO.subarray(at, at + 45), { start, sequence: (start + at) >>> 0 });
      }
      expect(watcher.naming()).toMatchObject(NAMED);
    }
  });

  test("tells the version that the server chose, and is then left alone", () => {
    const watcher = new Watcher();
    watcher.stream(0, HELLO);
    expect(watcher.naming().tlsVersion).toBe("TLS 1.3");
    expect(watcher.wanted.get(0)).toBeUndefined();
    watcher.stream(1, tlsRecords(serverHello({ legacyVersion: 0x0303 })));
    expect(watcher.naming().tlsVersion).toBe("TLS 1.2");
    expect(watcher.wanted.get(0)).toBe("none");
    expect(watcher.inspector.pool.size).toBe(0);
  });

  test("is named also when the server's hello was seen first", () => {
    const watcher = new Watcher();
    watcher.stream(1, SERVER);
    watcher.stream(0, HELLO);
    expect(watcher.naming()).toMatchObject({ ...NAMED, tlsVersion: "TLS 1.3" });
    expect(watcher.wanted.get(0)).toBe("none");
  });

  test("whose start was not seen is named, whichever segment came first", () => {
    const watcher = new Watcher();
    watcher.packet(0, HELLO.subarray(100), { sequence: 600 });
    watcher.packet(0, HELLO.subarray(0, 100), { sequence: 500 });
    expect(watcher.naming()).toMatchObject(NAMED);
  });

  test("without a name counts as such, its fingerprint is there", () => {
    const watcher = new Watcher();
    watcher.stream(0, tlsRecords(clientHello({})));
    expect(watcher.naming()).toMatchObject({ domain: null, domainSource: null });
    expect(watcher.naming().ja4).toMatch(/^t13i/);
    expect(watcher.outcomes).toEqual({ "tls/none": 1 });
  });

  test("keeps a bounded part of what a hostile hello offers", () => {
    const watcher = new Watcher();
    const alpn = ["h2", ...Array.from({ length: 40 }, (_, index) => pattern(200, index).fill(1))];
    watcher.stream(0, tlsRecords(clientHello({ serverName: "api.example.com", alpn })));
    expect(watcher.naming()).toMatchObject({ domain: "api.example.com", alpn: ["h2"] });
  });

  test("that ends within the hello gives the name that was there", () => {
    const watcher = new Watcher();
    watcher.stream(0, HELLO.subarray(0, HELLO.length - 4));
    watcher.inspector.end(0);
    expect(watcher.naming()).toMatchObject({ domain: "api.example.com", ja4: null });
    expect(watcher.outcomes).toEqual({ "tls/truncated": 1 });
  });

  test("that never ends its hello is given up with its budget", () => {
    const watcher = new Watcher();
    for (let at = 0; at < 24; at++) {
      watcher.packet(0, HELLO.subarray(at, at + 1), { start: 0, sequence: at });
      watcher.packet(1, Uint8Array.of(0x16), { start: 0, sequence: 0 });
    }
    expect(watcher.wanted.get(0)).toBe("none");
    expect(watcher.outcomes).toEqual({ "tls/budget": 1 });
  });

  test("nonsense in its records is unparseable", () => {
    const watcher = new Watcher();
    watcher.stream(0, concat(HELLO.subarray(0, 9), pattern(400).fill(0xff)));
    expect(watcher.outcomes).toEqual({ "tls/unparseable": 1 });
    expect(watcher.wanted.get(0)).toBe("none");
  });
});

describe("what goes before TLS", () => {
  const server = concat(ascii("HTTP/1.1 200 OK\r\n\r\n"), SERVER);
  test("HTTP CONNECT names the host asked for, then the TLS inside does", () => {
    const watcher = new Watcher();
    const connect = ascii("CONNECT proxied.example:443 HTTP/1.1\r\nHost: proxied.example:443\r\n\r\n");
    const at = watcher.stream(0, connect);
    expect(watcher.naming()).toMatchObject({ domain: "proxied.example", domainSource: "http" });
    const reply = watcher.stream(1, server.subarray(0, 19));
    watcher.stream(0, HELLO, { at });
    expect(watcher.naming()).toMatchObject(NAMED);
    watcher.stream(1, server.subarray(19), { at: reply });
    expect(watcher.wanted.get(0)).toBe("none");
    expect(watcher.outcomes).toEqual({ "http/found": 1, "tls/found": 1 });
  });

  test("a proxy that asks for a password first is followed", () => {
    const watcher = new Watcher();
    const connect = ascii("CONNECT proxied.example:443 HTTP/1.1\r\n\r\n");
    watcher.stream(0, concat(connect, connect, HELLO));
    expect(watcher.naming()).toMatchObject(NAMED);
  });

  test("SOCKS5 names the host asked for", () => {
    const watcher = new Watcher();
    const name = ascii("socks.example");
    const at = watcher.stream(0, Uint8Array.of(5, 1, 0));
    watcher.stream(0, concat(Uint8Array.of(5, 1, 0, 3, name.length), name, Uint8Array.of(1, 187)), { at });
    expect(watcher.naming()).toMatchObject({ domain: "socks.example", domainSource: "http" });
    watcher.stream(0, HELLO, { at: at + 7 + name.length });
    expect(watcher.naming()).toMatchObject(NAMED);
  });

  test.each([
    ["SMTP", "EHLO me\r\nSTARTTLS\r\n", "220 mx ESMTP\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n"],
    ["IMAP", "a1 CAPABILITY\r\na2 STARTTLS\r\n", "* OK ready\r\na1 OK\r\na2 OK\r\n"],
    ["POP3", "CAPA\r\nSTLS\r\n", "+OK\r\n.\r\n+OK\r\n"],
    ["FTP", "AUTH TLS\r\n", "220 ftp\r\n234 go\r\n"],
  ])("%s is named by the TLS behind STARTTLS", (_, client, reply) => {
    const watcher = new Watcher();
    const serverAt = watcher.stream(1, ascii(reply));
    const at = watcher.stream(0, ascii(client), { size: 10 });
    watcher.stream(0, HELLO, { at });
    watcher.stream(1, SERVER, { at: serverAt });
    expect(watcher.naming()).toMatchObject({ ...NAMED, tlsVersion: "TLS 1.3" });
    expect(watcher.wanted.get(0)).toBe("none");
  });
});

describe("HTTP", () => {
  test("is named by its Host, and is then left alone", () => {
    const watcher = new Watcher();
    watcher.stream(
      0,
      ascii("GET /secret?token=1 HTTP/1.1\r\nAccept: */*\r\nHost: Shop.example:8080\r\n\r\n"),
      { size: 9 },
    );
    expect(watcher.naming()).toMatchObject({ domain: "shop.example", domainSource: "http", ja4: null });
    expect(watcher.wanted.get(0)).toBe("none");
    expect(JSON.stringify(watcher.naming())).not.toContain("secret");
  });
});

describe("DNS over TCP", () => {
  const framed = (message: Uint8Array) =>
    concat(Uint8Array.of(message.length >> 8, message.length & 255), message);
  const port = { destinationPort: 53, sourcePort: 40_000 };
  const back = { destinationPort: 40_000, sourcePort: 53 };

  test("is looked at for as long as it goes on", () => {
    const watcher = new Watcher();
    let [client, server] = [1000, 1000];
    for (let turn = 0; turn < 50; turn++) {
      client = watcher.stream(0, framed(dnsQuery(`host${turn}.example`)), { at: client, size: 7, ...port });
      server = watcher.stream(1, framed(dnsAnswer(`host${turn}.example`, [])), { at: server, ...back });
    }
    expect(watcher.lookups).toHaveLength(50);
    expect(watcher.lookups.at(-1)).toMatchObject({
      name: "host49.example",
      transport: "tcp",
      rcode: "NOERROR",
    });
    expect(watcher.wanted.get(0)).toBe("always");
  });

  test("goes on behind a loss", () => {
    const watcher = new Watcher();
    let at = watcher.stream(0, framed(dnsQuery("first.example")), port);
    at += 40_000;
    for (let turn = 0; turn < 40; turn++) {
      at = watcher.stream(0, framed(dnsQuery(`late${turn}.example`)), { at, ...port });
    }
    watcher.inspector.finish(60_000);
    expect(watcher.lookups.map(({ name }) => name)).toContain("late39.example");
  });

  test("that turns out to be something else is left alone", () => {
    const watcher = new Watcher();
    watcher.stream(0, framed(dnsQuery("first.example")), port);
    let at = 1000 + framed(dnsQuery("first.example")).length;
    for (let turn = 0; turn < 40; turn++) at = watcher.stream(0, pattern(300).fill(0xfe), { at, ...port });
    expect(watcher.wanted.get(0)).toBe("none");
  });
});

test("bytes of no known protocol on both sides are left alone", () => {
  const watcher = new Watcher();
  watcher.stream(0, pattern(64).fill(0xee));
  expect(watcher.wanted.get(0)).toBeUndefined();
  watcher.stream(1, pattern(64).fill(0xdd));
  expect(watcher.wanted.get(0)).toBe("none");
  expect(watcher.outcomes).toEqual({ "other/none": 1 });
});
