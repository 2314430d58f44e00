import type { QueuedRow } from "./queue.ts";
import { addEntry, beginEntry, newColumns } from "./rollup-columns.ts";
import type { RollupColumns } from "./rollup-types.ts";

const FIRST_CAPACITY = 256;
/** With room for more than so many, what is there is not kept for the next bucket. */
const KEPT_CAPACITY = 4096;
const ORDERED_PER_STEP = 4096;
const EMPTY = -1;

/** A row of history to be added. */
export interface AddedRow extends Omit<QueuedRow, "identity" | "timestampMs" | "kind"> {
  conversation: number;
}

/** Columns twice as long, with what is in `columns`. */
function doubled(columns: RollupColumns): RollupColumns {
  const longer = newColumns(columns.conversation.length * 2);
  for (const name of Object.keys(longer) as (keyof RollupColumns)[]) {
    if (name !== "length") longer[name].set(columns[name]);
  }
  longer.length = columns.length;
  return longer;
}

/** Sums by conversation and direction while they grow, in columns and a table of hashes: some 90 bytes an entry. */
export class RollupSums {
  columns = newColumns(FIRST_CAPACITY);
  private slots = new Int32Array(FIRST_CAPACITY * 2).fill(EMPTY);

  get length(): number {
    return this.columns.length;
  }

  /** Whether there are sums of a conversation. */
  has(conversation: number): boolean {
    return this.find(conversation, 0) !== EMPTY || this.find(conversation, 1) !== EMPTY;
  }

  /** Adds a row of history; the place of the entry that it went to. */
  addRow(row: AddedRow): number {
    const at = this.entry(row.conversation, row.direction);
    const { columns } = this;
    columns.rows[at]!++;
    columns.packetsSent[at]! += row.packetsSent;
    columns.bytesSent[at]! += row.bytesSent;
    columns.packetsReceived[at]! += row.packetsReceived;
    columns.bytesReceived[at]! += row.bytesReceived;
    columns.retransmits[at]! += row.retransmits;
    columns.tcpFlags[at]! |= row.tcpFlags;
    if (row.rttNs !== null) {
      columns.rttRows[at]!++;
      columns.rttSumNs[at]! += row.rttNs;
    }
    return at;
  }

  /** Adds the entries of `from` whose conversations are above `low` and not above `high`. */
  addAll(from: RollupColumns, low: number, high: number): void {
    for (let index = 0; index < from.length; index++) {
      const conversation = from.conversation[index] ?? 0;
      if (conversation <= low || conversation > high) continue;
      const at = this.entry(conversation, from.direction[index] ?? 0);
      addEntry(this.columns, at, from, index);
    }
  }

  /** Places of all entries by conversation, then direction; in small steps. */
  *order(): Generator<void, Uint32Array, void> {
    const { columns } = this;
    const keys = new Float64Array(columns.length);
    for (let index = 0; index < keys.length; index++) {
      keys[index] = (columns.conversation[index] ?? 0) * 2 + (columns.direction[index] ?? 0);
    }
    keys.sort();
    const order = new Uint32Array(keys.length);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] ?? 0;
      const direction = key % 2;
      order[index] = this.find((key - direction) / 2, direction);
      if (index % ORDERED_PER_STEP === ORDERED_PER_STEP - 1) yield;
    }
    return order;
  }

  /** Forgets the entries of the upper half of the conversations; the highest that stays. */
  keepLowerHalf(): number {
    const before = this.columns;
    const middle = Float64Array.from(before.conversation.subarray(0, before.length)).sort();
    const high = middle[middle.length >> 1] ?? 0;
    this.columns = newColumns(before.conversation.length);
    this.slots.fill(EMPTY);
    this.addAll(before, -Infinity, high);
    return high;
  }

  clear(): void {
    if (this.columns.conversation.length > KEPT_CAPACITY) {
      this.columns = newColumns(FIRST_CAPACITY);
      this.slots = new Int32Array(FIRST_CAPACITY * 2);
    }
    this.columns.length = 0;
    this.slots.fill(EMPTY);
  }

  /** Place of the entry of a conversation and direction, made where there is none. */
  private entry(conversation: number, direction: number): number {
    const found = this.find(conversation, direction);
    if (found !== EMPTY) return found;
    if (this.columns.length === this.columns.conversation.length) this.grow();
    const at = this.columns.length;
    beginEntry(this.columns, conversation, direction);
    this.slots[this.slot(conversation, direction)] = at;
    return at;
  }

  private find(conversation: number, direction: number): number {
    return this.slots[this.slot(conversation, direction)] ?? EMPTY;
  }

  /** The slot that has an entry, or an empty one for it. There are twice as many slots as entries. */
  private slot(conversation: number, direction: number): number {
    const { columns, slots } = this;
    const mask = slots.length - 1;
    let slot = (Math.imul(conversation, 0x9e3779b1) >>> 7) & mask;
    for (;;) {
      const at = slots[slot] ?? EMPTY;
      if (at === EMPTY) return slot;
      if (columns.conversation[at] === conversation && columns.direction[at] === direction) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private grow(): void {
    const { length } = this.columns;
    this.columns = doubled(this.columns);
    this.slots = new Int32Array(this.slots.length * 2).fill(EMPTY);
    for (let at = 0; at < length; at++) {
      this.slots[this.slot(this.columns.conversation[at] ?? 0, this.columns.direction[at] ?? 0)] = at;
    }
  }
}
