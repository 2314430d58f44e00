/** Runs one piece of work later: at the next turn of the event loop, or after a time. At most one is pending. */
export class Wakeup {
  private timer: Timer | null = null;
  private immediate: NodeJS.Immediate | null = null;

  constructor(private readonly work: () => void) {}

  /** Whether the work runs at the next turn. */
  get isNext(): boolean {
    return this.immediate !== null;
  }

  /** At the next turn, in place of any time that was set. */
  next(): void {
    this.cancel();
    this.immediate = setImmediate(() => {
      this.immediate = null;
      this.work();
    });
  }

  /** After `ms` milliseconds, unless something is pending. */
  within(ms: number): void {
    if (this.timer === null && this.immediate === null) this.after(ms);
  }

  /** After `ms` milliseconds, in place of what is pending. */
  after(ms: number): void {
    this.cancel();
    this.timer = setTimeout(() => {
      this.timer = null;
      this.work();
    }, ms);
  }

  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.immediate !== null) clearImmediate(this.immediate);
    this.timer = null;
    this.immediate = null;
  }
}
