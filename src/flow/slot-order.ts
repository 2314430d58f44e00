/** Orders two slots: below 0 for the first before the second, 0 where they are alike. */
export type SlotComparison = (a: number, b: number) => number;

/**
 * Picks a window out of slots in ascending order of their keys without sorting the rest (Hoare's selection), some three
 * comparisons a slot. Its columns are kept for the next time: 12 bytes a slot.
 */
export class SlotOrder {
  size = 0;
  private slots = new Uint32Array(0);
  private keys = new Float64Array(0);
  private tie: SlotComparison = () => 0;

  /** Empties it, with room for `capacity` slots. */
  reset(capacity: number): void {
    this.size = 0;
    if (capacity <= this.slots.length) return;
    this.slots = new Uint32Array(capacity);
    this.keys = new Float64Array(capacity);
  }

  /** A key of Infinity comes last. */
  add(slot: number, key: number): void {
    this.slots[this.size] = slot;
    this.keys[this.size++] = key;
  }

  /** At most `limit` slots from the place `offset` on. Of equal keys `tie` decides, then the lower slot is first. */
  pick(offset: number, limit: number, tie: SlotComparison): number[] {
    const end = Math.min(this.size, offset + limit);
    if (offset >= end) return [];
    this.tie = tie;
    this.select(offset, 0);
    this.select(end - 1, offset);
    const places = Array.from({ length: end - offset }, (_, index) => offset + index);
    return places.sort((a, b) => this.compare(a, b)).map((place) => this.slots[place] ?? 0);
  }

  /** Moves what belongs before `place` before it, from `first` on, and what belongs behind it behind. */
  private select(place: number, first: number): void {
    let low = first;
    let high = this.size - 1;
    while (low < high) {
      // No order of the slots makes a random one slow.
      this.swap(low + Math.floor(Math.random() * (high - low + 1)), high);
      let pivot = low;
      for (let index = low; index < high; index++) {
        if (this.compare(index, high) < 0) this.swap(index, pivot++);
      }
      this.swap(pivot, high);
      if (pivot === place) return;
      if (pivot < place) low = pivot + 1;
      else high = pivot - 1;
    }
  }

  private compare(a: number, b: number): number {
    const keyA = this.keys[a] ?? 0;
    const keyB = this.keys[b] ?? 0;
    if (keyA !== keyB) return keyA < keyB ? -1 : 1;
    const slotA = this.slots[a] ?? 0;
    const slotB = this.slots[b] ?? 0;
    return this.tie(slotA, slotB) || slotA - slotB;
  }

  private swap(a: number, b: number): void {
    const { slots, keys } = this;
    const slot = slots[a] ?? 0;
    const key = keys[a] ?? 0;
    slots[a] = slots[b] ?? 0;
    keys[a] = keys[b] ?? 0;
    slots[b] = slot;
    keys[b] = key;
  }
}
