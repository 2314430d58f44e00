import { parseClientHello } from "../../src/inspect/client-hello.ts";
import { CryptoStream } from "../../src/inspect/crypto-stream.ts";
import { QuicHandshake } from "../../src/inspect/quic.ts";
import { readInitialFrames } from "../../src/inspect/quic-frames.ts";
import { isQuicLongHeader, parseLongHeader } from "../../src/inspect/quic-packet.ts";
import { quicVersion } from "../../src/inspect/quic-version.ts";
import { concat, pattern } from "../support/bytes.ts";
import {
  ACK,
  ACK_ECN,
  cryptoFrame,
  FIRST_ID,
  initialPacket,
  otherPacket,
  padding,
  PING,
  QUIC_DRAFT_29,
  QUIC_T051,
  QUIC_V1,
  QUIC_V2,
  retryPacket,
  versionNegotiation,
} from "../support/quic.ts";
import { clientHello, serverHello } from "../support/tls.ts";
import { must, mustBeShown } from "./invariants.ts";
import { mutated, split } from "./mutate.ts";
import type { Random } from "./random.ts";
import { shuffled } from "./sessions.ts";
import type { Target } from "./target.ts";

const NAME = "quic.example";
const HELLO = clientHello({ serverName: NAME, alpn: ["h3"], versions: [0x0304] });
const LONG_HELLO = clientHello({ serverName: NAME, extensions: [{ type: 57, data: pattern(2500) }] });
const ANSWER = serverHello({ version: 0x0304 });
const CLIENT_ID = pattern(8, 3);
const VERSIONS = [QUIC_V1, QUIC_V1, QUIC_V2, QUIC_DRAFT_29, QUIC_T051];
/** What src/inspect/quic.ts states: two attempts at both messages, and the messages. */
const MAX_MEMORY = 62 * 1024;
const MAX_DATAGRAMS = 6;
const STREAM_LIMIT = 16 * 1024;
/** 64 runs of bytes, 48 bytes each. */
const MAX_RANGES_BYTES = 64 * 48;
const RFC_FRAMES = quicVersion(QUIC_V1)!.frames;

const PLAIN_FRAMES = [
  cryptoFrame(0, HELLO),
  concat(cryptoFrame(100, HELLO.subarray(100)), PING, cryptoFrame(0, HELLO.subarray(0, 100)), padding(500)),
  concat(ACK, cryptoFrame(0, LONG_HELLO.subarray(0, 1100))),
  cryptoFrame(1100, LONG_HELLO.subarray(1100)),
  concat(ACK_ECN, cryptoFrame(0, ANSWER)),
  concat(Uint8Array.of(0x1c, 10, 0, 3), new TextEncoder().encode("bye"), padding(50)),
];
const HEADERS = [
  initialPacket(cryptoFrame(0, HELLO)),
  initialPacket(cryptoFrame(0, HELLO), { version: QUIC_V2, token: pattern(40), sourceId: CLIENT_ID }),
  otherPacket("0rtt", pattern(90)),
  otherPacket("handshake", pattern(60), { version: QUIC_V2 }),
  retryPacket({}, pattern(30)),
  versionNegotiation(QUIC_V1, 0x1a2a3a4a),
];

/** A datagram whose frames may be wrong, within a packet that opens. */
function wrongWithin(random: Random): Uint8Array {
  const frames = mutated(random, PLAIN_FRAMES).subarray(0, 4000);
  const isServer = random.oneIn(4);
  return initialPacket(frames, {
    version: random.pick(VERSIONS),
    number: random.below(random.pick([4, 300, 70_000])),
    numberBytes: random.pick([1, 2, 3, 4]),
    sender: isServer ? "server" : "client",
    keyId: FIRST_ID,
    destinationId: isServer ? CLIENT_ID : random.oneIn(8) ? pattern(8, random.below(9)) : FIRST_ID,
  });
}

function datagram(random: Random): Uint8Array {
  const packet = random.oneIn(4) ? random.pick(HEADERS) : wrongWithin(random);
  const packets = random.oneIn(6) ? concat(packet, random.pick(HEADERS)) : packet;
  return random.oneIn(4) ? mutated(random, [packets]) : packets;
}

/** Pieces of the hello in any order over one to three datagrams, with other frames between them. */
function helloDatagrams(random: Random): Uint8Array[] {
  const hello = random.pick([HELLO, LONG_HELLO]);
  let offset = 0;
  const pieces = split(random, hello, 12).map((bytes) => {
    offset += bytes.length;
    return cryptoFrame(offset - bytes.length, bytes);
  });
  const frames = [...pieces, ...pieces.slice(0, random.below(3)), PING, ACK, padding(random.below(40))];
  const order = shuffled(random, frames);
  const count = random.between(1, 3);
  const version = random.pick([QUIC_V1, QUIC_V2, QUIC_DRAFT_29]);
  return Array.from({ length: count }, (_, number) => {
    const own = order.filter((__, at) => at % count === number);
    return initialPacket(concat(...own, PING), { number, version, sourceId: CLIENT_ID });
  });
}

function nameIn(hello: Uint8Array | null): string | null {
  const name = hello === null ? null : (parseClientHello(hello)?.serverName ?? null);
  mustBeShown(name);
  return name;
}

export const QUIC_TARGETS: readonly Target[] = [
  {
    name: "quic",
    make: (random) => Array.from({ length: random.between(1, MAX_DATAGRAMS) }, () => datagram(random)),
    check(datagrams, random) {
      const handshake = new QuicHandshake();
      for (const bytes of datagrams) {
        const cut = random.oneIn(8) ? random.below(bytes.length) : bytes.length;
        handshake.datagram(bytes.subarray(0, cut), cut < bytes.length, random.oneIn(4) ? 1 : 0);
        must(["more", "done", "bad", "no"].includes(handshake.state), "a state");
        must(handshake.memory <= MAX_MEMORY, `memory within ${MAX_MEMORY}, not ${handshake.memory}`);
      }
      nameIn(handshake.clientHello);
    },
  },
  {
    name: "quic-hello",
    make: helloDatagrams,
    check(datagrams) {
      const handshake = new QuicHandshake();
      for (const bytes of datagrams) handshake.datagram(bytes, false, 0);
      const name = nameIn(handshake.clientHello);
      must(name === NAME, `${NAME} however the hello is cut, not ${name}`);
    },
  },
  {
    name: "quic-frames",
    make: (random) => [
      mutated(random, PLAIN_FRAMES),
      mutated(random, PLAIN_FRAMES),
      mutated(random, HEADERS),
    ],
    check([first = new Uint8Array(), second = first, header = first], random) {
      const stream = new CryptoStream(STREAM_LIMIT);
      for (const frames of [first, second]) {
        const { pieces } = readInitialFrames(frames, RFC_FRAMES, random.oneIn(4));
        for (const { offset, bytes } of pieces) stream.add(offset, bytes);
        must(stream.memory <= STREAM_LIMIT + MAX_RANGES_BYTES, "bounded memory");
        must(stream.prefix.length <= STREAM_LIMIT, "a bounded stream");
      }
      nameIn(stream.prefix.subarray(4));
      const at = random.below(header.length + 1);
      const long = parseLongHeader(header, at);
      must(long === null || (long.end >= long.numberAt && long.numberAt > at), "a header that takes bytes");
      isQuicLongHeader(header, random.oneIn(2));
    },
  },
];
