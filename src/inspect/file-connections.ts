import type { DecodedPacket, TcpHeader } from "../capture/decode.ts";
import { formatAddress } from "../flow/address.ts";
import { type Naming, NO_NAMING } from "../flow/naming.ts";
import type { Side, Wanted } from "./packet.ts";

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;

interface End {
  address: Uint8Array;
  port: number;
  /** Sequence number behind its SYN; null before that was seen. */
  start: number | null;
  hasFinished: boolean;
  /** Payload looked at. */
  packets: number;
  bytes: number;
}

/** One connection of a capture: both directions of a 5-tuple on one interface, counted as the agent does. */
export interface FileConnection {
  number: number;
  interface: string;
  protocol: number;
  /** Side 0 sent the first packet. */
  ends: readonly [End, End];
  client: Side;
  packets: number;
  bytes: number;
  wanted: Wanted;
  isOver: boolean;
  naming: Naming;
}

/** `192.0.2.7:443`, `[2001:db8::7]:443`; without the port where the protocol has none. */
export function endText({ address, port }: Pick<End, "address" | "port">, hasPort: boolean): string {
  const text = formatAddress(address);
  if (!hasPort) return text;
  return address.length === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

/** Who is the client, by the packet seen first (RFC 9293 section 3.5): who sends a SYN, or is sent a SYN-ACK. */
function firstClient({ tcp }: DecodedPacket): Side {
  return tcp !== null && (tcp.flags & (SYN | ACK)) === (SYN | ACK) ? 1 : 0;
}

function endOf(address: Uint8Array, port: number): End {
  return { address, port, start: null, hasFinished: false, packets: 0, bytes: 0 };
}

/** The connections of a capture, in the order of their first packets. */
export class FileConnections {
  readonly all: FileConnection[] = [];
  private readonly open = new Map<string, FileConnection>();

  /** The connection of a packet, made when there is none; a SYN may begin another with the same ends. */
  take(
    interfaceName: string,
    packet: DecodedPacket,
  ): { connection: FileConnection; side: Side; isNew: boolean } {
    const { source, destination, sourcePort, destinationPort, protocol, tcp } = packet;
    const from = `${source.toHex()}.${sourcePort}`;
    const to = `${destination.toHex()}.${destinationPort}`;
    const key = `${interfaceName} ${protocol} ${from < to ? `${from} ${to}` : `${to} ${from}`}`;
    const known = this.open.get(key);
    const isNew = known === undefined || begins(known, sideOf(known, packet), tcp);
    const connection = isNew ? this.begin(key, interfaceName, packet) : known;
    const side = sideOf(connection, packet);
    if (tcp !== null) follow(connection, side, tcp);
    return { connection, side, isNew };
  }

  private begin(key: string, interfaceName: string, packet: DecodedPacket): FileConnection {
    const { source, destination, sourcePort, destinationPort, protocol } = packet;
    const connection: FileConnection = {
      number: this.all.length,
      interface: interfaceName,
      protocol,
      ends: [endOf(source.slice(), sourcePort), endOf(destination.slice(), destinationPort)],
      client: firstClient(packet),
      packets: 0,
      bytes: 0,
      wanted: "budget",
      isOver: false,
      naming: NO_NAMING,
    };
    this.all.push(connection);
    this.open.set(key, connection);
    return connection;
  }
}

/** Whether a packet begins another connection with the ends of `known`: a SYN that is none of its own sent again. */
function begins(known: FileConnection, side: Side, tcp: TcpHeader | null): boolean {
  if (tcp === null || (tcp.flags & (SYN | ACK | RST)) !== SYN) return false;
  const { start } = known.ends[side];
  return known.isOver || (start !== null && start !== (tcp.sequence + 1) >>> 0);
}

function sideOf({ ends }: FileConnection, { source, sourcePort }: DecodedPacket): Side {
  const [first] = ends;
  return first.port === sourcePort && Buffer.compare(first.address, source) === 0 ? 0 : 1;
}

function follow(connection: FileConnection, side: Side, tcp: TcpHeader): void {
  const end = connection.ends[side];
  if ((tcp.flags & SYN) !== 0) {
    const isFirstSyn = connection.ends.every(({ start }) => start === null);
    end.start ??= (tcp.sequence + 1) >>> 0;
    if (isFirstSyn) connection.client = (tcp.flags & ACK) === 0 ? side : side === 0 ? 1 : 0;
  }
  if ((tcp.flags & FIN) !== 0) end.hasFinished = true;
  connection.isOver ||= (tcp.flags & RST) !== 0 || connection.ends.every(({ hasFinished }) => hasFinished);
}
