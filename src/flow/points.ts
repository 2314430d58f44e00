import { TUPLE_PARTS } from "../bpf/slot-tuple.ts";
import type { Slots } from "../bpf/slots.ts";

/** Stands for no slot. */
export const NO_POINT = -1;
const BITS = 32;

/**
 * Which slots are one connection: the kernel keeps a slot for each interface that a packet crosses, its observation
 * points. Points with the same addresses, ports and protocol form a group, in the order in which they were taken up; the
 * first is its primary, which stands for it. A hash with chains finds the primary of a new slot: deleting leaves nothing
 * behind, as it would with open addressing. Columns by slot, no object per connection; 0 is nothing, else slot + 1.
 */
export class Points {
  /** Primaries of groups of several, the first `sharedSize` entries. */
  readonly shared: Uint32Array;
  sharedSize = 0;
  private readonly factors = crypto.getRandomValues(new Int32Array(TUPLE_PARTS));
  private readonly shift: number;
  private readonly heads: Uint32Array;
  /** By primary: the next one of the same bucket. */
  private readonly chain: Uint32Array;
  private readonly hashes: Uint32Array;
  /** By point: the next one of its group, and its primary. */
  private readonly nexts: Uint32Array;
  private readonly primaries: Uint32Array;
  /** By primary: its place in `shared` + 1. */
  private readonly places: Uint32Array;

  constructor(
    private readonly slots: Slots,
    capacity: number,
    private readonly merges: boolean,
  ) {
    const bits = Math.max(1, Math.ceil(Math.log2(capacity)));
    this.shift = BITS - bits;
    this.heads = new Uint32Array(2 ** bits);
    this.shared = new Uint32Array(capacity);
    this.chain = new Uint32Array(capacity);
    this.hashes = new Uint32Array(capacity);
    this.nexts = new Uint32Array(capacity);
    this.primaries = new Uint32Array(capacity);
    this.places = new Uint32Array(capacity);
  }

  /** The slot that stands for the connection of `slot`. */
  primary(slot: number): number {
    return (this.primaries[slot] ?? 0) - 1;
  }

  isPrimary(slot: number): boolean {
    return this.primaries[slot] === slot + 1;
  }

  /** Whether the group of a primary has more points than that. */
  isShared(primary: number): boolean {
    return this.nexts[primary] !== 0;
  }

  /** The point behind `slot` in its group; NO_POINT behind the last. */
  next(slot: number): number {
    return (this.nexts[slot] ?? 0) - 1;
  }

  /** Points of the group of a primary. */
  count(primary: number): number {
    let count = 0;
    for (let point = primary; point !== NO_POINT; point = this.next(point)) count++;
    return count;
  }

  /** Calls `visit` with each point of the group of a primary. */
  each(primary: number, visit: (point: number) => void): void {
    for (let point = primary; point !== NO_POINT; ) {
      const next = this.next(point);
      visit(point);
      point = next;
    }
  }

  /** Adds a slot that was taken up: to the group of its connection, or as the first of another. */
  join(slot: number): void {
    this.nexts[slot] = 0;
    this.primaries[slot] = slot + 1;
    if (!this.merges) return;
    const hash = this.slots.tupleHash(slot, this.factors);
    const primary = this.find(slot, hash);
    if (primary === NO_POINT) this.enter(slot, hash);
    else this.append(primary, slot);
  }

  /**
   * Takes a group out of the look-up: the next slot of its connection begins another. It stays together. Returns whether
   * it could be found until now.
   */
  close(primary: number): boolean {
    const bucket = (this.hashes[primary] ?? 0) >>> this.shift;
    let before = NO_POINT;
    for (let at = (this.heads[bucket] ?? 0) - 1; at !== NO_POINT; at = (this.chain[at] ?? 0) - 1) {
      if (at === primary) {
        const rest = this.chain[at] ?? 0;
        if (before === NO_POINT) this.heads[bucket] = rest;
        else this.chain[before] = rest;
        return true;
      }
      before = at;
    }
    return false;
  }

  /** Ends a group: none of its slots is a point any more. */
  dissolve(primary: number): void {
    this.close(primary);
    this.unlist(primary);
    this.each(primary, (point) => {
      this.nexts[point] = 0;
      this.primaries[point] = 0;
    });
  }

  /** Takes out one slot, whose key may have changed. Returns the slot that stands for its group instead, or NO_POINT. */
  leave(slot: number): number {
    const primary = this.primary(slot);
    const heir = this.next(slot);
    if (primary === NO_POINT) return NO_POINT;
    if (slot !== primary) {
      this.unlink(primary, slot);
      return NO_POINT;
    }
    if (heir === NO_POINT) {
      this.dissolve(slot);
      return NO_POINT;
    }
    const wasOpen = this.close(slot);
    this.unlist(slot);
    this.nexts[slot] = 0;
    this.primaries[slot] = 0;
    this.each(heir, (point) => {
      this.primaries[point] = heir + 1;
    });
    if (wasOpen) this.enter(heir, this.hashes[slot] ?? 0);
    if (this.isShared(heir)) this.list(heir);
    return heir;
  }

  private find(slot: number, hash: number): number {
    let at = (this.heads[hash >>> this.shift] ?? 0) - 1;
    while (at !== NO_POINT && !(this.hashes[at] === hash && this.slots.isSameTuple(at, slot))) {
      at = (this.chain[at] ?? 0) - 1;
    }
    return at;
  }

  private enter(slot: number, hash: number): void {
    const bucket = hash >>> this.shift;
    this.hashes[slot] = hash;
    this.chain[slot] = this.heads[bucket] ?? 0;
    this.heads[bucket] = slot + 1;
  }

  private append(primary: number, slot: number): void {
    let last = primary;
    for (let point = this.next(last); point !== NO_POINT; point = this.next(point)) last = point;
    this.nexts[last] = slot + 1;
    this.primaries[slot] = primary + 1;
    if (last === primary) this.list(primary);
  }

  private unlink(primary: number, slot: number): void {
    let before = primary;
    while (this.next(before) !== slot) before = this.next(before);
    this.nexts[before] = this.nexts[slot] ?? 0;
    this.nexts[slot] = 0;
    this.primaries[slot] = 0;
    if (!this.isShared(primary)) this.unlist(primary);
  }

  /** Notes a group of several. */
  private list(primary: number): void {
    this.shared[this.sharedSize++] = primary;
    this.places[primary] = this.sharedSize;
  }

  private unlist(primary: number): void {
    const place = this.places[primary] ?? 0;
    if (place === 0) return;
    const moved = this.shared[--this.sharedSize] ?? 0;
    this.shared[place - 1] = moved;
    this.places[moved] = place;
    this.places[primary] = 0;
  }
}
