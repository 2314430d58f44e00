import { mergeNaming, type NamingUpdate } from "../../src/inspect/connection-names.ts";
import { type Naming, NO_NAMING } from "../../src/flow/naming.ts";
import { MEMORY_LIMIT } from "../../src/inspect/inspection-pool.ts";
import { type ConnectionOwner, Inspector } from "../../src/inspect/inspector.ts";
import type { PayloadPacket, Side, Wanted } from "../../src/inspect/packet.ts";
import type { Ends, Lookup } from "../../src/inspect/types.ts";
import { concat } from "../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../support/dns.ts";
import { ipPacket } from "../support/frames.ts";
import { cryptoFrame, initialPacket, otherPacket } from "../support/quic.ts";
import { clientHello } from "../support/tls.ts";
import { must, mustBeShown } from "./invariants.ts";
import { mutated, split } from "./mutate.ts";
import type { Random } from "./random.ts";
import { interleaved, packetOf, randomSession, type Segment, segments } from "./sessions.ts";
import type { Target } from "./target.ts";

const CONNECTIONS = 64;
const MOST_SEGMENTS = 8;
const TICK_EVERY = 32;
const MAX_ANSWERS = 16;
const ICMP = 1;
const UDP = 17;
const PORTS = [53, 443, 443, 5353, 5355, 137, 8443];
const STARTS = [7_000, 0xffff_fff0] as const;
const HELLO = clientHello({ serverName: "quic.example", alpn: ["h3"] });
const DATAGRAMS = [
  dnsQuery("www.example.com"),
  dnsAnswer("www.example.com", [addressRecord("www.example.com", "192.0.2.7")]),
  initialPacket(cryptoFrame(0, HELLO)),
  initialPacket(cryptoFrame(60, HELLO.subarray(60)), { number: 1 }),
  otherPacket("handshake", HELLO),
];
/** Behind the IP header: an ICMP error that quotes a question. */
const QUOTES = [
  ipPacket({
    source: "192.0.2.9",
    destination: "192.0.2.1",
    transport: {
      kind: "icmp",
      type: 3,
      payload: ipPacket({
        source: "192.0.2.1",
        destination: "192.0.2.2",
        transport: { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: dnsQuery("no.example") },
      }),
    },
  }).subarray(20),
];

/** Keeps what it is told, as the agent does. */
class Owner implements ConnectionOwner {
  readonly namings: Naming[] = Array.from({ length: CONNECTIONS }, () => NO_NAMING);
  readonly wanted: Wanted[] = Array.from({ length: CONNECTIONS }, () => "budget");

  ends(connection: number, side: Side): Ends {
    const client = { address: `10.0.0.${connection}`, port: 40_000 };
    const server = { address: "192.0.2.1", port: PORTS[connection % PORTS.length] ?? 0 };
    const [from, to] = side === 0 ? [client, server] : [server, client];
    return {
      interface: "eth0",
      source: from.address,
      sourcePort: from.port,
      destination: to.address,
      destinationPort: to.port,
    };
  }

  learn(connection: number, update: NamingUpdate): void {
    const naming = mergeNaming(this.namings[connection] ?? NO_NAMING, update);
    mustBeShown(naming.domain);
    for (const protocol of naming.alpn) mustBeShown(protocol);
    this.namings[connection] = naming;
  }

  /** Its number is used again. */
  forget(connection: number): void {
    this.namings[connection] = NO_NAMING;
    this.wanted[connection] = "budget";
  }

  want(connection: number, wanted: Wanted): void {
    this.wanted[connection] = wanted;
  }

  lookup({ name, answers }: Lookup): void {
    mustBeShown(name);
    must(answers.length <= MAX_ANSWERS, "few answers");
    for (const answer of answers) mustBeShown(answer);
  }
}

const owner = new Owner();
const inspector = new Inspector(owner);
let clockMs = 0;

function other(random: Random, bytes: Uint8Array, protocol: number): PayloadPacket {
  const connection = random.below(CONNECTIONS);
  const side = random.oneIn(2) ? 1 : 0;
  const { sourcePort, destinationPort } = owner.ends(connection, side);
  const hasPorts = protocol === UDP;
  return {
    connection,
    side,
    sourcePort: hasPorts ? sourcePort : 0,
    destinationPort: hasPorts ? destinationPort : 0,
    protocol,
    timeMs: clockMs,
    sequence: 0,
    start: null,
    fragment: null,
    segment: 0,
    bytes,
    length: bytes.length,
  };
}

/** Packets of a TCP connection, perhaps of another than before under the same number. */
function stream(random: Random, client: Uint8Array, server: Uint8Array): PayloadPacket[] {
  const connection = random.below(CONNECTIONS);
  const { destinationPort: port } = owner.ends(connection, 0);
  const start = random.oneIn(8) ? random.u32() : 0;
  const parts: Segment[] = interleaved(
    random,
    segments(random, 0, client, MOST_SEGMENTS),
    segments(random, 1, server, MOST_SEGMENTS),
  );
  return parts.map((part) => ({
    ...packetOf(part, { client, server, port }, [STARTS[0] + start, STARTS[1]], !random.oneIn(8)),
    connection,
    timeMs: clockMs,
  }));
}

/** The packet as several datagrams behind one another, or as fragments, one of which may be missing or come twice. */
function cutUp(random: Random, packet: PayloadPacket): PayloadPacket[] {
  const { bytes } = packet;
  if (packet.protocol === UDP && random.oneIn(8)) {
    const segment = random.between(1, Math.max(1, bytes.length));
    return [{ ...packet, segment, bytes: concat(bytes, bytes), length: bytes.length * 2 }];
  }
  if (!random.oneIn(8)) return [packet];
  const id = random.below(8);
  let offset = packet.protocol === ICMP ? 0 : 8;
  const parts = split(random, bytes, 4).map((part, index, all): PayloadPacket => {
    const fragment = { id, offset, more: index < all.length - 1 };
    offset += part.length;
    const ports = index === 0 ? {} : { sourcePort: 0, destinationPort: 0 };
    return { ...packet, ...ports, fragment, bytes: part, length: part.length };
  });
  if (random.oneIn(4)) return parts.slice(random.below(2));
  return random.oneIn(4) ? [...parts, random.pick(parts)] : parts;
}

function packetsOf([client = new Uint8Array(), server = client]: readonly Uint8Array[], random: Random) {
  const kind = random.below(3);
  if (kind === 0) return stream(random, client, server);
  return [client, server].map((bytes) => other(random, bytes, kind === 1 || random.oneIn(4) ? UDP : ICMP));
}

export const INSPECTOR_TARGETS: readonly Target[] = [
  {
    name: "inspector",
    make(random) {
      const { client, server } = randomSession(random);
      const seeds = random.oneIn(2) ? [client, server] : [...DATAGRAMS, ...QUOTES];
      return [mutated(random, seeds), mutated(random, seeds)];
    },
    check(input, random) {
      clockMs += random.below(random.pick([2, 400]));
      for (const whole of packetsOf(input, random)) {
        for (const packet of cutUp(random, whole)) {
          // The kernel stops soon, but not at once.
          if (owner.wanted[packet.connection] === "none" && !random.oneIn(16)) continue;
          const length = random.oneIn(16) ? packet.length + random.below(900) : packet.length;
          inspector.packet({ ...packet, length });
          must(inspector.pool.memory <= MEMORY_LIMIT, "memory within its limit");
        }
      }
      if (random.oneIn(TICK_EVERY)) inspector.tick(clockMs);
      if (!random.oneIn(4)) return;
      const connection = random.below(CONNECTIONS);
      inspector.end(connection);
      owner.forget(connection);
      if (random.oneIn(1024)) inspector.finish(clockMs);
      must(inspector.pool.size <= CONNECTIONS, "no inspection without a connection");
    },
  },
];
