/** Nothing is shown of what takes less. */
const QUIET_MS = 1000;
const EVERY_MS = 500;

/** A line on standard error while something takes its time: `history: 3 s ...`. Gone before anything else is written. */
export class Progress implements Disposable {
  private readonly timer: Timer | null;
  private readonly startMs = performance.now();
  private shown = 0;

  /** `detail`: what more there is to say at the moment; blank for nothing. Silent where nobody watches. */
  constructor(
    private readonly what: string,
    isWatched: boolean,
    private readonly write: (text: string) => void,
    private readonly detail: () => string = () => "",
  ) {
    this.timer = isWatched ? setInterval(() => this.show(), EVERY_MS) : null;
    this.timer?.unref();
  }

  /** Takes the line away; it comes back with the next half second. */
  erase(): void {
    if (this.shown > 0) this.write(`\r${" ".repeat(this.shown)}\r`);
    this.shown = 0;
  }

  [Symbol.dispose](): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.erase();
  }

  private show(): void {
    const elapsedMs = performance.now() - this.startMs;
    if (elapsedMs < QUIET_MS) return;
    const detail = this.detail();
    const text = `${this.what}: ${Math.floor(elapsedMs / 1000)} s ...${detail === "" ? "" : ` ${detail}`}`;
    this.write(`\r${text.padEnd(this.shown)}`);
    this.shown = text.length;
  }
}
