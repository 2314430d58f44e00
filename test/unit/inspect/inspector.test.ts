import { describe, expect, test } from "bun:test";
import { concat, pattern } from "../../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsMessage, dnsQuery, nameRecord } from "../../support/dns.ts";
import { frame, ipPacket } from "../../support/frames.ts";
import { Watcher } from "../../support/inspection.ts";
import { cryptoFrame, initialPacket, padding } from "../../support/quic.ts";
import { clientHello, tlsRecords } from "../../support/tls.ts";
import { addressBytes } from "../../support/bytes.ts";

const HELLO = clientHello({ serverName: "quic.example", alpn: ["h3"] });
const CNAME = 5;
const CLIENT_SIDE = 0;
const SERVER_SIDE = 1;

describe("QUIC", () => {
  test.each([443, 4433, 51_820])("on port %d is named by its hello, and is then left alone", (port) => {
    const watcher = new Watcher();
    watcher.udp(CLIENT_SIDE, initialPacket(concat(cryptoFrame(0, HELLO), padding(800))), port);
    expect(watcher.naming()).toMatchObject({
      domain: "quic.example",
      domainSource: "quic",
      alpn: ["h3"],
      tlsVersion: "TLS 1.3",
    });
    expect(watcher.naming().ja4).toMatch(/^q13d/);
    expect(watcher.wanted.get(0)).toBe("none");
    expect(watcher.outcomes).toEqual({ "quic/found": 1 });
  });

  test("whose hello takes several datagrams is named, also when they come as one GSO packet", () => {
    const half = HELLO.length >> 1;
    const datagrams = [
      initialPacket(concat(cryptoFrame(half, HELLO.subarray(half)), padding(500)), { number: 1 }),
      initialPacket(concat(cryptoFrame(0, HELLO.subarray(0, half)), padding(500)), { number: 0 }),
    ] as const;
    const size = Math.max(...datagrams.map(({ length }) => length));
    const apart = new Watcher();
    for (const datagram of datagrams) apart.udp(CLIENT_SIDE, datagram, 443);
    expect(apart.naming().domain).toBe("quic.example");
    const together = new Watcher();
    const padded = datagrams.map((datagram) => concat(datagram, new Uint8Array(size - datagram.length)));
    together.udp(CLIENT_SIDE, concat(...padded), 443, { segment: size });
    expect(together.naming().domain).toBe("quic.example");
  });

  test("that never ends its hello is given up with its budget", () => {
    const watcher = new Watcher();
    const unfinished = initialPacket(cryptoFrame(0, HELLO.subarray(0, 60)));
    for (let sent = 0; sent < 24; sent++) {
      watcher.udp(CLIENT_SIDE, unfinished, 443);
      watcher.udp(SERVER_SIDE, unfinished, 443);
    }
    expect(watcher.outcomes).toEqual({ "quic/budget": 1 });
    expect(watcher.wanted.get(0)).toBe("none");
  });
});

describe("DNS over UDP", () => {
  const query = dnsQuery("www.example.com");
  const answer = dnsAnswer("www.example.com", [
    nameRecord("www.example.com", CNAME, "cdn.example.net"),
    addressRecord("cdn.example.net", "203.0.113.9"),
  ]);

  test("is a lookup, and names the address by what was asked for", () => {
    const watcher = new Watcher();
    watcher.udp(CLIENT_SIDE, query, 53, { timeMs: 1000 });
    watcher.udp(SERVER_SIDE, answer, 53, { timeMs: 1012 });
    expect(watcher.lookups).toMatchObject([
      {
        name: "www.example.com",
        rcode: "NOERROR",
        latencyMs: 12,
        answers: ["cdn.example.net", "203.0.113.9"],
      },
    ]);
    const { addresses } = watcher.inspector;
    expect(addresses.find("eth0", addressBytes("203.0.113.9"), 2000)).toBe("www.example.com");
    expect(addresses.find("eth1", addressBytes("203.0.113.9"), 2000)).toBeNull();
    expect(watcher.outcomes).toEqual({ "dns/found": 2 });
  });

  test("that nobody asked for names no address", () => {
    const watcher = new Watcher();
    watcher.udp(SERVER_SIDE, answer, 53);
    watcher.udp(SERVER_SIDE, answer, 40_001);
    expect(watcher.inspector.addresses.size).toBe(0);
  });

  test("on another port is looked at from then on", () => {
    const watcher = new Watcher();
    watcher.udp(CLIENT_SIDE, query, 5300, { destinationPort: 5300 });
    expect(watcher.wanted.get(0)).toBe("always");
  });

  test("NetBIOS names have its form, but are not taken for it", () => {
    const watcher = new Watcher();
    watcher.udp(CLIENT_SIDE, dnsQuery("ckaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1), 137);
    watcher.inspector.finish(60_000);
    expect(watcher.lookups).toEqual([]);
  });

  test("a tunnel that only uses its port is left alone after a while", () => {
    const watcher = new Watcher();
    for (let sent = 0; sent < 31; sent++) watcher.udp(CLIENT_SIDE, pattern(8), 53);
    expect(watcher.wanted.get(0)).toBeUndefined();
    watcher.udp(CLIENT_SIDE, pattern(8), 53);
    expect(watcher.wanted.get(0)).toBe("none");
  });

  test("nobody's answer is told after five seconds, and counted", () => {
    const watcher = new Watcher();
    watcher.udp(CLIENT_SIDE, query, 53, { timeMs: 1000 });
    watcher.inspector.tick(5999);
    expect(watcher.lookups).toEqual([]);
    watcher.inspector.tick(6001);
    expect(watcher.lookups).toMatchObject([{ name: "www.example.com", rcode: null, latencyMs: null }]);
    expect(watcher.inspector.lookups.unanswered).toBe(1);
  });

  test("quoted by an ICMP error is a lookup, too", () => {
    const watcher = new Watcher();
    const ends = { source: "192.0.2.1", destination: "198.51.100.7" };
    const transport = { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: query } as const;
    const unreachable = concat(Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0), ipPacket({ ...ends, transport }));
    watcher.packet(SERVER_SIDE, unreachable, { protocol: 1, sourcePort: 0, destinationPort: 0 });
    watcher.inspector.finish(60_000);
    expect(watcher.lookups).toMatchObject([
      { name: "www.example.com", client: "192.0.2.1", server: "198.51.100.7", serverPort: 53 },
    ]);
  });
});

describe("fragments", () => {
  const records = Array.from({ length: 100 }, (_, index) =>
    addressRecord("big.example", `203.0.113.${index + 1}`),
  );
  const answer = dnsAnswer("big.example", records);
  const whole = { id: 77, offset: 8, more: true };
  const place = (offset: number, more: boolean) => ({ ...whole, offset: 8 + offset, more });
  const later = { connection: 1, sourcePort: 0, destinationPort: 0 };

  test("are put together, in any order, on the connection of the first", () => {
    for (const isSwapped of [false, true]) {
      const watcher = new Watcher();
      watcher.udp(CLIENT_SIDE, dnsQuery("big.example"), 53);
      const send = [
        () => watcher.udp(SERVER_SIDE, answer.subarray(0, 800), 53, { fragment: place(0, true) }),
        () =>
          watcher.udp(SERVER_SIDE, answer.subarray(800), 53, {
            ...later,
            fragment: place(800, false),
            timeMs: 5,
          }),
      ];
      for (const one of isSwapped ? send.toReversed() : send) one();
      expect(watcher.inspector.addresses.find("eth0", addressBytes("203.0.113.100"), 10)).toBe("big.example");
      watcher.inspector.finish(60_000);
      expect(watcher.lookups).toHaveLength(1);
      expect(watcher.outcomes).toEqual({ "dns/found": 2 });
    }
  });

  test("are wanted from then on, whatever else is cut into fragments between the two hosts", () => {
    const watcher = new Watcher();
    watcher.udp(SERVER_SIDE, answer.subarray(0, 800), 53, { fragment: place(0, true) });
    expect(watcher.wanted.get(later.connection)).toBeUndefined();
    watcher.udp(SERVER_SIDE, answer.subarray(800), 53, { ...later, fragment: place(800, false) });
    expect(watcher.wanted.get(later.connection)).toBe("always");
  });

  test("whose rest never comes still tell the question", () => {
    const watcher = new Watcher();
    watcher.udp(SERVER_SIDE, answer.subarray(0, 800), 53, { fragment: place(0, true) });
    watcher.inspector.finish(60_000);
    expect(watcher.lookups).toMatchObject([{ name: "big.example", truncated: true }]);
  });
});

test("more inspections than there is memory for: the one silent for longest is given up, and counted", () => {
  const watcher = new Watcher();
  const hello = tlsRecords(clientHello({ serverName: "late.example", alpn: ["h2"] }));
  const { pool } = watcher.inspector;
  for (let connection = 0; connection < 30_000; connection++) {
    watcher.packet(CLIENT_SIDE, hello.subarray(0, 1), { connection, start: 1, sequence: 1 });
  }
  expect(pool.evicted).toBeGreaterThan(0);
  expect(pool.evicted).toBe(30_000 - pool.size);
  expect(watcher.wanted.get(0)).toBe("none");
  expect(watcher.wanted.get(29_999)).toBeUndefined();
  watcher.packet(CLIENT_SIDE, hello.subarray(1), { connection: 29_999, start: 1, sequence: 2 });
  expect(watcher.naming(29_999).domain).toBe("late.example");
});

test("a frame of each kind of nonsense is looked at without a throw", () => {
  const watcher = new Watcher();
  const odd = [new Uint8Array(), dnsMessage({}), frame({ ...ODD }), pattern(3)];
  for (const bytes of odd) {
    for (const port of [53, 443, 5353]) {
      watcher.udp(CLIENT_SIDE, bytes, port, { segment: 1 });
      watcher.packet(CLIENT_SIDE, bytes, { protocol: 58, destinationPort: port });
      watcher.packet(CLIENT_SIDE, bytes, { protocol: 132, destinationPort: port });
    }
  }
  expect(watcher.inspector.packets).toBe(36);
  expect(watcher.naming().domain).toBeNull();
});

const ODD = {
  source: "192.0.2.1",
  destination: "192.0.2.2",
  transport: { kind: "icmp", payload: pattern(20) },
} as const;
