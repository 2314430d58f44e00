import { ENUMS } from "../bpf/layout.gen.ts";
import { BLOCK_SLOTS, type SideCounters, type Slots } from "../bpf/slots.ts";

const STATE = ENUMS.ayaflow_state;
const LIVE = 1;
const EXPIRED = 2;
const RETIRING = 4;
/** Slots handled between two looks at the clock. */
const TIDY_SLOTS = 64;
/** Above this fill closed connections leave at once instead of after the timeout. */
const PRESSURE = 0.5;

/** What the table needs of the kernel side. */
export interface TableKernel {
  readonly slots: Slots;
  retire(slot: number): void;
  free(slot: number): void;
}

export interface TableOptions {
  capacity: number;
  /** Idle time after which a connection leaves, in milliseconds. */
  timeoutMs: number;
  /** Called when a connection was taken up. */
  opened(slot: number): void;
  /** Called with the final counters in place, just before the slot is given back. */
  retired(slot: number): void;
}

/**
 * The live connections, by slot. One entry of each typed array per slot, no object per connection:
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
  /** No slot from this on was ever in use. */
  private top = 0;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  /** To be taken out of the look-ups; taken out, since the last sweep; taken out before it. */
  private expired: number[] = [];
  private retiring: number[] = [];
  private freeing: number[] = [];

  constructor(
    readonly kernel: TableKernel,
    private readonly options: TableOptions,
    now: number,
  ) {
    const { capacity } = options;
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
  }

  /** `meta` word of the connection's key, kept also while the slot is being retired. */
  meta(slot: number): number {
    return this.metas[slot] ?? 0;
  }

  /** Whether `slot` still holds the connection of generation `gen`. */
  holds(slot: number, gen: number): boolean {
    return ((this.flags[slot] ?? 0) & LIVE) !== 0 && this.kernel.slots.generation(slot) === gen;
  }

  /** Takes up a connection the kernel opened. Events may come late or twice. Returns whether it was new. */
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
    this.options.opened(slot);
    return true;
  }

  /** Takes up what is in the table and was never announced: `open` events lost to a full ring. */
  discover(now: number, found: (slot: number) => void): void {
    const { slots } = this.kernel;
    for (let slot = 0; slot < this.options.capacity; slot++) {
      if ((this.flags[slot] ?? 0) !== 0 || slots.meta(slot) === 0) continue;
      if (this.open(slot, slots.generation(slot), now)) found(slot);
    }
  }

  /**
   * Goes on with the sweep under way, or begins one, until `until` by the clock `now` or until every live counter was
   * read. Works out rates, and finds what is idle or done, for `tidy`. `changed` is called for each connection that had
   * packets since the sweep before. Returns whether something is left to do.
   */
  sweep(now: () => number, until: number, changed?: (slot: number) => void): boolean {
    if (this.nextBlock === 0) {
      for (const slot of this.retiring.splice(0)) this.freeing.push(slot);
    }
    const blocks = Math.ceil(this.top / BLOCK_SLOTS);
    for (let at = now(); this.nextBlock < blocks; at = now()) {
      if (at >= until) return true;
      this.sweepBlock(this.nextBlock++, at, changed);
    }
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
    const pressed = this.size > this.options.capacity * PRESSURE;
    const { timeoutMs } = this.options;
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
      if (this.flags[slot] !== LIVE) continue;
      const isIdle = now - (this.lastChange[slot] ?? 0) >= timeoutMs;
      if (isIdle || (pressed && slots.state(slot) >= STATE.AYAFLOW_STATE_CLOSED)) {
        this.flags[slot] = LIVE | EXPIRED;
        this.expired.push(slot);
      }
    }
  }

  /** Connections that are neither closed nor on their way out. */
  active(): number {
    const { slots } = this.kernel;
    let active = 0;
    for (let slot = 0; slot < this.top; slot++) {
      if (this.flags[slot] === LIVE && slots.state(slot) < STATE.AYAFLOW_STATE_CLOSED) active++;
    }
    return active;
  }

  /**
   * Retires what the sweep found, and gives back what was retired before the last sweep (packets under way
   * then have been counted by now), for as long as `hasTime`. Returns whether something is left to do.
   */
  tidy(hasTime: () => boolean): boolean {
    while (this.freeing.length > 0 && hasTime()) {
      for (const slot of this.freeing.splice(-TIDY_SLOTS)) this.free(slot);
    }
    while (this.expired.length > 0 && hasTime()) {
      for (const slot of this.expired.splice(-TIDY_SLOTS)) this.retire(slot);
    }
    return this.freeing.length + this.expired.length > 0;
  }

  private retire(slot: number): void {
    if (!this.isCurrent(slot)) return;
    this.kernel.slots.counters(slot, this.counters);
    if (this.counters.packetsA + this.counters.packetsB > (this.packets[slot] ?? 0)) {
      // It has gone on since the sweep.
      this.flags[slot] = LIVE;
      return;
    }
    this.kernel.retire(slot);
    this.flags[slot] = LIVE | RETIRING;
    this.retiring.push(slot);
  }

  private free(slot: number): void {
    if (!this.isCurrent(slot)) return;
    this.options.retired(slot);
    this.kernel.free(slot);
    this.forget(slot);
  }

  /** Whether the slot still holds what we know of it; forgets it if not. */
  private isCurrent(slot: number): boolean {
    if ((this.flags[slot] ?? 0) === 0) return false;
    if (this.kernel.slots.generation(slot) === this.generations[slot]) return true;
    this.forget(slot);
    return false;
  }

  private forget(slot: number): void {
    const index = this.position[slot] ?? 0;
    const moved = this.live[--this.size] ?? 0;
    this.live[index] = moved;
    this.position[moved] = index;
    this.flags[slot] = 0;
    this.metas[slot] = 0;
  }
}
