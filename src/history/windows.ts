import type { KernelEvent } from "../bpf/ring.ts";
import { handshakeNs, type SideCounters, splitMeta } from "../bpf/slots.ts";
import { directionName } from "../flow/wire.ts";
import type { Naming } from "../flow/naming.ts";
import type { FlowTable } from "../flow/table.ts";
import { type Identities, NOBODY } from "./identities.ts";
import type { Identity, RowValues } from "./types.ts";

/** Slots looked at before the clock is read, and how long one slice of a window's end may take. */
const SLICE_SLOTS = 256;
const SLICE_BUDGET_MS = 3;
const FIELDS = 5;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** Where rows go: the writer. */
export interface RowSink {
  readonly identities: Identities;
  /** Whether a row would be taken now; where not, it is to be refused, and counted so. */
  readonly accepts: boolean;
  /** `row` is read at once: it may be changed afterwards. */
  appendOf(identity: number, row: RowValues): void;
  refuse(): void;
}

export interface WindowOptions {
  table: FlowTable;
  /** Length of a window in milliseconds; 0 records packets instead. */
  windowMs: number;
  rows: RowSink;
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
  /** Of the connection in each slot that has had a row, held; else NOBODY. */
  private readonly identities: Uint32Array;
  private readonly clients: Uint8Array;
  /** Counters already in rows: packets and bytes of A, packets and bytes of B, retransmits. */
  private readonly recorded: Float64Array;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  /** The row at hand: used again for the next. */
  private readonly row: RowValues;
  private windowStart: number;
  private factor = 1;
  private walking = false;
  private finished = false;
  /** Packets of raw mode whose connection's slot had gone by the time the ring was drained. */
  stalePackets = 0;

  constructor(private readonly options: WindowOptions) {
    const capacity = options.table.live.length;
    this.identities = new Uint32Array(capacity);
    this.clients = new Uint8Array(capacity);
    this.recorded = new Float64Array(capacity * FIELDS);
    this.windowStart = this.align(options.wallMs());
    this.row = {
      timestampMs: 0,
      kind: options.windowMs === 0 ? "packet" : "window",
      direction: "ingress",
      packetsSent: 0,
      bytesSent: 0,
      packetsReceived: 0,
      bytesReceived: 0,
      tcpFlags: 0,
      rttNs: null,
      retransmits: 0,
    };
  }

  /** One packet of raw mode. Only between `open` and the slot's next life: the ring keeps the order. */
  packet(event: KernelEvent): void {
    const { table, rows, fromBootNs } = this.options;
    if (!rows.accepts) {
      rows.refuse();
      return;
    }
    if (!table.holds(event.slot, event.gen) && !table.open(event.slot, event.gen, this.options.now())) {
      this.stalePackets += event.packets;
      return;
    }
    const identity = this.identity(event.slot);
    const { row } = this;
    const byClient = event.side === this.clients[event.slot];
    row.timestampMs = fromBootNs(event.bootNs);
    row.direction = directionName(event.direction);
    row.packetsSent = byClient ? event.packets : 0;
    row.bytesSent = byClient ? event.bytes : 0;
    row.packetsReceived = byClient ? 0 : event.packets;
    row.bytesReceived = byClient ? 0 : event.bytes;
    row.tcpFlags = event.tcpFlags;
    rows.appendOf(identity, row);
  }

  /** Makes windows `factor` times as long, until it is told otherwise. */
  stretch(factor: number): void {
    this.factor = factor;
  }

  /**
   * Called after each sweep: at a window's end, writes its rows in slices. `then` is called after the last one, at once
   * where there are none, and not at all while the slices of a sweep before are under way, or after `finish`.
   */
  swept(then: () => void): void {
    if (this.walking) return;
    const start = this.align(this.options.wallMs());
    if (!this.isOver(start)) {
      then();
      return;
    }
    this.walking = true;
    this.walk(this.options.table.live.slice(0, this.options.table.size), 0, () => {
      this.windowStart = start;
      this.walking = false;
      then();
    });
  }

  /** The rest of a connection whose slot is about to be used again. */
  retired(slot: number): void {
    if (this.options.windowMs !== 0) {
      this.record(slot);
      this.recorded.fill(0, slot * FIELDS, (slot + 1) * FIELDS);
    }
    this.forget(slot);
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

  /** Whether the window under way is over, `start` being that of the present one. */
  private isOver(start: number): boolean {
    const elapsed = start - this.windowStart;
    // Below 0 the clock was set back.
    return this.options.windowMs !== 0 && (elapsed < 0 || elapsed >= this.options.windowMs * this.factor);
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
    const { rows } = this.options;
    if (rows.accepts) {
      const { row } = this;
      const client = slots.client(slot);
      if (this.clients[slot] !== client) this.forget(slot);
      const a = client === 0;
      row.timestampMs = this.windowStart;
      row.direction = directionName(slots.clientDirection(slot));
      row.packetsSent = a ? packetsA : packetsB;
      row.bytesSent = a ? bytesA : bytesB;
      row.packetsReceived = a ? packetsB : packetsA;
      row.bytesReceived = a ? bytesB : bytesA;
      row.tcpFlags = slots.flags(slot);
      row.rttNs = handshakeNs(slots.handshake(slot));
      row.retransmits = retransmits - (recorded[at + 4] ?? 0);
      rows.appendOf(this.identity(slot), row);
    } else {
      rows.refuse();
    }
    recorded[at] = counters.packetsA;
    recorded[at + 1] = counters.bytesA;
    recorded[at + 2] = counters.packetsB;
    recorded[at + 3] = counters.bytesB;
    recorded[at + 4] = retransmits;
  }

  /** The identity of the connection in `slot`: another once more is known of it, so that earlier rows keep theirs. */
  private identity(slot: number): number {
    const known = this.identities[slot] ?? NOBODY;
    const naming = this.options.naming(slot);
    const { identities } = this.options.rows;
    if (known !== NOBODY && identities.naming(known) === naming) return known;
    this.forget(slot);
    const { table, interfaceName } = this.options;
    const { slots } = table.kernel;
    const { protocol, ipv6, ifindex } = splitMeta(table.meta(slot));
    const client = slots.client(slot);
    const server = client === 0 ? 1 : 0;
    const of: Identity = {
      client: slots.address(slot, client),
      server: slots.address(slot, server),
      clientPort: slots.port(slot, client),
      serverPort: slots.port(slot, server),
      protocol,
      interface: interfaceName(ifindex),
      naming,
    };
    this.clients[slot] = client;
    const identity = identities.open(of, ipv6 ? IPV6_BYTES : IPV4_BYTES);
    this.identities[slot] = identity;
    return identity;
  }

  private forget(slot: number): void {
    const known = this.identities[slot] ?? NOBODY;
    if (known === NOBODY) return;
    this.options.rows.identities.release(known);
    this.identities[slot] = NOBODY;
  }
}
