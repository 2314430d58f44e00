import { mergeNaming } from "../../src/inspect/connection-names.ts";
import { type Naming, NO_NAMING } from "../../src/flow/naming.ts";
import { parseDns } from "../../src/inspect/dns-message.ts";
import type { Findings, PayloadPacket } from "../../src/inspect/packet.ts";
import { TcpInspection } from "../../src/inspect/tcp-inspection.ts";
import { must, mustBeShown } from "./invariants.ts";
import { mutated } from "./mutate.ts";
import type { Random } from "./random.ts";
import {
  interleaved,
  packetOf,
  randomSession,
  type Segment,
  segments,
  shuffled,
  type Session,
} from "./sessions.ts";
import type { Target } from "./target.ts";

/** Fewer than what a gap is given up after, and within the budget. */
const MOST_SEGMENTS = 14;
/** Both sides' windows, and the frames, blocks and messages of two readers of HTTP/2. */
const MAX_MEMORY = 2 * 16_384 + 2 * (131_072 + 65_536 + 2 * 32_768);
/** Of a connection: its proxies, then what is inside. */
const MAX_COUNTED = 9;

/** What an inspection told. */
class Told implements Findings {
  naming: Naming = NO_NAMING;
  messages = 0;
  counted: string[] = [];

  learn(update: Parameters<Findings["learn"]>[0]): void {
    this.naming = mergeNaming(this.naming, update);
  }

  count(protocol: string, outcome: string): void {
    this.counted.push(`${protocol} ${outcome}`);
  }

  dns(message: Uint8Array): boolean {
    const isMessage = parseDns(message, { strict: false, isCut: false }) !== null;
    if (isMessage) this.messages++;
    return isMessage;
  }
}

function inspect(packets: readonly PayloadPacket[], isDnsPort: boolean): Told {
  const told = new Told();
  const inspection = new TcpInspection(told, isDnsPort);
  for (const packet of packets) {
    const wanted = inspection.packet(packet);
    must(inspection.memory <= MAX_MEMORY, `memory within ${MAX_MEMORY}, not ${inspection.memory}`);
    if (wanted === "none") break;
  }
  inspection.finish();
  const before = told.counted.length;
  inspection.finish();
  must(told.counted.length === before && before <= MAX_COUNTED, "each end counted once");
  return told;
}

function mustBeFound(session: Session, order: readonly Segment[], random: Random, isStartKnown = true): Told {
  const starts = [random.u32(), random.pick([0xffff_fff0, 0x7fff_fff0, random.u32()])] as const;
  const packets = order.map((segment) => packetOf(segment, session, starts, isStartKnown));
  const told = inspect(packets, session.port === 53);
  const { domain, tlsVersion } = told.naming;
  const how = () =>
    `in ${session.name} of ${session.client.length} bytes as ${order.map((one) => `${one.side}:${one.start}-${one.end}`).join(" ")}`;
  must(domain === session.domain, `${session.domain}, not ${domain}, ${how()}`);
  must(told.messages === session.messages, `${session.messages} messages, not ${told.messages}, ${how()}`);
  must(tlsVersion === session.tlsVersion || session.tlsVersion !== null, `no TLS ${how()}`);
  const seldom = told.counted.filter((counted) => !counted.endsWith(" found"));
  must(seldom.length === 0, `no ${seldom[0]} ${how()}`);
  return told;
}

const sides = (random: Random, { client, server }: Session): [Segment[], Segment[]] => [
  segments(random, 0, client, MOST_SEGMENTS),
  segments(random, 1, server, MOST_SEGMENTS),
];

/** Sessions make their own input: what is drawn is all in the seed. */
const make = (): Uint8Array[] => [];

export const TCP_TARGETS: readonly Target[] = [
  {
    name: "tcp-order",
    make,
    check(_, random) {
      const session = randomSession(random);
      const [client, server] = sides(random, session);
      // The server answers what it has heard: its bytes come last, those of the client in any order.
      const told = mustBeFound(session, [...shuffled(random, client), ...server], random);
      const { tlsVersion } = told.naming;
      must(tlsVersion === session.tlsVersion, `${session.tlsVersion}, not ${tlsVersion}, in ${session.name}`);
    },
  },
  {
    name: "tcp-mixed",
    make,
    check(_, random) {
      const session = randomSession(random);
      const [client, server] = sides(random, session);
      mustBeFound(session, interleaved(random, shuffled(random, client), shuffled(random, server)), random);
    },
  },
  {
    name: "tcp-joined",
    make,
    check(_, random) {
      const session = randomSession(random);
      // In the middle of DNS nothing tells where a message begins; the end of CONNECT is a method like another.
      if (session.messages > 0 || session.isHttpConnect) return;
      const [client, server] = sides(random, session);
      mustBeFound(session, [...shuffled(random, client), ...server], random, false);
    },
  },
  {
    name: "tcp-hostile",
    make(random) {
      const { client, server } = randomSession(random);
      return [mutated(random, [client]), mutated(random, [server, client])];
    },
    check([client = new Uint8Array(), server = client], random) {
      const session = { client, server, port: 443 };
      const order = interleaved(
        random,
        segments(random, 0, client, MOST_SEGMENTS),
        segments(random, 1, server, MOST_SEGMENTS),
      );
      const packets = order.map((segment) => {
        const far = random.oneIn(16) ? random.u32() : random.oneIn(8) ? random.below(40_000) : 0;
        const packet = packetOf(segment, session, [far, 0xffff_ff00 + far], random.oneIn(2));
        return random.oneIn(8) ? { ...packet, length: packet.length + random.below(2000) } : packet;
      });
      const { naming } = inspect(packets, random.oneIn(4));
      mustBeShown(naming.domain);
      for (const protocol of naming.alpn) mustBeShown(protocol);
    },
  },
];
