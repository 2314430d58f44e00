import { type Handshake, handshakeNs, type SideCounters, type Slots } from "../bpf/slots.ts";
import { NO_POINT, type Points } from "./points.ts";
import type { Counters, WallClock } from "./types.ts";

const emptyCounters = (): SideCounters => ({ packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 });

/**
 * The figures of connections, each packet once, from those of their points: of each side what the point has that saw the
 * most. That is right where all see the same, where each side takes another way, and where packets get lost between two.
 * It never decreases. A connection is given by its primary.
 */
export class PointSums {
  /** Of `duplicates`: what went with the connections that did. */
  readonly departed: Counters = { packets: 0, bytes: 0 };
  private readonly own = emptyCounters();
  private readonly most = emptyCounters();

  constructor(
    private readonly slots: Slots,
    private readonly points: Points,
  ) {}

  counters(primary: number, into: SideCounters): void {
    this.slots.counters(primary, into);
    for (let point = this.points.next(primary); point !== NO_POINT; point = this.points.next(point)) {
      this.slots.counters(point, this.own);
      into.packetsA = Math.max(into.packetsA, this.own.packetsA);
      into.bytesA = Math.max(into.bytesA, this.own.bytesA);
      into.packetsB = Math.max(into.packetsB, this.own.packetsB);
      into.bytesB = Math.max(into.bytesB, this.own.bytesB);
    }
  }

  /** Segments that a side sent again, as the point has it that saw the most of them. */
  retransmits(primary: number, side: 0 | 1): number {
    let most = 0;
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      most = Math.max(most, this.slots.retransmits(point, side));
    }
    return most;
  }

  /** Of the first point that saw the whole handshake; else of the primary. */
  handshake(primary: number): Handshake {
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      const handshake = this.slots.handshake(point);
      if (handshakeNs(handshake) !== null) return handshake;
    }
    return this.slots.handshake(primary);
  }

  /** TCP flags seen from either side, at any point. */
  flags(primary: number): number {
    let flags = 0;
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      flags |= this.slots.flags(point);
    }
    return flags;
  }

  /** Milliseconds since the epoch. */
  firstSeenMs(primary: number, clock: WallClock): number {
    return clock.fromBootNs(this.slots.firstBootNs(primary));
  }

  lastSeenMs(primary: number, clock: WallClock): number {
    // A tick is coarser than the first packet's time.
    let last = this.firstSeenMs(primary, clock);
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      last = Math.max(last, clock.fromJiffies(this.slots.lastJiffies(point)));
    }
    return last;
  }

  /** The first point that saw packets of a side; the primary while none has. What of packets is wanted once is its. */
  owner(primary: number, side: 0 | 1): number {
    if (!this.points.isShared(primary)) return primary;
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      if (this.slots.sidePackets(point, side) > 0) return point;
    }
    return primary;
  }

  /** Packets and bytes that connections were counted with again, at further points, since start; the live ones read now. */
  duplicates(): Counters {
    const sum = { ...this.departed };
    for (let place = 0; place < this.points.sharedSize; place++)
      this.addDuplicates(this.points.shared[place] ?? 0, sum);
    return sum;
  }

  /** Adds to `sum` what a live connection was counted with again. */
  addDuplicates(primary: number, sum: Counters): void {
    const { most, own } = this;
    this.counters(primary, most);
    let packets = 0;
    let bytes = 0;
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      this.slots.counters(point, own);
      packets += own.packetsA + own.packetsB;
      bytes += own.bytesA + own.bytesB;
    }
    sum.packets += Math.max(0, packets - most.packetsA - most.packetsB);
    sum.bytes += Math.max(0, bytes - most.bytesA - most.bytesB);
  }

  /** A connection is about to go: what it was counted with again stays known. */
  depart(primary: number): void {
    if (this.points.isShared(primary)) this.addDuplicates(primary, this.departed);
  }
}
