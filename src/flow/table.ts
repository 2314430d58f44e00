import { ENUMS } from "../bpf/layout.gen.ts";
import { BLOCK_SLOTS } from "../bpf/slots.ts";
import { PointRates } from "./point-rates.ts";
import { PointSums } from "./point-sums.ts";
import { NO_POINT, Points } from "./points.ts";
import { LIVE, Retirement, type TableKernel } from "./retirement.ts";
import type { Counters } from "./types.ts";

const STATE = ENUMS.ayaflow_state;
/** Connections with several points that are read between two looks at the clock. */
const SHARED_STEP = 64;
/** Above this fill closed connections leave at once instead of after the timeout. */
const PRESSURE = 0.5;

export interface TableOptions {
  capacity: number;
  /** Idle time after which a connection leaves, in milliseconds. */
  timeoutMs: number;
  /** Whether slots that differ in the interface only are points of one connection; they are unless told otherwise. */
  mergesInterfaces?: boolean;
  /** Called when a slot was taken up: a connection, or one more point of one. */
  opened(slot: number): void;
  /** Called for a connection, by its primary, with the final counters in place, just before its slots are given back. */
  retired(primary: number): void;
  /** The primary of a connection turned out to be none: `heir` stands for it from now on. */
  replaced?(slot: number, heir: number): void;
}

/**
 * The live connections, by slot: one for each point at which a connection is observed. One entry of each typed array per slot, no object per connection:
 * 50,000 of them cost a few megabytes. Times are milliseconds of a clock that only goes forward.
 */
export class FlowTable {
  /** Slots in use, the first `size` entries. */
  readonly live: Uint32Array;
  size = 0;
  /** Packets and bytes per second over the last sweep. */
  readonly packetRate: Float32Array;
  readonly byteRate: Float32Array;
  readonly packets: Float64Array;
  readonly bytes: Float64Array;
  readonly points: Points;
  readonly sums: PointSums;
  /** What `sums.duplicates` was as of the last sweep. */
  readonly duplicates: Counters = { packets: 0, bytes: 0 };
  /** ... of the live connections, as far as the sweep under way has come. */
  private readonly again: Counters = { packets: 0, bytes: 0 };
  private readonly rates: PointRates;
  private readonly metas: Uint32Array;
  private readonly flags: Uint8Array;
  private readonly position: Uint32Array;
  private readonly lastChange: Float64Array;
  private readonly generations: Uint32Array;
  /** Counters of the block at hand, by place in it. */
  private readonly blockPackets = new Float64Array(BLOCK_SLOTS);
  private readonly blockBytes = new Float64Array(BLOCK_SLOTS);
  /** When each block was last read, and which is next in the sweep under way: 0 while there is none. */
  private readonly readAt: Float64Array;
  private nextBlock = 0;
  /** Of connections with several points, which is next in the sweep under way. */
  private nextShared = 0;
  /** No slot from this on was ever in use. */
  private top = 0;
  private readonly retirement: Retirement;

  constructor(
    readonly kernel: TableKernel,
    private readonly options: TableOptions,
    now: number,
  ) {
    const { capacity, mergesInterfaces = true } = options;
    this.points = new Points(kernel.slots, capacity, mergesInterfaces);
    this.sums = new PointSums(kernel.slots, this.points);
    this.rates = new PointRates(this.sums, capacity);
    this.live = new Uint32Array(capacity);
    this.position = new Uint32Array(capacity);
    this.metas = new Uint32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.packets = new Float64Array(capacity);
    this.bytes = new Float64Array(capacity);
    this.packetRate = new Float32Array(capacity);
    this.byteRate = new Float32Array(capacity);
    this.lastChange = new Float64Array(capacity);
    this.generations = new Uint32Array(capacity);
    this.readAt = new Float64Array(Math.ceil(capacity / BLOCK_SLOTS)).fill(now);
    const { points, sums, flags, generations, packets } = this;
    this.retirement = new Retirement({
      kernel,
      points,
      flags,
      generations,
      packets,
      retired(primary) {
        sums.depart(primary);
        options.retired(primary);
      },
      drop: (slot) => this.drop(slot),
      forget: (slot) => this.forget(slot),
    });
  }

  /** `meta` word of the connection's key, kept also while the slot is being retired. */
  meta(slot: number): number {
    return this.metas[slot] ?? 0;
  }

  /** Whether `slot` still holds the connection of generation `gen`. */
  holds(slot: number, gen: number): boolean {
    return ((this.flags[slot] ?? 0) & LIVE) !== 0 && this.kernel.slots.generation(slot) === gen;
  }

  /** Packets and bytes per second of a connection over the last sweep. */
  packetsPerSecond(primary: number): number {
    return (this.points.isShared(primary) ? this.rates.packetRate : this.packetRate)[primary] ?? 0;
  }

  bytesPerSecond(primary: number): number {
    return (this.points.isShared(primary) ? this.rates.byteRate : this.byteRate)[primary] ?? 0;
  }

  /** Takes up a slot the kernel opened. Events may come late or twice. Returns whether it was new. */
  open(slot: number, gen: number, now: number): boolean {
    if (slot >= this.options.capacity) return false;
    if ((this.flags[slot] ?? 0) !== 0) {
      if (this.generations[slot] === gen) return false;
      // Found by `discover` while the kernel was giving it back: it never was a connection.
      this.forget(slot);
    }
    const { slots } = this.kernel;
    const meta = slots.meta(slot);
    if (meta === 0 || slots.generation(slot) !== gen) return false;
    this.flags[slot] = LIVE;
    this.generations[slot] = gen;
    this.metas[slot] = meta;
    this.packets[slot] = 0;
    this.bytes[slot] = 0;
    this.packetRate[slot] = 0;
    this.byteRate[slot] = 0;
    this.lastChange[slot] = now;
    this.position[slot] = this.size;
    this.live[this.size++] = slot;
    this.top = Math.max(this.top, slot + 1);
    this.rates.forget(slot);
    this.points.join(slot);
    const primary = this.points.primary(slot);
    if (primary !== slot) this.beginShared(primary);
    this.options.opened(slot);
    return true;
  }

  /** Takes up what is in the table and was never announced: `open` events lost to a full ring. */
  discover(now: number, found: (slot: number) => void): void {
    const { slots } = this.kernel;
    const missed: number[] = [];
    for (let slot = 0; slot < this.options.capacity; slot++) {
      if ((this.flags[slot] ?? 0) === 0 && slots.meta(slot) !== 0) missed.push(slot);
    }
    // The point that saw a connection first stands for it.
    for (const slot of missed.sort((a, b) => slots.firstBootNs(a) - slots.firstBootNs(b))) {
      if (this.open(slot, slots.generation(slot), now)) found(slot);
    }
  }

  /**
   * Goes on with the sweep under way, or begins one, until `until` by the clock `now` or until every live counter was
   * read. Works out rates, and finds what is idle or done, for `tidy`. `changed` is called for each connection that had
   * packets since the sweep before. Returns whether something is left to do.
   */
  sweep(now: () => number, until: number, changed?: (slot: number) => void): boolean {
    if (this.nextBlock === 0) this.retirement.beginSweep();
    const blocks = Math.ceil(this.top / BLOCK_SLOTS);
    for (let at = now(); this.nextBlock < blocks; at = now()) {
      if (at >= until) return true;
      this.sweepBlock(this.nextBlock++, at, changed);
    }
    if (this.sweepShared(now, until)) return true;
    // Their first connection's rate is over the time since this sweep.
    this.readAt.fill(now(), blocks);
    this.nextBlock = 0;
    return false;
  }

  private sweepBlock(block: number, now: number, changed?: (slot: number) => void): void {
    const { blockPackets, blockBytes } = this;
    const { slots } = this.kernel;
    slots.sums(block, this.flags, blockPackets, blockBytes);
    // Between two readings of the same block, whenever within its sweep each was.
    const perSecond = 1000 / Math.max(1, now - (this.readAt[block] ?? 0));
    this.readAt[block] = now;
    const pressed = this.isPressed();
    const first = block * BLOCK_SLOTS;
    const end = Math.min(this.top, first + BLOCK_SLOTS);
    for (let slot = first; slot < end; slot++) {
      if (this.flags[slot] === 0) continue;
      const packets = blockPackets[slot - first] ?? 0;
      const more = packets - (this.packets[slot] ?? 0);
      if (more > 0) {
        const bytes = blockBytes[slot - first] ?? 0;
        this.packetRate[slot] = more * perSecond;
        this.byteRate[slot] = (bytes - (this.bytes[slot] ?? 0)) * perSecond;
        this.packets[slot] = packets;
        this.bytes[slot] = bytes;
        this.lastChange[slot] = now;
        changed?.(slot);
        continue;
      }
      if (this.packetRate[slot] !== 0) {
        this.packetRate[slot] = 0;
        this.byteRate[slot] = 0;
      }
      // One of several points is not looked at before all of them are read.
      if (!this.points.isPrimary(slot) || this.points.isShared(slot)) continue;
      this.expireWhenOver(slot, now, pressed);
    }
  }

  private isPressed(): boolean {
    return this.size > this.options.capacity * PRESSURE;
  }

  /** Retires a connection that is idle at all its points; `pressed`: or one saw its end and all are quiet. */
  private expireWhenOver(primary: number, now: number, pressed: boolean): void {
    if (this.flags[primary] !== LIVE) return;
    let isIdle = true;
    let isQuiet = true;
    let isClosed = false;
    for (let point = primary; point !== NO_POINT; point = this.points.next(point)) {
      isQuiet &&= this.packetRate[point] === 0;
      isIdle &&= now - (this.lastChange[point] ?? 0) >= this.options.timeoutMs;
      isClosed ||= this.kernel.slots.state(point) >= STATE.AYAFLOW_STATE_CLOSED;
      if (!isIdle && !(pressed && isQuiet)) return;
    }
    if (isIdle || isClosed) this.retirement.expire(primary);
  }

  /** Connections with several points. Returns whether some are left to be read. */
  private sweepShared(now: () => number, until: number): boolean {
    const { points, sums, again, duplicates } = this;
    const pressed = this.isPressed();
    for (; this.nextShared < points.sharedSize; this.nextShared++) {
      if (this.nextShared % SHARED_STEP === 0 && now() >= until) return true;
      const primary = points.shared[this.nextShared] ?? 0;
      const at = now();
      this.rates.read(primary, at);
      sums.addDuplicates(primary, again);
      this.expireWhenOver(primary, at, pressed);
    }
    duplicates.packets = sums.departed.packets + again.packets;
    duplicates.bytes = sums.departed.bytes + again.bytes;
    again.packets = 0;
    again.bytes = 0;
    this.nextShared = 0;
    return false;
  }

  /** Connections that are neither closed nor on their way out. */
  active(): number {
    const { slots } = this.kernel;
    let active = 0;
    for (let slot = 0; slot < this.top; slot++) {
      if (this.flags[slot] !== LIVE || !this.points.isPrimary(slot)) continue;
      if (slots.state(slot) < STATE.AYAFLOW_STATE_CLOSED) active++;
    }
    return active;
  }

  /**
   * Retires what the sweep found, and gives back what was retired before the last sweep (packets under way
   * then have been counted by now), for as long as `hasTime`. Returns whether something is left to do.
   */
  tidy(hasTime: () => boolean): boolean {
    return this.retirement.tidy(hasTime);
  }

  /** Takes out a slot that never was a connection. */
  private forget(slot: number): void {
    const heir = this.points.leave(slot);
    this.drop(slot);
    if (heir === NO_POINT) return;
    this.retirement.inherit(heir);
    this.options.replaced?.(slot, heir);
  }

  private drop(slot: number): void {
    const index = this.position[slot] ?? 0;
    const moved = this.live[--this.size] ?? 0;
    this.live[index] = moved;
    this.position[moved] = index;
    this.flags[slot] = 0;
    this.metas[slot] = 0;
  }

  /** A connection has another point: with the second its rates are read apart. */
  private beginShared(primary: number): void {
    const known = { packets: this.packets[primary] ?? 0, bytes: this.bytes[primary] ?? 0 };
    this.rates.begin(primary, known, this.readAt[Math.floor(primary / BLOCK_SLOTS)] ?? 0);
  }
}
