import { SumTable } from "./question-sums.ts";
import type { QuestionOrder } from "./question-types.ts";

/** Number of the group that takes in what no other does. */
export const OTHER = 0;
/** In place of the number of a group that went to `other`: what comes of it later may make a group again. */
export const PRUNED = -1;

/** Groups kept at a time: some 15 MB. */
const MAX_GROUPS = 50_000;

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
    return Math.max(this.largestCount, this.withRows().length);
  }

  /** Numbers of the `limit` largest that have rows, largest first, of equals the one that was met first. */
  largest(limit: number): number[] {
    const sizes = Float64Array.from(this.keys, (_, number) => this.sums.size(number, this.order));
    const threshold = sizes.toSorted().at(-limit - 1) ?? 0;
    return this.withRows()
      .filter((number) => (sizes[number] ?? 0) >= threshold)
      .sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b)
      .slice(0, limit);
  }

  /** Keeps the larger half where there are too many: the new number of each group; null where nothing changed. */
  prune(): Int32Array | null {
    const { keys, sums } = this;
    if (keys.length - 1 <= this.maxGroups) return null;
    const count = this.count();
    const kept = this.largest(Math.ceil(this.maxGroups / 2));
    const renumbered = new Int32Array(keys.length).fill(PRUNED);
    renumbered[OTHER] = OTHER;
    this.isPruned ||= count > kept.length;
    this.largestCount = count;
    this.keys = [""];
    this.numbers = new Map();
    this.sums = new SumTable(kept.length + 1);
    for (const number of kept) renumbered[number] = this.numberOf(keys[number] ?? "");
    for (const [number, to] of renumbered.entries()) this.sums.addFrom(Math.max(to, OTHER), sums, number);
    return renumbered;
  }

  private withRows(): number[] {
    return [...this.keys.keys()].filter((number) => number !== OTHER && this.sums.hasRows(number));
  }
}
