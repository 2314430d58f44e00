import { readFileSync } from "node:fs";
import { pageSize } from "../bpf/libc.ts";
import { ResidentFiles } from "../bpf/resident.ts";

/** The start is over: what only it needed is handed back. */
const STARTED_MS = 2000;
/** By now what is in memory is what the agent needs when nobody asks it anything. */
const SETTLED_MS = 8000;
const LOOK_MS = 2000;
/** Each time takes some 12 ms: one for each window of history of the usual length, not more. */
const REST_MS = 8000;
/** As much more than after the last time makes another time worth while. */
const GROWN_BYTES = 5 << 20;

/** Resident memory of this process, in bytes. */
function residentBytes(): number {
  return Number(readFileSync("/proc/self/statm", "latin1").split(" ")[1]) * pageSize;
}

/** Keeps the agent's resident memory near what it needs. */
export class MemoryKeeper {
  private readonly files = new ResidentFiles();
  private readonly timers: Timer[] = [];
  private low = 0;
  private restUntil = 0;

  /** While `isBusy`, memory is in use that will not be needed in a moment. */
  constructor(private readonly isBusy: () => boolean) {}

  /** Call when the agent is ready. */
  start(): void {
    this.timers.push(
      setTimeout(() => this.giveBack(), STARTED_MS),
      setTimeout(() => this.narrow(), SETTLED_MS),
      setInterval(() => this.look(), LOOK_MS),
    );
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Collects garbage, and hands back what is not needed at the moment. */
  giveBack(): void {
    Bun.gc(true);
    this.files.giveBack();
  }

  private look(): void {
    const now = performance.now();
    if (now < this.restUntil || this.isBusy() || residentBytes() <= this.low + GROWN_BYTES) return;
    this.restUntil = now + REST_MS;
    // Some 6 ms each: in turns of the event loop of their own.
    Bun.gc(true);
    setImmediate(() => this.narrow());
  }

  private narrow(): void {
    this.files.narrow();
    this.low = residentBytes();
  }
}
