import { SumTable } from "./question-sums.ts";
import type { QuestionOrder } from "./question-types.ts";

/** Number of the group that takes in what no other does. */
export const OTHER = 0;
/** In place of the number of a group that went to `other`: what comes of it later may make a group again. */
export const PRUNED = -1;

/** Groups kept at a time: some 15 MB. */
const MAX_GROUPS = 50_000;
/** Groups whose sums are read or moved in one step: a millisecond or less. */
export const GROUPS_PER_STEP = 2048;

/** Both of these numbers in order of falling `sizes`, in which they are already, as many as `limit`; of equals those of `first` first. */
function merge(
  first: readonly number[],
  second: readonly number[],
  sizes: Float64Array,
  limit: number,
): number[] {
  const merged: number[] = [];
  const count = Math.min(limit, first.length + second.length);
  for (let at = 0, index = 0; merged.length < count; ) {
    const a = first[at];
    const b = second[index];
    const takesFirst = b === undefined || (a !== undefined && (sizes[a] ?? 0) >= (sizes[b] ?? 0));
    merged.push((takesFirst ? a : b) ?? OTHER);
    if (takesFirst) at++;
    else index++;
  }
  return merged;
}

/** The groups of a question by their keys, and their sums, in bounded memory. */
export class Groups {
  /** Of number OTHER too. */
  sums = new SumTable();
  isPruned = false;
  private keys: string[] = [""];
  private numbers = new Map<string, number>();
  private largestCount = 0;

  constructor(
    private readonly order: QuestionOrder,
    private readonly maxGroups = MAX_GROUPS,
  ) {}

  /** The number of a group, which is made on first use. */
  numberOf(key: string): number {
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.keys.push(key) - 1;
    this.numbers.set(key, number);
    this.sums.reserve(number + 1);
    return number;
  }

  /** One more than the largest number. */
  get size(): number {
    return this.keys.length;
  }

  keyOf(number: number): string {
    return this.keys[number] ?? "";
  }

  /** How many have rows; a lower bound of how many there were when `isPruned`. */
  count(): number {
    let count = 0;
    for (let number = OTHER + 1; number < this.size; number++) if (this.sums.hasRows(number)) count++;
    return Math.max(this.largestCount, count);
  }

  /** Numbers of the `limit` largest that have rows, largest first, of equals the one with the lower number. In steps. */
  *largest(limit: number): Generator<void, number[]> {
    const sizes = new Float64Array(this.size);
    let largest: number[] = [];
    for (let from = OTHER + 1; from < this.size; from += GROUPS_PER_STEP) {
      const least = largest.length < limit ? -1 : (sizes[largest.at(-1) ?? OTHER] ?? 0);
      const larger: number[] = [];
      for (let number = from; number < Math.min(from + GROUPS_PER_STEP, this.size); number++) {
        if (!this.sums.hasRows(number)) continue;
        const size = this.sums.size(number, this.order);
        sizes[number] = size;
        if (size > least) larger.push(number);
      }
      larger.sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
      if (larger.length > 0) largest = merge(largest, larger, sizes, limit);
      yield;
    }
    return largest;
  }

  /**
   * Keeps the larger half where there are too many: the new number of each group; null where nothing changed.
   * In steps, until the last of which the groups are not to be used.
   */
  *prune(): Generator<void, Int32Array | null> {
    const { keys, sums } = this;
    if (keys.length - 1 <= this.maxGroups) return null;
    const count = this.count();
    const kept = yield* this.largest(Math.ceil(this.maxGroups / 2));
    const renumbered = new Int32Array(keys.length).fill(PRUNED);
    renumbered[OTHER] = OTHER;
    this.isPruned ||= count > kept.length;
    this.largestCount = count;
    this.keys = [""];
    this.numbers = new Map();
    this.sums = new SumTable(kept.length + 1);
    for (const [index, number] of kept.entries()) {
      if (index % GROUPS_PER_STEP === 0) yield;
      renumbered[number] = this.numberOf(keys[number] ?? "");
    }
    for (const [number, to] of renumbered.entries()) {
      if (number % GROUPS_PER_STEP === 0) yield;
      this.sums.addFrom(Math.max(to, OTHER), sums, number);
    }
    return renumbered;
  }
}
