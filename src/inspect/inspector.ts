import { quotedPacket } from "../capture/icmp.ts";
import { formatAddress } from "../flow/address.ts";
import { AddressNames } from "./address-names.ts";
import type { NamingUpdate } from "./connection-names.ts";
import { InspectionCounters } from "./counters.ts";
import { LookupTracker } from "./dns-lookups.ts";
import { DNS_PORT, hasPort, isOnDnsPort, LLMNR_PORT, MDNS_PORT } from "./dns-ports.ts";
import { parseDns } from "./dns-message.ts";
import { FragmentStore } from "./fragments.ts";
import { InspectionPool } from "./inspection-pool.ts";
import { JunkCounts } from "./junk-counts.ts";
import type { Findings, PayloadPacket, Side, Wanted } from "./packet.ts";
import { QuicInspection } from "./quic-inspection.ts";
import { isQuicLongHeader } from "./quic-packet.ts";
import { TcpInspection } from "./tcp-inspection.ts";
import type { DnsTransport, Ends, Lookup } from "./types.ts";

const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
/** Its messages have the form of DNS (RFC 1002 section 4.2), but are none. */
const NETBIOS_NAME_PORT = 137;

/** Who has the connections that payload belongs to, and is told what is found in it. */
export interface ConnectionOwner {
  /** Of a packet that `side` sends. */
  ends(connection: number, side: Side): Ends;
  learn(connection: number, update: NamingUpdate): void;
  /** What is wanted of the connection's payload from now on. */
  want(connection: number, wanted: Wanted): void;
  /** Someone's question was answered, or was not. */
  lookup(lookup: Lookup): void;
}

/** Looks into payload, packet by packet, and tells its owner what connections are about. Memory is bounded. */
export class Inspector {
  readonly counters = new InspectionCounters();
  readonly addresses = new AddressNames();
  readonly lookups: LookupTracker;
  /** Packets looked at since start. */
  packets = 0;
  readonly pool: InspectionPool;
  private readonly fragments = new FragmentStore<PayloadPacket>();
  private readonly junk = new JunkCounts();

  constructor(private readonly owner: ConnectionOwner) {
    this.lookups = new LookupTracker({ onLookup: (lookup) => owner.lookup(lookup) });
    this.pool = new InspectionPool((connection) => owner.want(connection, "none"));
  }

  /** Takes the payload of a packet; not of a connection of which none is wanted. */
  packet(packet: PayloadPacket): void {
    this.packets++;
    if (packet.fragment !== null) this.putTogether(packet);
    else this.whole(packet);
  }

  /** A connection is over: its number may be used again. */
  end(connection: number): void {
    this.pool.end(connection);
    this.junk.forget(connection);
  }

  /** Lets go of what has waited too long. Milliseconds since the epoch; call it about once a second. */
  tick(nowMs: number): void {
    this.lookups.expire(nowMs);
  }

  /** Everything that waits is told: nothing more comes. */
  finish(nowMs: number): void {
    this.pool.endAll();
    this.lookups.flush(nowMs);
  }

  private whole(packet: PayloadPacket): void {
    if (packet.protocol === TCP) this.stream(packet);
    else if (packet.protocol === UDP) this.datagrams(packet);
    else this.quoted(packet);
  }

  private stream(packet: PayloadPacket): void {
    const { connection } = packet;
    const known = this.pool.get(connection);
    this.run(known ?? new TcpInspection(this.findings(connection), hasPort(packet, DNS_PORT)), packet);
  }

  private datagrams(packet: PayloadPacket): void {
    const { segment, bytes } = packet;
    if (segment === 0 || bytes.length <= segment) {
      this.datagram(packet);
      return;
    }
    for (let at = 0; at < bytes.length; at += segment) {
      const length = Math.min(segment, packet.length - at);
      if (this.datagram({ ...packet, bytes: bytes.subarray(at, at + segment), length }) === "none") return;
    }
  }

  private datagram(packet: PayloadPacket): Wanted {
    const { connection, bytes, side, timeMs } = packet;
    const isCut = bytes.length < packet.length;
    const known = this.pool.get(connection);
    if (isOnDnsPort(packet)) {
      if (this.message(connection, side, bytes, timeMs, { transport: null, strict: false, isCut }))
        return "always";
      if (!this.junk.add(connection)) return "always";
      this.owner.want(connection, "none");
      return "none";
    }
    if (known !== undefined || isQuicLongHeader(bytes, isCut)) {
      return this.run(known ?? new QuicInspection(this.findings(connection)), packet);
    }
    if (
      !hasPort(packet, NETBIOS_NAME_PORT) &&
      this.message(connection, side, bytes, timeMs, { transport: null, strict: true, isCut })
    ) {
      this.owner.want(connection, "always");
      return "always";
    }
    return "budget";
  }

  private run(inspection: TcpInspection | QuicInspection, packet: PayloadPacket): Wanted {
    const wanted = inspection.packet(packet);
    if (wanted === "none") this.pool.forget(packet.connection);
    else this.pool.set(packet.connection, inspection);
    if (wanted !== "budget") this.owner.want(packet.connection, wanted);
    return wanted;
  }

  private findings(connection: number): Findings {
    return {
      learn: (update) => this.owner.learn(connection, update),
      count: (protocol, outcome) => this.counters.add(protocol, outcome),
      dns: (message, side, timeMs, isCut) =>
        this.message(connection, side, message, timeMs, { transport: "tcp", strict: false, isCut }),
    };
  }

  /** Takes in a DNS message; false when it is none. */
  private message(
    connection: number,
    side: Side,
    bytes: Uint8Array,
    timeMs: number,
    how: { transport: DnsTransport | null; strict: boolean; isCut: boolean },
  ): boolean {
    const message = parseDns(bytes, how);
    if (message === null) {
      if (!how.strict) this.counters.add("dns", "unparseable");
      return false;
    }
    const ends = this.owner.ends(connection, side);
    this.counters.add(
      "dns",
      message.isDamaged ? "unparseable" : message.isCut || message.truncated ? "truncated" : "found",
    );
    const isAnswer = this.lookups.observe(message, ends, how.transport ?? transportOf(ends), timeMs);
    // Whoever can send one packet can send an answer: only what was asked for names addresses.
    if (isAnswer) this.addresses.learn(ends.interface, message, timeMs);
    return true;
  }

  /** An ICMP error tells of a lookup whose own packets may not have been seen. */
  private quoted({ connection, side, protocol, bytes, timeMs }: PayloadPacket): void {
    const quoted = quotedPacket({ protocol, payload: bytes, ipv6: protocol === ICMPV6, fragment: null });
    if (quoted === null || quoted.protocol !== UDP || !isOnDnsPort(quoted)) return;
    const message = parseDns(quoted.payload, { strict: false, isCut: true });
    if (message === null) return;
    const { interface: name } = this.owner.ends(connection, side);
    const { sourcePort, destinationPort } = quoted;
    const [source, destination] = [formatAddress(quoted.source), formatAddress(quoted.destination)];
    const ends = { interface: name, source, sourcePort, destination, destinationPort };
    this.lookups.observe(message, ends, transportOf(ends), timeMs);
  }

  /** The rest may never come: the first fragment of a message has the question, and is counted with the rest. */
  private startOfMessage({ connection, side, bytes, timeMs }: PayloadPacket): void {
    const message = parseDns(bytes, { strict: false, isCut: true });
    if (message === null) return;
    const ends = this.owner.ends(connection, side);
    this.lookups.observe(message, ends, transportOf(ends), timeMs);
  }

  private putTogether(packet: PayloadPacket): void {
    const { fragment, connection, side, bytes, timeMs } = packet;
    if (fragment === null) return;
    const { source, destination, interface: name } = this.owner.ends(connection, side);
    const isFirst = packet.sourcePort !== 0 || packet.destinationPort !== 0;
    if (isFirst && packet.protocol === UDP && isOnDnsPort(packet)) this.startOfMessage(packet);
    if (bytes.length < packet.length) return;
    const key = [name, source, destination, packet.protocol, fragment.id].join(" ");
    const first = isFirst ? { ...packet, bytes: new Uint8Array() } : null;
    const whole = this.fragments.add(
      key,
      { offset: fragment.offset, more: fragment.more, bytes, first },
      timeMs,
    );
    if (whole === null) return;
    const { payload } = whole;
    this.whole({ ...whole.first, fragment: null, bytes: payload, length: payload.length });
    // All fragments between two hosts are one connection, whose budget others would spend.
    if (!isFirst && isOnDnsPort(whole.first)) this.owner.want(connection, "always");
  }
}

function transportOf(ends: Ends): DnsTransport {
  if (hasPort(ends, MDNS_PORT)) return "mdns";
  return hasPort(ends, LLMNR_PORT) ? "llmnr" : "udp";
}
