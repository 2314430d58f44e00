import type { KernelEvent } from "../bpf/ring.ts";
import { handshakeNs, type SideCounters } from "../bpf/slots.ts";
import { directionName } from "../flow/wire.ts";
import { ConnectionIdentities, type IdentityOptions } from "./connection-identities.ts";
import type { Identities } from "./identities.ts";
import { PacketRows } from "./packet-rows.ts";
import type { RowValues } from "./types.ts";

/** Slots looked at before the clock is read, and how long one slice of a window's end may take. */
const SLICE_SLOTS = 256;
const SLICE_BUDGET_MS = 3;
const FIELDS = 5;

/** Where rows go: the writer. */
export interface RowSink {
  readonly identities: Identities;
  /** Whether a row would be taken now; where not, it is to be refused, and counted so. */
  readonly accepts: boolean;
  /** `row` is read at once: it may be changed afterwards. */
  appendOf(identity: number, row: RowValues): void;
  refuse(): void;
}

export interface WindowOptions extends IdentityOptions {
  /** Length of a window in milliseconds; 0 records packets instead. */
  windowMs: number;
  rows: RowSink;
  /** Whether a connection can have several observation points. */
  severalPoints: () => boolean;
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
 * or, with a window of 0, one row a packet. The rows of a connection add up to its counters, however many interfaces see
 * it. A connection is given by its primary slot.
 */
export class WindowRecorder {
  private readonly identities: ConnectionIdentities;
  private readonly packets: PacketRows;
  /** Counters already in rows: packets and bytes of A, packets and bytes of B, retransmits. */
  private readonly recorded: Float64Array;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  /** The row at hand: used again for the next. */
  private readonly row: RowValues;
  private windowStart: number;
  private factor = 1;
  private walking = false;
  private finished = false;

  constructor(private readonly options: WindowOptions) {
    const capacity = options.table.live.length;
    this.identities = new ConnectionIdentities(options.rows.identities, options);
    this.packets = new PacketRows({ ...options, identities: this.identities });
    this.recorded = new Float64Array(capacity * FIELDS);
    this.windowStart = this.align(options.wallMs());
    this.row = {
      timestampMs: 0,
      kind: "window",
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

  /** Packets of raw mode whose connection's slot had gone by the time the ring was drained. */
  get stalePackets(): number {
    return this.packets.stale;
  }

  /** One packet of raw mode. */
  packet(event: KernelEvent): void {
    this.packets.packet(event);
  }

  /** The events at hand are read: packets that waited for it get their rows. */
  drained(): void {
    this.packets.drained();
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

  /** The rest of a connection whose slots are about to be used again. */
  retired(primary: number): void {
    if (this.options.windowMs !== 0) {
      this.record(primary);
      this.recorded.fill(0, primary * FIELDS, (primary + 1) * FIELDS);
    }
    this.identities.forget(primary);
  }

  /** `heir` stands for the connection of `primary` from now on. */
  replaced(primary: number, heir: number): void {
    this.recorded.copyWithin(heir * FIELDS, primary * FIELDS, (primary + 1) * FIELDS);
    this.recorded.fill(0, primary * FIELDS, (primary + 1) * FIELDS);
    this.identities.replace(primary, heir);
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
      const slot = table.live[index] ?? 0;
      if (table.points.isPrimary(slot)) this.record(slot);
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
        if (this.options.table.points.isPrimary(slot)) this.record(slot);
      }
      if (this.options.now() - started > SLICE_BUDGET_MS && index < slots.length) {
        this.options.soon(() => this.walk(slots, index, done));
        return;
      }
    }
    done();
  }

  private record(primary: number): void {
    const { sums, kernel } = this.options.table;
    const { slots } = kernel;
    const { counters, recorded, identities } = this;
    const at = primary * FIELDS;
    sums.counters(primary, counters);
    const retransmits = sums.retransmits(primary, 0) + sums.retransmits(primary, 1);
    const packetsA = counters.packetsA - (recorded[at] ?? 0);
    const packetsB = counters.packetsB - (recorded[at + 2] ?? 0);
    const bytesA = counters.bytesA - (recorded[at + 1] ?? 0);
    const bytesB = counters.bytesB - (recorded[at + 3] ?? 0);
    // A counter read while it passed 2^32 can look smaller: the next reading is right.
    if (packetsA + packetsB === 0 || Math.min(packetsA, packetsB, bytesA, bytesB) < 0) return;
    const { rows } = this.options;
    if (rows.accepts) {
      const { row } = this;
      const client = slots.client(primary);
      if (identities.client(primary) !== client) identities.forget(primary);
      const a = client === 0;
      row.timestampMs = this.windowStart;
      row.direction = directionName(slots.clientDirection(primary));
      row.packetsSent = a ? packetsA : packetsB;
      row.bytesSent = a ? bytesA : bytesB;
      row.packetsReceived = a ? packetsB : packetsA;
      row.bytesReceived = a ? bytesB : bytesA;
      row.tcpFlags = sums.flags(primary);
      row.rttNs = handshakeNs(sums.handshake(primary));
      row.retransmits = retransmits - (recorded[at + 4] ?? 0);
      rows.appendOf(identities.of(primary), row);
    } else {
      rows.refuse();
    }
    recorded[at] = counters.packetsA;
    recorded[at + 1] = counters.bytesA;
    recorded[at + 2] = counters.packetsB;
    recorded[at + 3] = counters.bytesB;
    recorded[at + 4] = retransmits;
  }
}
