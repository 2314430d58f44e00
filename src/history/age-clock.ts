/** A wall clock that ran ahead of the monotonic one by more than this was set (or the machine slept). */
const STEP_MS = 3_600_000;
/** A clock that was set ahead is believed when it has stood for so long. */
const PROBATION_MS = 600_000;

/**
 * The wall clock for deleting by age: one wrong step ahead must not delete all history.
 * Both clocks in milliseconds, `monotonic` from any start.
 */
export class AgeClock {
  private offset: number;
  private steppedAt: number | null = null;

  constructor(
    private readonly wall: () => number,
    private readonly monotonic: () => number,
  ) {
    this.offset = wall() - monotonic();
  }

  /** The time, or null while a step ahead is not believed yet. */
  read(): number | null {
    const at = this.monotonic();
    const now = this.wall();
    if (now - at - this.offset <= STEP_MS) this.steppedAt = null;
    else {
      this.steppedAt ??= at;
      if (at - this.steppedAt < PROBATION_MS) return null;
      this.steppedAt = null;
    }
    this.offset = now - at;
    return now;
  }
}
