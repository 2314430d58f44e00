import { ENUMS } from "./layout.gen.ts";
import type { ClassCounters, PerCpuCounters } from "./totals.ts";

const CLASSES = ENUMS.ayaflow_class.AYAFLOW_CLASSES;
const DIRECTIONS = ENUMS.ayaflow_direction.AYAFLOW_DIRECTIONS;
/** Packets under way when programs are detached are through long before. */
const GRACE_MS = 1000;

const zeros = (): ClassCounters => Array.from({ length: CLASSES }, () => ({ packets: 0, bytes: 0 }));

function add(sums: ClassCounters, more: ClassCounters): void {
  for (const [index, sum] of sums.entries()) {
    sum.packets += more[index]?.packets ?? 0;
    sum.bytes += more[index]?.bytes ?? 0;
  }
}

/** What interfaces counted that are not watched any more. Their rows are used again after a grace time. */
export class DepartedTotals {
  private readonly sums = Array.from({ length: DIRECTIONS }, zeros);
  /** Row and the time it was left, the longest ago first. */
  private readonly leaving = new Map<number, number>();

  constructor(
    private readonly counters: Pick<PerCpuCounters, "read" | "clear">,
    private readonly now: () => number,
  ) {}

  /** The row of an interface that is watched no more. */
  add(row: number): void {
    this.leaving.set(row, this.now());
  }

  /** Takes a row back whose grace time is not over: it counts on as if nothing had been. False where there is none. */
  takeBack(row: number): boolean {
    return this.leaving.delete(row);
  }

  /** Adds up rows whose grace time is over. Returns them, zeroed. */
  settle(): number[] {
    const settled: number[] = [];
    for (const [row, since] of this.leaving) {
      if (this.now() - since < GRACE_MS) break;
      for (const [direction, sums] of this.sums.entries()) add(sums, this.counters.read(row, direction));
      this.counters.clear(row);
      this.leaving.delete(row);
      settled.push(row);
    }
    return settled;
  }

  /** Sums by class of one direction (0 ingress, 1 egress), since start. */
  read(direction: number): ClassCounters {
    const total = zeros();
    add(total, this.sums[direction] ?? []);
    for (const row of this.leaving.keys()) add(total, this.counters.read(row, direction));
    return total;
  }
}
