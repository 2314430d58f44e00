import type { CapturedFrame } from "../capture/frame.ts";
import { decodePacket, type DecodedPacket } from "../capture/decode.ts";
import { isKnownLinkType, linkLayer } from "../capture/link.ts";
import { formatAddress } from "../flow/address.ts";
import { mergeNaming } from "./connection-names.ts";
import { isOnDnsPort } from "./dns-ports.ts";
import { type FileConnection, FileConnections } from "./file-connections.ts";
import { Inspector } from "./inspector.ts";
import { BUDGET_BYTES, BUDGET_PACKETS, type PayloadPacket, type Side } from "./packet.ts";
import type { Ends, Lookup } from "./types.ts";

const SYN = 2;
/** Questions are given up by the capture's own clock, looked at this often. */
const TICK_MS = 1000;

/** Finds the names in the packets of a capture, by the same rules as the running agent. */
export class FileInspection {
  /** Frames that are not IP, or whose IP header is cut short or impossible; of link types that are not known, by type. */
  notIp = 0;
  malformed = 0;
  readonly unknownLinkTypes = new Map<number, number>();
  readonly inspector: Inspector;
  private readonly table = new FileConnections();
  private tickedMs = 0;
  private latestMs = 0;

  /** `onLookup` is told of each DNS lookup when it is answered or given up. */
  constructor(onLookup: (lookup: Lookup) => void) {
    this.inspector = new Inspector({
      ends: (number, side) => this.ends(number, side),
      learn: (number, update) => {
        const connection = this.connection(number);
        connection.naming = mergeNaming(connection.naming, update);
      },
      want: (number, wanted) => {
        this.connection(number).wanted = wanted;
      },
      lookup: onLookup,
    });
  }

  /** In the order of their first packets. */
  get connections(): readonly FileConnection[] {
    return this.table.all;
  }

  frame(frame: CapturedFrame): void {
    const { linkType, bytes, length, timeMs } = frame;
    if (!isKnownLinkType(linkType)) {
      this.unknownLinkTypes.set(linkType, (this.unknownLinkTypes.get(linkType) ?? 0) + 1);
      return;
    }
    this.tick(timeMs);
    const link = linkLayer(linkType, bytes);
    const packet = link === null ? "malformed" : decodePacket(link.etherType, bytes, link.offset, length);
    if (packet === "not_ip") this.notIp++;
    else if (packet === "malformed") this.malformed++;
    else this.packet(frame, packet);
  }

  /** The capture has ended. */
  finish(): void {
    this.inspector.finish(this.latestMs);
  }

  private packet(frame: CapturedFrame, packet: DecodedPacket): void {
    const { connection, side, isNew } = this.table.take(frame.interface, packet);
    connection.packets++;
    connection.bytes += frame.length;
    if (isNew) this.nameByAddress(connection, frame.timeMs);
    // Of a header that goes on in the next fragment nothing can be told.
    if (packet.fragment?.isHeaderCut === true) return;
    if (packet.payload.length > 0 && this.isWanted(connection, side, packet)) {
      this.inspector.packet(payloadOf(connection, side, packet, frame.timeMs));
    }
  }

  /** Keeps to the budget that the kernel keeps to. */
  private isWanted(connection: FileConnection, side: Side, packet: DecodedPacket): boolean {
    if (connection.wanted !== "budget") return connection.wanted === "always";
    const end = connection.ends[side];
    if (end.packets >= BUDGET_PACKETS || end.bytes >= BUDGET_BYTES) return isOnDnsPort(packet);
    end.packets++;
    end.bytes += packet.payload.length;
    return true;
  }

  private nameByAddress(connection: FileConnection, timeMs: number): void {
    const server = connection.ends[connection.client === 0 ? 1 : 0];
    const domain = this.inspector.addresses.find(connection.interface, server.address, timeMs);
    if (domain !== null) connection.naming = mergeNaming(connection.naming, { domain, domainSource: "dns" });
  }

  private tick(timeMs: number): void {
    this.latestMs = Math.max(this.latestMs, timeMs);
    // Also after a packet from the future, which would hold the clock.
    if (Math.abs(timeMs - this.tickedMs) < TICK_MS) return;
    this.tickedMs = timeMs;
    this.inspector.tick(timeMs);
  }

  private connection(number: number): FileConnection {
    const connection = this.table.all[number];
    if (connection === undefined) throw new RangeError(`no connection ${number}`);
    return connection;
  }

  private ends(number: number, side: Side): Ends {
    const connection = this.connection(number);
    const [source, destination] = [connection.ends[side], connection.ends[side === 0 ? 1 : 0]];
    return {
      interface: connection.interface,
      source: formatAddress(source.address),
      sourcePort: source.port,
      destination: formatAddress(destination.address),
      destinationPort: destination.port,
    };
  }
}

function payloadOf(
  connection: FileConnection,
  side: Side,
  packet: DecodedPacket,
  timeMs: number,
): PayloadPacket {
  const { tcp, fragment, payload, payloadLength, protocol, sourcePort, destinationPort } = packet;
  const isSyn = tcp !== null && (tcp.flags & SYN) !== 0;
  return {
    connection: connection.number,
    side,
    sourcePort,
    destinationPort,
    protocol,
    timeMs,
    sequence: tcp === null ? 0 : (tcp.sequence + (isSyn ? 1 : 0)) >>> 0,
    start: connection.ends[side].start,
    fragment,
    segment: 0,
    bytes: payload,
    length: payloadLength,
  };
}
