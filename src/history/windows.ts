import type { KernelEvent } from "../bpf/ring.ts";
import { handshakeNs, type SideCounters, splitMeta } from "../bpf/slots.ts";
import { directionName, wireAddress } from "../flow/connections.ts";
import type { Naming } from "../flow/naming.ts";
import type { FlowTable } from "../flow/table.ts";
import type { HistoryConnection, HistoryRow } from "./types.ts";

/** Slots looked at before the clock is read, and how long one slice of a window's end may take. */
const SLICE_SLOTS = 256;
const SLICE_BUDGET_MS = 5;
const FIELDS = 5;

export interface WindowOptions {
  table: FlowTable;
  /** Length of a window in milliseconds; 0 records packets instead. */
  windowMs: number;
  append: (row: HistoryRow) => void;
  interfaceName: (ifindex: number) => string;
  /** Of a live slot, up to and including its retirement: another object whenever more is known. */
  naming: (slot: number) => Naming;
  fromBootNs: (ns: number) => number;
  /** Milliseconds since the epoch. */
  wallMs: () => number;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Runs `work` soon, after what waits in the event loop. */
  soon: (work: () => void) => void;
}

/**
 * Makes history rows: for every connection that had packets in a window one row with just those,
 * or, with a window of 0, one row a packet. The rows of a connection add up to its counters.
 */
export class WindowRecorder {
  private readonly connections: (HistoryConnection | undefined)[];
  private readonly clients: Uint8Array;
  /** Counters already in rows: packets and bytes of A, packets and bytes of B, retransmits. */
  private readonly recorded: Float64Array;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  private windowStart: number;
  private walking = false;
  private finished = false;
  /** Packets of raw mode whose connection's slot had gone by the time the ring was drained. */
  stalePackets = 0;

  constructor(private readonly options: WindowOptions) {
    const capacity = options.table.live.length;
    this.connections = [];
    this.clients = new Uint8Array(capacity);
    this.recorded = new Float64Array(capacity * FIELDS);
    this.windowStart = this.align(options.wallMs());
  }

  /** One packet of raw mode. Only between `open` and the slot's next life: the ring keeps the order. */
  packet(event: KernelEvent): void {
    const { table, fromBootNs } = this.options;
    if (!table.holds(event.slot, event.gen) && !table.open(event.slot, event.gen, this.options.now())) {
      this.stalePackets += event.packets;
      return;
    }
    const connection = this.connection(event.slot);
    const byClient = event.side === this.clients[event.slot];
    this.options.append({
      connection,
      timestampMs: fromBootNs(event.bootNs),
      kind: "packet",
      direction: directionName(event.direction),
      packetsSent: byClient ? event.packets : 0,
      bytesSent: byClient ? event.bytes : 0,
      packetsReceived: byClient ? 0 : event.packets,
      bytesReceived: byClient ? 0 : event.bytes,
      tcpFlags: event.tcpFlags,
      rttNs: null,
      retransmits: 0,
    });
  }

  /** Called after each sweep: at a window's end, starts writing its rows in slices. */
  swept(): void {
    if (this.options.windowMs === 0 || this.walking) return;
    const start = this.align(this.options.wallMs());
    if (start === this.windowStart) return;
    this.walking = true;
    this.walk(this.options.table.live.slice(0, this.options.table.size), 0, () => {
      this.windowStart = start;
      this.walking = false;
    });
  }

  /** The rest of a connection whose slot is about to be used again. */
  retired(slot: number): void {
    if (this.options.windowMs !== 0) this.record(slot);
    this.connections[slot] = undefined;
    this.recorded.fill(0, slot * FIELDS, (slot + 1) * FIELDS);
  }

  /**
   * The rest of every live connection: the agent is about to end. `room` is awaited between slices
   * and says whether to go on. Returns how many connections were left without their row.
   */
  async finish(room: () => Promise<boolean>): Promise<number> {
    this.finished = true;
    const { table, windowMs } = this.options;
    if (windowMs === 0) return 0;
    for (let index = 0; index < table.size; index++) {
      if (index % SLICE_SLOTS === 0 && !(await room())) return table.size - index;
      this.record(table.live[index] ?? 0);
    }
    return 0;
  }

  private align(wallMs: number): number {
    const { windowMs } = this.options;
    return windowMs === 0 ? wallMs : Math.floor(wallMs / windowMs) * windowMs;
  }

  private walk(slots: Uint32Array, from: number, done: () => void): void {
    if (this.finished) return;
    const started = this.options.now();
    let index = from;
    while (index < slots.length) {
      const end = Math.min(index + SLICE_SLOTS, slots.length);
      for (; index < end; index++) {
        const slot = slots[index] ?? 0;
        // Retired between two slices: its rest is in a row already.
        if (this.options.table.meta(slot) !== 0) this.record(slot);
      }
      if (this.options.now() - started > SLICE_BUDGET_MS && index < slots.length) {
        this.options.soon(() => this.walk(slots, index, done));
        return;
      }
    }
    done();
  }

  private record(slot: number): void {
    const { slots } = this.options.table.kernel;
    const { counters, recorded } = this;
    const at = slot * FIELDS;
    slots.counters(slot, counters);
    const retransmits = slots.retransmits(slot);
    const packetsA = counters.packetsA - (recorded[at] ?? 0);
    const packetsB = counters.packetsB - (recorded[at + 2] ?? 0);
    const bytesA = counters.bytesA - (recorded[at + 1] ?? 0);
    const bytesB = counters.bytesB - (recorded[at + 3] ?? 0);
    // A counter read while it passed 2^32 can look smaller: the next reading is right.
    if (packetsA + packetsB === 0 || Math.min(packetsA, packetsB, bytesA, bytesB) < 0) return;
    const detail = slots.detail(slot);
    if (this.clients[slot] !== detail.client) this.connections[slot] = undefined;
    const connection = this.connection(slot);
    const a = detail.client === 0;
    this.options.append({
      connection,
      timestampMs: this.windowStart,
      kind: "window",
      direction: directionName(detail.clientDirection),
      packetsSent: a ? packetsA : packetsB,
      bytesSent: a ? bytesA : bytesB,
      packetsReceived: a ? packetsB : packetsA,
      bytesReceived: a ? bytesB : bytesA,
      tcpFlags: detail.flags[0] | detail.flags[1],
      rttNs: handshakeNs(detail),
      retransmits: retransmits - (recorded[at + 4] ?? 0),
    });
    recorded[at] = counters.packetsA;
    recorded[at + 1] = counters.bytesA;
    recorded[at + 2] = counters.packetsB;
    recorded[at + 3] = counters.bytesB;
    recorded[at + 4] = retransmits;
  }

  private connection(slot: number): HistoryConnection {
    const known = this.connections[slot];
    const naming = this.options.naming(slot);
    if (known?.naming === naming) return known;
    // Another object: rows that wait to be written keep what was known when they were made.
    const connection =
      known === undefined ? this.makeConnection(slot, naming) : { ...known, naming, rowId: 0 };
    this.connections[slot] = connection;
    return connection;
  }

  private makeConnection(slot: number, naming: Naming): HistoryConnection {
    const { table, interfaceName } = this.options;
    const detail = table.kernel.slots.detail(slot);
    const { protocol, ipv6, ifindex } = splitMeta(table.meta(slot));
    const a = { address: wireAddress(detail.addressA, ipv6), port: detail.portA };
    const b = { address: wireAddress(detail.addressB, ipv6), port: detail.portB };
    const [client, server] = detail.client === 0 ? [a, b] : [b, a];
    this.clients[slot] = detail.client;
    return {
      client: client.address,
      server: server.address,
      clientPort: client.port,
      serverPort: server.port,
      protocol,
      interface: interfaceName(ifindex),
      naming,
      rowId: 0,
    };
  }
}
