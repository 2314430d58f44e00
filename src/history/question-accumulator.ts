import { ConversationMap, UNKNOWN } from "./question-conversations.ts";
import { OTHER, PRUNED } from "./question-groups.ts";
import { ALL_PASS, type ConversationLookup } from "./question-lookup.ts";
import type { RollupColumns } from "./rollup-types.ts";

/** Entries that were read together. */
export interface Entries {
  columns: RollupColumns;
  /** The point of the time series of each, or of all. */
  points: Int32Array | number;
  /** They are known to pass the filter. */
  isFiltered: boolean;
}

/** Bits of a value in the map that say which directions pass; the group's number is above them. */
const PASSING_BITS = 2;

/** Finds the group of each entry that passes the filter: by conversation, each of which is looked up once. */
export class EntrySorter {
  private readonly conversations = new ConversationMap();
  private slots = new Int32Array(0);
  private unknown = new Float64Array(0);

  constructor(
    /** null: all is one group, and all passes. */
    private readonly lookup: ConversationLookup | null,
    private readonly theOnlyGroup: number,
  ) {}

  /**
   * Calls `visit` with the group and the index of each entry that passes; `numberOf` tells the number of a group.
   * Until it ends, in slices, no group may be renumbered.
   */
  *sort(
    { columns, isFiltered }: Pick<Entries, "columns" | "isFiltered">,
    numberOf: (key: string) => number,
    visit: (group: number, index: number) => void,
  ): Generator<void> {
    const { length, direction } = columns;
    if (this.lookup === null) {
      for (let index = 0; index < length; index++) visit(this.theOnlyGroup, index);
      return;
    }
    const unknown = yield* this.findSlots(columns, this.lookup);
    for (let from = 0; from < unknown.length; from += this.lookup.idsPerRead) {
      if (from > 0) yield;
      this.lookUp(this.lookup, unknown.subarray(from, from + this.lookup.idsPerRead), numberOf);
    }
    const { conversations, slots } = this;
    for (let index = 0; index < length; index++) {
      const value = conversations.get(slots[index] ?? 0);
      if (isFiltered || (value >> (direction[index] ?? 0)) & 1) visit(value >> PASSING_BITS, index);
    }
  }

  /** Groups have new numbers, or are PRUNED. In steps, until the last of which nothing is to be sorted. */
  *renumber(numbers: Int32Array): Generator<void> {
    yield* this.conversations.replace((value) => {
      const number = numbers[value >> PASSING_BITS] ?? PRUNED;
      return number === PRUNED ? UNKNOWN : (number << PASSING_BITS) | (value & ALL_PASS);
    });
  }

  /** The place of each entry's conversation; ids of those that nothing is known of, ascending. */
  private *findSlots(
    { length, conversation }: RollupColumns,
    lookup: ConversationLookup,
  ): Generator<void, Float64Array> {
    const { conversations } = this;
    yield* conversations.reserve(length);
    if (this.slots.length < length) {
      this.slots = new Int32Array(length);
      this.unknown = new Float64Array(length);
    }
    let count = 0;
    for (let index = 0; index < length; index++) {
      const id = conversation[index] ?? 0;
      const slot = conversations.slotOf(id);
      this.slots[index] = slot;
      if (conversations.get(slot) !== UNKNOWN) continue;
      // Until it is looked up, and for good where nothing is found.
      conversations.set(slot, (OTHER << PASSING_BITS) | lookup.missing);
      this.unknown[count++] = id;
    }
    return this.unknown.subarray(0, count).sort();
  }

  private lookUp(lookup: ConversationLookup, ids: Float64Array, numberOf: (key: string) => number): void {
    lookup.read(ids, (id, key, passing) => {
      const slot = this.conversations.find(id);
      if (slot !== null) this.conversations.set(slot, (numberOf(key) << PASSING_BITS) | passing);
    });
  }
}
