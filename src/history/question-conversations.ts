/** In place of a value: nothing is known of a conversation yet. */
export const UNKNOWN = -1;

/** Conversations kept at a time, a power of two: 12 MB. Reading one again costs little. */
const MAX_CONVERSATIONS = 512 * 1024;
const FIRST_SLOTS = 2048;
/** Slots gone through in one step: some milliseconds at most. */
const SLOTS_PER_STEP = 64 * 1024;
const EMPTY = 0;

/** A number for each conversation met, by its id, which is not 0: open addressing, at most half full. */
export class ConversationMap {
  private ids = new Float64Array(FIRST_SLOTS);
  private values = new Int32Array(FIRST_SLOTS);
  private used = 0;

  constructor(private readonly maxConversations = MAX_CONVERSATIONS) {}

  /**
   * Makes room for `count` more; slots told before are not valid any more. Forgets all where they would be too many.
   * In steps, until the last of which the map is not to be used.
   */
  *reserve(count: number): Generator<void> {
    const needed = (this.used + count) * 2;
    if (needed <= this.ids.length) return;
    const { ids, values } = this;
    const isFull = this.used + count > this.maxConversations;
    let slots = isFull ? FIRST_SLOTS : ids.length;
    while (slots < (isFull ? count * 2 : needed)) slots *= 2;
    this.ids = new Float64Array(slots);
    this.values = new Int32Array(slots);
    this.used = 0;
    if (isFull) return;
    for (let slot = 0; slot < ids.length; slot++) {
      if (slot % SLOTS_PER_STEP === 0) yield;
      const id = ids[slot] ?? EMPTY;
      if (id !== EMPTY) this.values[this.slotOf(id)] = values[slot] ?? UNKNOWN;
    }
  }

  /** Where a conversation is; one that is new takes a place as UNKNOWN, for which there must be room. */
  slotOf(id: number): number {
    const slot = this.placeOf(id);
    if (this.ids[slot] !== EMPTY) return slot;
    this.ids[slot] = id;
    this.values[slot] = UNKNOWN;
    this.used++;
    return slot;
  }

  /** Where a conversation is; null for one that was not met. */
  find(id: number): number | null {
    const slot = this.placeOf(id);
    return this.ids[slot] === EMPTY ? null : slot;
  }

  get(slot: number): number {
    return this.values[slot] ?? UNKNOWN;
  }

  set(slot: number, value: number): void {
    this.values[slot] = value;
  }

  /** Replaces each value that is known. In steps, until the last of which the map is not to be used. */
  *replace(by: (value: number) => number): Generator<void> {
    const { ids, values } = this;
    for (let slot = 0; slot < ids.length; slot++) {
      if (slot % SLOTS_PER_STEP === 0) yield;
      const value = values[slot] ?? UNKNOWN;
      if (ids[slot] !== EMPTY && value !== UNKNOWN) values[slot] = by(value);
    }
  }

  /** Where a conversation is, or is to be. */
  private placeOf(id: number): number {
    const { ids } = this;
    const mask = ids.length - 1;
    // Fibonacci hashing: ids that follow one another spread out.
    let slot = (Math.imul(id, 0x9e3779b1) >>> 12) & mask;
    while (ids[slot] !== id && ids[slot] !== EMPTY) slot = (slot + 1) & mask;
    return slot;
  }
}
