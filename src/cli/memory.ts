import { readFileSync } from "node:fs";
import { pageSize } from "../bpf/libc.ts";
import { ResidentFiles } from "../bpf/resident.ts";

/** The start is over: what only it needed is handed back. */
const STARTED_MS = 2000;
/** By now what is in memory is what the agent needs when nobody asks it anything. */
const SETTLED_MS = 8000;
const LOOK_MS = 2000;
/** Either step takes some 6 ms: so often at most. */
const REST_MS = 4000;
/** As much more than after the last time makes another time worth while. */
const GROWN_BYTES = 4 << 20;

interface Resident {
  /** Bytes that files or shared mappings are behind, and the others. */
  file: number;
  anonymous: number;
}

/** Resident memory of this process. */
function resident(): Resident {
  const [, all, file] = readFileSync("/proc/self/statm", "latin1").split(" ").map(Number);
  return { file: (file ?? 0) * pageSize, anonymous: ((all ?? 0) - (file ?? 0)) * pageSize };
}

/** Keeps the agent's resident memory near what it needs. */
export class MemoryKeeper {
  private readonly files = new ResidentFiles();
  private readonly timers: Timer[] = [];
  private low: Resident = { file: 0, anonymous: 0 };
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
    if (now < this.restUntil || this.isBusy()) return;
    const { file, anonymous } = resident();
    const isLittered = anonymous > this.low.anonymous + GROWN_BYTES;
    const isWide = file > this.low.file + GROWN_BYTES;
    if (!isLittered && !isWide) return;
    this.restUntil = now + REST_MS;
    if (isLittered) {
      Bun.gc(true);
      this.low.anonymous = resident().anonymous;
    }
    // In a turn of the event loop of its own.
    if (isWide) setImmediate(() => this.narrow());
  }

  private narrow(): void {
    this.files.narrow();
    this.low.file = resident().file;
  }
}
