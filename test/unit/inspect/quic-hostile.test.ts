import { describe, expect, test } from "bun:test";
import { QuicHandshake } from "../../../src/inspect/quic.ts";
import { concat, pattern } from "../../support/bytes.ts";
import {
  cryptoFrame,
  padding,
  PING,
  QUIC_V1,
  QUIC_V2,
  retryPacket,
  versionNegotiation,
} from "../../support/quic.ts";
import {
  answer,
  CLIENT,
  clientHello,
  fromClient,
  fromServer,
  handshake,
  hello,
  piece,
  SERVER,
  serverHello,
  wholeHello,
  type Sent,
} from "../../support/quic-flow.ts";
import { SERVER_ID } from "../../support/quic-vectors.ts";

describe("packets that do not open are counted and ignored", () => {
  const damaged = wholeHello.slice();
  damaged[100] = damaged[100]! ^ 1;
  test.each<[string, Uint8Array]>([
    ["damaged", damaged],
    ["of another connection", fromServer(PING, { keyId: SERVER_ID })],
    ["that claim to be longer than the datagram", wholeHello.subarray(0, -1)],
  ])("%s", (_, packet) => {
    const quic = handshake([packet, CLIENT], [wholeHello, CLIENT]);
    expect([quic.failures, quic.state, quic.clientHello]).toEqual([1, "done", hello]);
  });
});

test("packets of a known connection and version take no attempts, whether they open or not", () => {
  const quic = handshake([fromClient(piece(0, 100)), CLIENT]);
  const other = { keyId: SERVER_ID, version: QUIC_V1 };
  for (let count = 0; count < 10; count++) {
    quic.datagram(fromClient(PING, other), false, CLIENT);
    quic.datagram(fromServer(PING, { ...other, destinationId: new Uint8Array() }), false, SERVER);
  }
  for (let count = 0; count < 10; count++) {
    quic.datagram(fromServer(PING, { version: QUIC_V2 }), false, SERVER);
  }
  expect([quic.version, quic.failures]).toEqual([QUIC_V2, 20]);
});

test("after 8 keys that open nothing it gives up", () => {
  const quic = new QuicHandshake();
  for (let index = 0; index < 8; index++) {
    expect(quic.state).toBe("more");
    quic.datagram(fromClient(PING, { destinationId: pattern(8, index), keyId: pattern(9) }), false, CLIENT);
  }
  expect([quic.state, quic.failures]).toEqual(["bad", 8]);
  quic.datagram(wholeHello, false, CLIENT);
  expect([quic.state, quic.failures]).toEqual(["bad", 9]);
});

test("forged packets do not end a handshake that has begun", () => {
  const quic = handshake([fromClient(piece(0, 100)), CLIENT]);
  for (let index = 0; index < 30; index++) {
    quic.datagram(fromClient(PING, { destinationId: pattern(8, index), keyId: pattern(9) }), false, CLIENT);
  }
  expect([quic.state, quic.failures]).toEqual(["more", 30]);
  quic.datagram(fromClient(piece(100, 504), { number: 1 }), false, CLIENT);
  expect(quic.state).toBe("done");
});

test("a client that starts with another message is bad", () => {
  expect(handshake([fromClient(cryptoFrame(0, serverHello)), CLIENT]).state).toBe("bad");
});

test("a server that starts with another message is no one's ServerHello", () => {
  const quic = handshake([wholeHello, CLIENT], [fromServer(cryptoFrame(0, clientHello)), SERVER]);
  expect([quic.state, quic.serverHello]).toEqual(["done", null]);
});

describe("of a datagram that was cut", () => {
  const padded = fromClient(concat(piece(0, 504), padding(600)));
  const cutAt = (packet: Uint8Array, length: number): Sent => [packet.subarray(0, length), CLIENT, true];

  test("a ClientHello that is all there is found", () => {
    const quic = handshake(cutAt(padded, 700));
    expect([quic.state, quic.clientHello, quic.isTruncated]).toEqual(["done", hello, true]);
  });

  test("one that is not all there is waited for", () => {
    const quic = handshake(cutAt(padded, 400));
    expect([quic.state, quic.clientHello, quic.isTruncated]).toEqual(["more", null, true]);
  });

  test("the second part is taken under the same connection ID", () => {
    const second = fromClient(concat(piece(200, 504), padding(600)), { number: 1 });
    expect(handshake([fromClient(piece(0, 200)), CLIENT], cutAt(second, 700)).clientHello).toEqual(hello);
  });

  test("nothing is taken that does not start the message under new keys", () => {
    const second = fromClient(concat(piece(200, 504), padding(600)));
    const quic = handshake(cutAt(second, 700), [fromClient(piece(0, 200), { number: 1 }), CLIENT]);
    expect([quic.state, quic.failures]).toEqual(["more", 1]);
  });

  test("nothing is taken that other keys protect", () => {
    for (let seed = 0; seed < 200; seed++) {
      const packet = fromClient(concat(piece(0, 504), padding(600)), { keyId: pattern(8, seed) });
      const quic = handshake([fromClient(PING), CLIENT], cutAt(packet, 700));
      quic.datagram(wholeHello, false, CLIENT);
      expect([seed, quic.clientHello]).toEqual([seed, hello]);
    }
  });

  test("a whole packet in front of the cut is verified", () => {
    const quic = handshake([concat(wholeHello, padded).subarray(0, wholeHello.length + 100), CLIENT, true]);
    expect(quic.clientHello).toEqual(hello);
  });

  test("only the capture may cut", () => {
    const quic = handshake([padded.subarray(0, 700), CLIENT, false]);
    expect([quic.clientHello, quic.isTruncated, quic.failures]).toEqual([null, false, 1]);
  });
});

test("no bytes make it throw", () => {
  const datagrams = [
    wholeHello,
    answer,
    concat(wholeHello, answer),
    retryPacket({}, pattern(20)),
    versionNegotiation(1),
  ];
  let random = 1;
  const next = (below: number) => (random = (random * 48271) % 2147483647) % below;
  for (let round = 0; round < 3000; round++) {
    const quic = new QuicHandshake();
    for (const datagram of datagrams) {
      const damaged = datagram.slice(0, next(4) === 0 ? next(datagram.length) : datagram.length);
      for (let count = next(4); count > 0; count--) damaged[next(Math.min(40, datagram.length))] = next(256);
      quic.datagram(damaged, next(2) === 0, next(2) === 0 ? 0 : 1);
    }
    expect(["more", "done", "bad", "no"]).toContain(quic.state);
    expect([null, hello.length]).toContain(quic.clientHello?.length ?? null);
  }
});

test("hostile clients make it take no more memory than two attempts may", () => {
  const quic = new QuicHandshake();
  for (let attempt = 0; attempt < 20; attempt++) {
    const id = pattern(8, attempt);
    quic.datagram(fromClient(cryptoFrame(16380, pattern(500)), { destinationId: id }), false, CLIENT);
    quic.datagram(fromServer(cryptoFrame(4000, pattern(500)), { keyId: id }), false, SERVER);
  }
  const ranges = 2 * 2 * 48;
  expect(quic.memory).toBe(2 * (4 + 16384 + 4 + 4096) + ranges);
});
