/** Whole connections through the inspector, as live capture gives it their packets. */
import { type ConnectionOwner, Inspector } from "../../../src/inspect/inspector.ts";
import type { PayloadPacket } from "../../../src/inspect/packet.ts";
import { HOST, QUIC_DATAGRAM, SERVER_STREAM } from "./hellos.ts";
import {
  conversation,
  DNS_ANSWER,
  DNS_QUERY,
  LARGE_SEGMENTS,
  packetOf,
  type ParserCase,
  SMALL_STREAM,
} from "./parser-cases.ts";

const DNS_PORT = 53;
const CLIENT_PORT = 40_000;

/** Keeps the name that was learned or asked for last. */
function owner(): ConnectionOwner & { name: string | null } {
  const client = { interface: "eth0", source: "192.0.2.1", destination: "198.51.100.53" };
  const server = { interface: "eth0", source: client.destination, destination: client.source };
  return {
    name: null,
    ends: (_, side) =>
      side === 0
        ? { ...client, sourcePort: CLIENT_PORT, destinationPort: DNS_PORT }
        : { ...server, sourcePort: DNS_PORT, destinationPort: CLIENT_PORT },
    learn(_, update) {
      this.name = update.domain ?? this.name;
    },
    want: () => undefined,
    lookup(lookup) {
      this.name = lookup.name;
    },
  };
}

/** A case of connections one after the other, each under a number of its own and over when its packets are through. */
function connections(name: string, packets: readonly PayloadPacket[]): ParserCase {
  const told = owner();
  const inspector = new Inspector(told);
  let connection = 0;
  const run = () => {
    told.name = null;
    connection = (connection + 1) % 0xffff;
    for (const packet of packets) inspector.packet({ ...packet, connection });
    inspector.end(connection);
    return told.name;
  };
  return { name, bytes: packets.reduce((sum, { length }) => sum + length, 0), run, finds: HOST };
}

/** A case of lookups one after the other, each under an ID of its own, a millisecond apart. */
function lookups(name: string): ParserCase {
  const told = owner();
  const inspector = new Inspector(told);
  const [query, answer] = [DNS_QUERY.slice(), DNS_ANSWER.slice()];
  let timeMs = 0;
  const ports = { sourcePort: CLIENT_PORT, destinationPort: DNS_PORT, protocol: 17, start: null };
  const reply = { ...ports, sourcePort: DNS_PORT, destinationPort: CLIENT_PORT };
  const run = () => {
    told.name = null;
    timeMs++;
    query[0] = answer[0] = timeMs >> 8;
    query[1] = answer[1] = timeMs;
    inspector.packet(packetOf(0, query, { ...ports, timeMs }));
    inspector.packet(packetOf(1, answer, { ...reply, timeMs }));
    return told.name;
  };
  return { name, bytes: query.length + answer.length, run, finds: HOST };
}

/** The way of a packet from the ring to a name. */
export function connectionCases(): ParserCase[] {
  const [first, second] = LARGE_SEGMENTS;
  return [
    connections(
      "TLS connection to name and version",
      conversation([
        [0, SMALL_STREAM],
        [1, SERVER_STREAM],
      ]),
    ),
    connections(
      "TLS connection, post-quantum, to name and version",
      conversation([
        [0, first],
        [0, second],
        [1, SERVER_STREAM],
      ]),
    ),
    connections("QUIC connection to name", [packetOf(0, QUIC_DATAGRAM, { protocol: 17, start: null })]),
    lookups("DNS query and answer to lookup and addresses"),
  ];
}
