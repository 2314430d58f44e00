import { OTHER } from "./question-groups.ts";
import { SumTable } from "./question-sums.ts";
import type { AnsweredGroup, GroupValues, QuestionOrder } from "./question-types.ts";
import type { RollupColumns } from "./rollup-types.ts";

/** The groups of an answer by rank: OTHER, then those with a key from 1 on. Sums of each, and of each at each point. */
export class Ranking {
  private readonly series: SumTable;
  private readonly sums: SumTable;

  constructor(
    readonly keys: readonly string[],
    /** 1 without a step. */
    private readonly points: number,
  ) {
    this.series = new SumTable((keys.length + 1) * points);
    this.sums = new SumTable(keys.length + 2);
  }

  /** Adds entry `index` of `columns`. */
  add(rank: number, point: number, columns: RollupColumns, index: number): void {
    this.series.add(rank * this.points + point, columns, index);
  }

  /** Adds what `table` has at `from`, to the only point. */
  addFrom(rank: number, table: SumTable, from: number): void {
    this.series.addFrom(rank, table, from);
  }

  /** Adds up the points of each rank; once, when all is added. */
  finish(): void {
    for (let rank = OTHER; rank <= this.keys.length; rank++) {
      for (let point = 0; point < this.points; point++) {
        this.sums.addFrom(rank, this.series, rank * this.points + point);
      }
    }
  }

  /** Ranks of the groups that have rows, largest first: after a second reading sums can be larger than those that were ranked. */
  bySize(order: QuestionOrder): number[] {
    const sizes = this.keys.map((_, index) => this.sums.size(index + 1, order));
    return [...sizes.keys()]
      .filter((index) => this.sums.hasRows(index + 1))
      .sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b)
      .map((index) => index + 1);
  }

  /** The group of a rank; `hasPoints` with a step. */
  group(rank: number, key: GroupValues, hasPoints: boolean): AnsweredGroup {
    const sums = this.sums.read(rank);
    if (!hasPoints) return { key, sums };
    const first = rank * this.points;
    return {
      key,
      sums,
      points: Array.from({ length: this.points }, (_, point) => this.series.read(first + point)),
    };
  }

  /** All groups together. */
  total(hasPoints: boolean): AnsweredGroup {
    const total = new Ranking([], this.points);
    for (let rank = OTHER; rank <= this.keys.length; rank++) {
      for (let point = 0; point < this.points; point++) {
        total.series.addFrom(point, this.series, rank * this.points + point);
      }
    }
    total.finish();
    return total.group(OTHER, [], hasPoints);
  }
}
