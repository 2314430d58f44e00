import type { SideCounters } from "../bpf/slots.ts";
import type { PointSums } from "./point-sums.ts";
import type { Counters } from "./types.ts";

/** Packets and bytes a second of connections with several points, by primary; times are monotonic milliseconds. */
export class PointRates {
  readonly packetRate: Float32Array;
  readonly byteRate: Float32Array;
  private readonly packets: Float64Array;
  private readonly bytes: Float64Array;
  /** When the counters were read; 0: never. */
  private readonly readAt: Float64Array;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };

  constructor(
    private readonly sums: PointSums,
    capacity: number,
  ) {
    this.packetRate = new Float32Array(capacity);
    this.byteRate = new Float32Array(capacity);
    this.packets = new Float64Array(capacity);
    this.bytes = new Float64Array(capacity);
    this.readAt = new Float64Array(capacity);
  }

  /** The slot is another connection's now. */
  forget(slot: number): void {
    // What was never written takes no memory: with one interface all of it.
    if (this.readAt[slot] === 0) return;
    this.readAt[slot] = 0;
    this.packetRate[slot] = 0;
    this.byteRate[slot] = 0;
  }

  /** A connection has its second point: `known` is what its first one had at `at`. */
  begin(primary: number, known: Counters, at: number): void {
    if (this.readAt[primary] !== 0) return;
    this.packets[primary] = known.packets;
    this.bytes[primary] = known.bytes;
    this.readAt[primary] = at;
  }

  read(primary: number, now: number): void {
    const { counters } = this;
    this.sums.counters(primary, counters);
    const packets = counters.packetsA + counters.packetsB;
    const bytes = counters.bytesA + counters.bytesB;
    const perSecond = 1000 / Math.max(1, now - (this.readAt[primary] ?? 0));
    this.packetRate[primary] = (packets - (this.packets[primary] ?? 0)) * perSecond;
    this.byteRate[primary] = (bytes - (this.bytes[primary] ?? 0)) * perSecond;
    this.packets[primary] = packets;
    this.bytes[primary] = bytes;
    this.readAt[primary] = now;
  }
}
