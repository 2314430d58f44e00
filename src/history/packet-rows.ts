import type { KernelEvent } from "../bpf/ring.ts";
import type { FlowTable } from "../flow/table.ts";
import { directionName } from "../flow/wire.ts";
import type { ConnectionIdentities } from "./connection-identities.ts";
import type { RowValues } from "./types.ts";
import type { RowSink } from "./windows.ts";

/** Packets that wait at most. */
const MAX_HELD = 4096;

export interface PacketRowsOptions {
  table: FlowTable;
  rows: RowSink;
  identities: ConnectionIdentities;
  /** Whether a connection can have several observation points. */
  severalPoints: () => boolean;
  fromBootNs: (ns: number) => number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/**
 * Makes rows of packets: each packet once, as the point had it that is the first to see packets of its side. The first
 * packets of a connection wait until the events at hand are read: its further points are among them.
 */
export class PacketRows {
  /** Packets whose connection's slot had gone by the time the ring was drained. */
  stale = 0;
  private held: KernelEvent[] = [];
  /** The row at hand: used again for the next. */
  private readonly row: RowValues = {
    timestampMs: 0,
    kind: "packet",
    direction: "ingress",
    packetsSent: 0,
    bytesSent: 0,
    packetsReceived: 0,
    bytesReceived: 0,
    tcpFlags: 0,
    rttNs: null,
    retransmits: 0,
  };

  constructor(private readonly options: PacketRowsOptions) {}

  /** Takes an event. Only between `open` and the slot's next life: the ring keeps the order. */
  packet(event: KernelEvent): void {
    const { table, identities, severalPoints, now } = this.options;
    const { slot, gen } = event;
    if (!table.holds(slot, gen) && !table.open(slot, gen, now())) {
      this.stale += event.packets;
      return;
    }
    if (identities.isKnown(table.points.primary(slot)) || !severalPoints()) {
      this.append(event);
      return;
    }
    this.held.push({ ...event });
    if (this.held.length >= MAX_HELD) this.drained();
  }

  /** The events at hand are read. */
  drained(): void {
    if (this.held.length === 0) return;
    const held = this.held;
    this.held = [];
    for (const event of held) this.append(event);
  }

  private append(event: KernelEvent): void {
    const { table, rows, identities, fromBootNs } = this.options;
    const primary = table.points.primary(event.slot);
    if (table.sums.owner(primary, event.side) !== event.slot) return;
    if (!rows.accepts) {
      rows.refuse();
      return;
    }
    const identity = identities.of(primary);
    const { row } = this;
    const byClient = event.side === identities.client(primary);
    row.timestampMs = fromBootNs(event.bootNs);
    row.direction = directionName(event.direction);
    row.packetsSent = byClient ? event.packets : 0;
    row.bytesSent = byClient ? event.bytes : 0;
    row.packetsReceived = byClient ? 0 : event.packets;
    row.bytesReceived = byClient ? 0 : event.bytes;
    row.tcpFlags = event.tcpFlags;
    rows.appendOf(identity, row);
  }
}
