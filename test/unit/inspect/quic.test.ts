import { describe, expect, test } from "bun:test";
import { QuicHandshake, type Side } from "../../../src/inspect/quic.ts";
import { concat, pattern } from "../../support/bytes.ts";
import {
  ACK,
  cryptoFrame,
  handshakeMessage,
  otherPacket,
  padding,
  PING,
  QUIC_DRAFT_29,
  QUIC_T051,
  QUIC_V1,
  QUIC_V2,
  retryPacket,
  versionNegotiation,
  FIRST_ID,
} from "../../support/quic.ts";
import {
  answer,
  CLIENT,
  CLIENT_ID,
  clientHello,
  fromClient,
  fromServer,
  handshake,
  hello,
  piece,
  SERVER,
  serverBody,
  serverHello,
  wholeHello,
  type Sent,
} from "../../support/quic-flow.ts";
import { CLIENT_HELLO_FRAME, SERVER_FRAMES, SERVER_ID } from "../../support/quic-vectors.ts";

test.each([
  [QUIC_V1, "of RFC 9001"],
  [QUIC_V2, "of RFC 9369"],
])("the handshake of appendix A in version %p, %s, is found", (version) => {
  const first = fromClient(concat(CLIENT_HELLO_FRAME, padding(917)), { version, number: 2, numberBytes: 4 });
  const second = fromServer(SERVER_FRAMES, { version, number: 1 });
  const quic = handshake([first, CLIENT], [second, SERVER]);
  expect(quic.version).toBe(version);
  expect(quic.clientHello).toEqual(CLIENT_HELLO_FRAME.slice(8));
  expect(quic.serverHello).toEqual(SERVER_FRAMES.slice(13));
  expect([quic.state, quic.failures, quic.helloSide]).toEqual(["done", 0, CLIENT]);
});

test.each([QUIC_DRAFT_29, QUIC_T051])("the ClientHello of version %p is found", (version) => {
  const frame = cryptoFrame(0, clientHello, version === QUIC_T051 ? 0x08 : 0x06);
  const quic = handshake([fromClient(frame, { version }), CLIENT]);
  expect([quic.version, quic.clientHello]).toEqual([version, hello]);
});

test("before the first datagram nothing is known", () => {
  const quic = new QuicHandshake();
  expect([quic.state, quic.version, quic.clientHello, quic.helloSide]).toEqual(["more", null, null, null]);
});

test.each<Side>([0, 1])("side %p is the client when the client's keys open its packets", (client) => {
  const server = client === 0 ? 1 : 0;
  const quic = handshake([answer, server], [wholeHello, client], [answer, server]);
  expect([quic.helloSide, quic.clientHello, quic.serverHello]).toEqual([client, hello, serverBody]);
  expect(quic.failures).toBe(1);
});

describe("a ClientHello is found", () => {
  const first = fromClient(concat(PING, piece(300, 350), padding(3), piece(0, 20), PING));
  const second = fromClient(concat(piece(350, 504), padding(20), piece(20, 300)), { number: 1 });
  test.each<[string, Sent[]]>([
    [
      "scattered over two packets",
      [
        [first, CLIENT],
        [second, CLIENT],
      ],
    ],
    [
      "whose packets come in the wrong order",
      [
        [second, CLIENT],
        [first, CLIENT],
      ],
    ],
    ["whose packets share a datagram", [[concat(first, second), CLIENT]]],
    [
      "whose packets come twice",
      [
        [first, CLIENT],
        [first, CLIENT],
        [second, CLIENT],
      ],
    ],
    ["behind a 0-RTT packet", [[concat(otherPacket("0rtt", pattern(80)), wholeHello), CLIENT]]],
    ["in front of a short header", [[concat(wholeHello, pattern(40)), CLIENT]]],
    ["with a token", [[fromClient(piece(0, 504), { token: pattern(200) }), CLIENT]]],
    ["without the fixed bit (RFC 9287)", [[fromClient(piece(0, 504), { fixedBit: 0 }), CLIENT]]],
    [
      "after what is not QUIC",
      [
        [pattern(30), CLIENT],
        [wholeHello, CLIENT],
      ],
    ],
    [
      "after a version that is not known",
      [
        [fromClient(PING, { version: 0x1a2a3a4a }), CLIENT],
        [wholeHello, CLIENT],
      ],
    ],
    [
      "after Version Negotiation",
      [
        [versionNegotiation(QUIC_V1), SERVER],
        [wholeHello, CLIENT],
      ],
    ],
  ])("%s", (_, sent) => {
    const quic = handshake(...sent);
    expect([quic.state, quic.clientHello, quic.failures]).toEqual(["done", hello, 0]);
  });
});

test("a ClientHello that lacks a piece is waited for", () => {
  const quic = handshake([fromClient(concat(piece(0, 200), piece(201, 504))), CLIENT]);
  expect([quic.state, quic.clientHello]).toEqual(["more", null]);
  quic.datagram(fromClient(piece(200, 201), { number: 1 }), false, CLIENT);
  expect([quic.state, quic.clientHello]).toEqual(["done", hello]);
});

test("a ClientHello of 16 KiB is found, a longer one is refused", () => {
  const found = (size: number) => {
    const message = handshakeMessage(1, pattern(size));
    const quic = new QuicHandshake();
    for (let at = 0; at < message.length; at += 1200) {
      quic.datagram(fromClient(piece(at, at + 1200, message), { number: at / 1200 }), false, CLIENT);
    }
    return [quic.state, quic.clientHello?.length];
  };
  expect(found(16384)).toEqual(["done", 16384]);
  expect(found(16385)).toEqual(["bad", undefined]);
});

test("the client's keys stay those of its first connection ID when it takes the server's", () => {
  const serverFirst = fromServer(concat(ACK, PING));
  const later = { destinationId: SERVER_ID, keyId: FIRST_ID, number: 1 };
  const quic = handshake(
    [fromClient(piece(0, 100)), CLIENT],
    [serverFirst, SERVER],
    [fromClient(concat(ACK, piece(100, 504)), later), CLIENT],
  );
  expect([quic.clientHello, quic.failures]).toEqual([hello, 0]);
});

test("a ServerHello in a datagram with Handshake packets is found", () => {
  const flight = concat(answer, otherPacket("handshake", pattern(300), { destinationId: CLIENT_ID }));
  expect(handshake([wholeHello, CLIENT], [flight, SERVER]).serverHello).toEqual(serverBody);
});

test("after a Retry the keys are those of the server's connection ID, even a short one", () => {
  const id = pattern(4, 8);
  const token = pattern(60);
  const retry = retryPacket({ destinationId: CLIENT_ID, sourceId: id }, token);
  const quic = handshake(
    [fromClient(piece(0, 200)), CLIENT],
    [retry, SERVER],
    [fromClient(piece(0, 300), { destinationId: id, token, number: 1 }), CLIENT],
    [fromClient(piece(300, 504), { destinationId: id, token, number: 2 }), CLIENT],
    [fromServer(cryptoFrame(0, serverHello), { keyId: id }), SERVER],
  );
  expect([quic.clientHello, quic.serverHello, quic.failures]).toEqual([hello, serverBody, 0]);
});

test("another attempt does not mix with what came of the one before", () => {
  const other = handshakeMessage(1, pattern(500, 77));
  const id = pattern(8, 9);
  const quic = handshake(
    [fromClient(piece(0, 300)), CLIENT],
    [versionNegotiation(QUIC_DRAFT_29), SERVER],
    [fromClient(piece(0, 504, other), { destinationId: id, version: QUIC_DRAFT_29 }), CLIENT],
  );
  expect([quic.version, quic.clientHello]).toEqual([QUIC_DRAFT_29, pattern(500, 77)]);
});

test("a server may change the version, under the same connection ID", () => {
  const later = { destinationId: SERVER_ID, keyId: FIRST_ID, version: QUIC_V2, number: 1 };
  const quic = handshake(
    [fromClient(piece(0, 100)), CLIENT],
    [fromServer(cryptoFrame(0, serverHello), { version: QUIC_V2 }), SERVER],
    [fromClient(piece(100, 504), later), CLIENT],
    [fromClient(piece(0, 100)), CLIENT],
  );
  expect([quic.version, quic.clientHello, quic.serverHello]).toEqual([QUIC_V2, hello, serverBody]);
  expect(quic.failures).toBe(0);
});

test("packet numbers go on from the highest one, with fewer bytes", () => {
  const quic = handshake(
    [fromClient(piece(0, 100), { number: 70000, numberBytes: 4 }), CLIENT],
    [fromClient(PING, { number: 5, numberBytes: 4 }), CLIENT],
    [fromClient(piece(100, 504), { number: 70001, numberBytes: 1 }), CLIENT],
  );
  expect(quic.clientHello).toEqual(hello);
});

describe("another protocol is told", () => {
  test.each([
    ["a short header", pattern(40)],
    ["nothing", Uint8Array.of(0)],
    ["Google's QUIC without TLS", fromClient(PING, { version: 0x51303530 })],
    ["a reserved version", fromClient(PING, { version: 0x1a2a3a4a })],
  ])("from %s", (_, datagram) => {
    expect(handshake([datagram, CLIENT]).state).toBe("no");
  });
});

test("the first ClientHello stays", () => {
  const other = fromClient(cryptoFrame(0, handshakeMessage(1, pattern(9))), { destinationId: pattern(8, 9) });
  expect(handshake([wholeHello, CLIENT], [other, CLIENT]).clientHello).toEqual(hello);
});

test("what it gives and needs outlives the datagram", () => {
  const datagram = wholeHello.slice();
  const quic = handshake([datagram, CLIENT]);
  datagram.fill(0);
  expect(quic.clientHello).toEqual(hello);
  expect(quic.clientHello?.buffer.byteLength).toBe(hello.length);
  quic.datagram(fromServer(cryptoFrame(0, serverHello), { version: QUIC_V2 }), false, SERVER);
  expect(quic.serverHello).toEqual(serverBody);
});

test("takes memory for what it waits for, then for the messages alone", () => {
  const quic = handshake([fromClient(piece(0, 100)), CLIENT]);
  expect(quic.memory).toBe(1024 + 48);
  quic.datagram(fromClient(piece(100, 504), { number: 1 }), false, CLIENT);
  quic.datagram(answer, false, SERVER);
  expect(quic.memory).toBe(hello.length + serverBody.length);
});
