import { AyaflowError } from "../errors.ts";
import { STRUCTS } from "./layout.gen.ts";
import { errnoName, mapShared, pageSize } from "./libc.ts";
import { ANY_FRAME, runProgram } from "./test-run.ts";

/** Tick rates a kernel can be built with (CONFIG_HZ). */
const TICK_RATES = [100, 250, 300, 1000];
/** Ticks counted over less time cannot tell 250 from 300. */
const MIN_INTERVAL_NS = 100e6;
/** A wall clock that moved more than this was set, not slewed. */
const STEP_MS = 500;

/** Turns the kernel's times (nanoseconds since boot, jiffies) into milliseconds since the epoch. */
export class KernelClock {
  private readonly words: Uint32Array;
  private readonly unmap: () => void;
  private first: { bootNs: number; jiffies: number };
  private last: { bootNs: number; jiffies: number };
  private offsetMs: number;
  private msPerTick = 0;

  constructor(
    private readonly programFd: number,
    controlFd: number,
    private readonly wallMs: () => number = Date.now,
  ) {
    const mapping = mapShared(controlFd, pageSize, 0, false);
    this.words = new Uint32Array(mapping.buffer);
    this.unmap = mapping.unmap;
    this.first = this.last = this.sample();
    this.offsetMs = this.wallMs() - this.last.bootNs / 1e6;
  }

  /** Reads both clocks anew. Returns the step of the wall clock in milliseconds, 0 when it was not set. */
  refresh(): number {
    this.last = this.sample();
    const elapsed = this.last.bootNs - this.first.bootNs;
    if (this.msPerTick === 0 && elapsed >= MIN_INTERVAL_NS) {
      const rate = ((this.last.jiffies - this.first.jiffies) / elapsed) * 1e9;
      this.msPerTick = 1000 / nearest(TICK_RATES, rate);
    }
    const offset = this.wallMs() - this.last.bootNs / 1e6;
    const step = offset - this.offsetMs;
    if (Math.abs(step) < STEP_MS) return 0;
    this.offsetMs = offset;
    return step;
  }

  /** Milliseconds since the epoch of a time since boot. */
  fromBootNs(ns: number): number {
    return ns / 1e6 + this.offsetMs;
  }

  /** Milliseconds since the epoch of a tick of the recent past (the low 32 bits of jiffies). */
  fromJiffies(low: number): number {
    const ago = (this.last.jiffies - low) | 0;
    return this.fromBootNs(this.last.bootNs) - ago * this.msPerTick;
  }

  close(): void {
    this.unmap();
  }

  private sample(): { bootNs: number; jiffies: number } {
    const error = runProgram(this.programFd, ANY_FRAME).error;
    if (error !== 0) throw new AyaflowError(`cannot read the kernel's clock: ${errnoName(error)}`);
    return {
      bootNs: this.read(STRUCTS.ayaflow_control.boot_ns),
      jiffies: this.read(STRUCTS.ayaflow_control.jiffies),
    };
  }

  private read(field: { offset: number }): number {
    return (this.words[field.offset / 4 + 1] ?? 0) * 0x100000000 + (this.words[field.offset / 4] ?? 0);
  }
}

function nearest(candidates: readonly number[], value: number): number {
  return candidates.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
}
