/** Use is told over this long; the little less is for timers that are not exact. */
const WINDOW_MS = 5000 - 100;

interface Sample {
  atMs: number;
  cpuMs: number;
}

/** CPU time as percent of one core, over the last 5 s or since `restart`. Fed at any pace. */
export class CpuMeter {
  private samples: Sample[] = [];

  /** Takes in a reading: milliseconds of a clock that only goes forward, CPU time used since any start. */
  add(atMs: number, cpuMs: number): void {
    this.samples.push({ atMs, cpuMs });
    // The newest sample that is old enough is where the window begins.
    const from = this.samples.findLastIndex((one) => atMs - one.atMs >= WINDOW_MS);
    if (from > 0) this.samples.splice(0, from);
  }

  /** Forgets all but the last reading: what is told from now on is of the time after it. */
  restart(): void {
    this.samples = this.samples.slice(-1);
  }

  /** 100 is one core; 0 before there are two readings. */
  percent(): number {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.cpuMs - first.cpuMs) / (last.atMs - first.atMs)) * 100;
  }
}
