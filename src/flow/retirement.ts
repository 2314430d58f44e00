import type { SideCounters, Slots } from "../bpf/slots.ts";
import type { Points } from "./points.ts";

/** What a slot's connection is: in the table; found to be over; out of the look-ups. */
export const LIVE = 1;
const EXPIRED = 2;
const RETIRING = 4;
/** Slots handled between two looks at the clock. */
const TIDY_SLOTS = 64;

/** What the table needs of the kernel side. */
export interface TableKernel {
  readonly slots: Slots;
  retire(slot: number): void;
  free(slot: number): void;
}

export interface RetirementParts {
  kernel: TableKernel;
  points: Points;
  /** By slot: the bits above, 0 while it is not in the table. */
  flags: Uint8Array;
  generations: Uint32Array;
  /** By slot, as of the last sweep. */
  packets: Float64Array;
  /** Called with the final counters in place. */
  retired(primary: number): void;
  /** The slot is not in the table any more. */
  drop(slot: number): void;
  /** ... and never was a connection. */
  forget(slot: number): void;
}

/**
 * How connections leave the table, with all their points at once: out of the look-ups first, and given back when packets
 * under way then have been counted.
 */
export class Retirement {
  /** Primaries: to be taken out of the look-ups; taken out, since the last sweep; taken out before it. */
  private readonly expired: number[] = [];
  private readonly retiring: number[] = [];
  private readonly freeing: number[] = [];
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  /** Slots of the connection at hand. */
  private readonly group: number[] = [];

  constructor(private readonly parts: RetirementParts) {}

  /** A connection is over: it is to be retired by `tidy`. */
  expire(primary: number): void {
    const { points, flags } = this.parts;
    points.each(primary, (point) => {
      flags[point] = LIVE | EXPIRED;
    });
    this.expired.push(primary);
  }

  /** What was taken out until now is given back by `tidy` after the sweep that begins. */
  beginSweep(): void {
    for (const primary of this.retiring.splice(0)) this.freeing.push(primary);
  }

  /** Another slot stands for a connection from now on. */
  inherit(heir: number): void {
    const flags = this.parts.flags[heir] ?? 0;
    if ((flags & RETIRING) !== 0) this.retiring.push(heir);
    else if ((flags & EXPIRED) !== 0) this.expired.push(heir);
  }

  /** See FlowTable. */
  tidy(hasTime: () => boolean): boolean {
    this.work(this.freeing, (primary) => this.free(primary), hasTime);
    this.work(this.expired, (primary) => this.retire(primary), hasTime);
    return this.freeing.length + this.expired.length > 0;
  }

  /** Takes what is in `list` from its end; `handle` returns how many slots that were. */
  private work(list: number[], handle: (primary: number) => number, hasTime: () => boolean): void {
    let left = 0;
    while (list.length > 0) {
      if (left <= 0) {
        if (!hasTime()) return;
        left = TIDY_SLOTS;
      }
      left -= Math.max(1, handle(list.pop() ?? 0));
    }
  }

  private retire(primary: number): number {
    const { kernel, points, flags } = this.parts;
    const group = this.slotsOf(primary, EXPIRED);
    const [first] = group;
    if (first === undefined) return 0;
    // It has gone on since the sweep.
    const isAlive = group.some((slot) => this.hasMore(slot));
    for (const slot of group) {
      if (!isAlive) kernel.retire(slot);
      flags[slot] = isAlive ? LIVE : LIVE | RETIRING;
    }
    if (!isAlive) {
      points.close(first);
      this.retiring.push(first);
    }
    return group.length;
  }

  private free(primary: number): number {
    const { kernel, points } = this.parts;
    const group = this.slotsOf(primary, RETIRING);
    const [first] = group;
    if (first === undefined) return 0;
    this.parts.retired(first);
    points.dissolve(first);
    for (const slot of group) {
      kernel.free(slot);
      this.parts.drop(slot);
    }
    return group.length;
  }

  private hasMore(slot: number): boolean {
    const { kernel, packets } = this.parts;
    kernel.slots.counters(slot, this.counters);
    return this.counters.packetsA + this.counters.packetsB > (packets[slot] ?? 0);
  }

  /** The slots of a connection that is on its way out as `flag` says; valid until the next call. None: it is not. */
  private slotsOf(primary: number, flag: number): readonly number[] {
    const { kernel, points, flags, generations } = this.parts;
    const { group } = this;
    group.length = 0;
    if (((flags[primary] ?? 0) & flag) === 0 || !points.isPrimary(primary)) return group;
    points.each(primary, (slot) => void group.push(slot));
    for (let index = group.length - 1; index >= 0; index--) {
      const slot = group[index] ?? 0;
      if (kernel.slots.generation(slot) === generations[slot]) continue;
      group.splice(index, 1);
      this.parts.forget(slot);
    }
    return group;
  }
}
