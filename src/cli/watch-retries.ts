const FIRST_MS = 500;
const LAST_MS = 60_000;
/** Without a failure for so long, the next one is the first. */
const FORGET_MS = 120_000;

interface Failures {
  count: number;
  due: number;
  last: number;
}

/** When what failed is tried again, by the interface's index: later each time. */
export class Retries {
  private readonly failures = new Map<number, Failures>();

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number) {}

  /** Returns how often it has failed in a row. */
  failed(ifindex: number): number {
    const before = this.failures.get(ifindex);
    const now = this.now();
    const count = before === undefined || now - before.last >= FORGET_MS ? 1 : before.count + 1;
    const wait = Math.min(LAST_MS, FIRST_MS * 2 ** (count - 1));
    this.failures.set(ifindex, { count, due: now + wait, last: now });
    return count;
  }

  isWaiting(ifindex: number): boolean {
    return this.now() < (this.failures.get(ifindex)?.due ?? 0);
  }

  /** Whether one may be tried again. */
  isDue(): boolean {
    for (const { due } of this.failures.values()) if (this.now() >= due) return true;
    return false;
  }

  delete(ifindex: number): void {
    this.failures.delete(ifindex);
  }

  keys(): number[] {
    return [...this.failures.keys()];
  }
}
