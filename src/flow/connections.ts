import { handshakeNs, splitMeta } from "../bpf/slots.ts";
import { formatAddress } from "./address.ts";
import { domainMatcher } from "./domain-pattern.ts";
import type { Naming } from "./naming.ts";
import type { FlowTable } from "./table.ts";
import { type Connection, type Direction, type LiveQuery, TCP_STATES } from "./types.ts";
import { parseNetwork } from "./network.ts";
import { TopItems } from "./top.ts";

/** Turns the kernel's times into milliseconds since the epoch. */
export interface WallClock {
  fromBootNs(ns: number): number;
  fromJiffies(low: number): number;
}

const IPV4_OFFSET = 12;

/** The address bytes of one side as they are on the wire: 4 for IPv4, 16 for IPv6. */
export function wireAddress(bytes: Uint8Array, ipv6: boolean): Uint8Array {
  return ipv6 ? bytes : bytes.subarray(IPV4_OFFSET);
}

/** `hook` of the kernel side as a word. */
export function directionName(hook: number): Direction {
  return hook === 0 ? "ingress" : "egress";
}

/** Makes connection records of slots, on demand. */
export class ConnectionView {
  private readonly counters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };

  constructor(
    private readonly table: FlowTable,
    private readonly clock: WallClock,
    private readonly interfaceName: (ifindex: number) => string,
    private readonly naming: (slot: number) => Naming,
  ) {}

  /** The record of a live slot, counters read now. */
  connection(slot: number): Connection {
    const { slots } = this.table.kernel;
    const detail = slots.detail(slot);
    const { protocol, ipv6, ifindex } = splitMeta(this.table.meta(slot));
    slots.counters(slot, this.counters);
    const { packetsA, bytesA, packetsB, bytesB } = this.counters;
    const a = { packets: packetsA, bytes: bytesA };
    const b = { packets: packetsB, bytes: bytesB };
    const client = detail.client;
    const server = 1 - client;
    const addresses = [detail.addressA, detail.addressB].map((bytes) =>
      formatAddress(wireAddress(bytes, ipv6)),
    );
    const ports = [detail.portA, detail.portB];
    const firstSeenMs = this.clock.fromBootNs(detail.firstBootNs);
    return {
      id: `${slot}-${slots.generation(slot)}`,
      interface: this.interfaceName(ifindex),
      protocol,
      clientAddress: addresses[client] ?? "",
      clientPort: ports[client] ?? 0,
      serverAddress: addresses[server] ?? "",
      serverPort: ports[server] ?? 0,
      direction: directionName(detail.clientDirection),
      state: TCP_STATES[detail.state] ?? "none",
      sent: client === 0 ? a : b,
      received: client === 0 ? b : a,
      packetsPerSecond: this.table.packetRate[slot] ?? 0,
      bytesPerSecond: this.table.byteRate[slot] ?? 0,
      flagsSent: detail.flags[client] ?? 0,
      flagsReceived: detail.flags[server] ?? 0,
      rttNs: handshakeNs(detail),
      rttServerNs: detail.rttServerNs || null,
      rttClientNs: detail.rttClientNs || null,
      retransmitsSent: detail.retransmits[client] ?? 0,
      retransmitsReceived: detail.retransmits[server] ?? 0,
      outOfOrderSent: detail.outOfOrder[client] ?? 0,
      outOfOrderReceived: detail.outOfOrder[server] ?? 0,
      firstSeenMs,
      // A tick is coarser than the first packet's time.
      lastSeenMs: Math.max(firstSeenMs, this.clock.fromJiffies(detail.lastJiffies)),
      naming: this.naming(slot),
    };
  }

  /** Live connections that match, in the asked order, and how many matched in all. */
  live(query: LiveQuery): { connections: Connection[]; matched: number } {
    const matches = this.matcher(query);
    const rank = this.rank(query.sort);
    const top = new TopItems(query.limit);
    let matched = 0;
    for (let index = 0; index < this.table.size; index++) {
      const slot = this.table.live[index] ?? 0;
      if (!matches(slot)) continue;
      matched++;
      top.offer(slot, rank(slot));
    }
    return { connections: top.sorted().map((slot) => this.connection(slot)), matched };
  }

  private matcher(query: LiveQuery): (slot: number) => boolean {
    const { slots } = this.table.kernel;
    const network = query.ip === undefined ? null : parseNetwork(query.ip);
    const isNamed = query.domain === undefined ? null : domainMatcher(query.domain);
    const { port } = query;
    const { protocol: wanted, interface: name, state } = query;
    const filters = [wanted, name, state, port, isNamed ?? undefined, network ?? undefined];
    if (filters.every((filter) => filter === undefined)) return () => true;
    return (slot) => {
      const { protocol, ipv6, ifindex } = splitMeta(this.table.meta(slot));
      if (wanted !== undefined && protocol !== wanted) return false;
      if (name !== undefined && this.interfaceName(ifindex) !== name) return false;
      if (state !== undefined && TCP_STATES[slots.state(slot)] !== state) return false;
      if (port !== undefined && slots.port(slot, 0) !== port && slots.port(slot, 1) !== port) return false;
      if (isNamed !== null && !isNamed(this.naming(slot).domain)) return false;
      return (
        network === null ||
        network.contains(wireAddress(slots.address(slot, 0), ipv6)) ||
        network.contains(wireAddress(slots.address(slot, 1), ipv6))
      );
    };
  }

  private rank(sort: LiveQuery["sort"]): (slot: number) => number {
    const { table, counters } = this;
    const { slots } = table.kernel;
    switch (sort) {
      case "packets":
        return (slot) => {
          slots.counters(slot, counters);
          return counters.packetsA + counters.packetsB;
        };
      case "bytes":
        return (slot) => {
          slots.counters(slot, counters);
          return counters.bytesA + counters.bytesB;
        };
      case "rate":
        return (slot) => table.byteRate[slot] ?? 0;
      case "rtt":
        return (slot) => handshakeNs(slots.handshake(slot)) ?? 0;
    }
  }
}
