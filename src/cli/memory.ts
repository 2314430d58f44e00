import { readFileSync } from "node:fs";
import { pageSize } from "../bpf/libc.ts";

/** The start is over: what only it needed is handed back. */
const STARTED_MS = 2000;
/** By now what is in memory is what the agent needs when nobody asks it anything. */
const SETTLED_MS = 8000;
const LOOK_MS = 2000;
/** Either step takes some 6 ms: so often at most ... */
const REST_MS = 4000;
/** ... and put off for so long at most. */
const BUSY_MS = 20_000;
/** As much more than what was needed after the last time makes another time worth while. */
const GROWN_BYTES = 2 << 20;

export interface Resident {
  /** Bytes that files or shared mappings are behind, and the others. */
  file: number;
  anonymous: number;
}

export interface MemoryDeps {
  /** Pages of the executable: hands them back; and so that less comes back around them. */
  files: { giveBack(): void; narrow(): void };
  collectGarbage(): void;
  resident(): Resident;
  /** Memory is in use that will not be needed in a moment. */
  isBusy(): boolean;
  /** Monotonic milliseconds. */
  now(): number;
}

/** Resident memory of this process. */
export function residentMemory(): Resident {
  const [, all, file] = readFileSync("/proc/self/statm", "latin1").split(" ").map(Number);
  return { file: (file ?? 0) * pageSize, anonymous: ((all ?? 0) - (file ?? 0)) * pageSize };
}

/** Keeps the agent's resident memory near what it needs. */
export class MemoryKeeper {
  private readonly timers: Timer[] = [];
  /** The least that was needed since the last time; null until it is known. */
  private need: { file: number | null; anonymous: number | null } = { file: null, anonymous: null };
  private lastTime = -Infinity;

  constructor(private readonly deps: MemoryDeps) {}

  /** Call when the agent is ready. */
  start(): void {
    this.timers.push(
      setTimeout(() => this.giveBack(), STARTED_MS),
      setTimeout(() => this.settled(), SETTLED_MS),
    );
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Collects garbage, and hands back what is not needed at the moment. */
  giveBack(): void {
    this.deps.collectGarbage();
    this.deps.files.giveBack();
  }

  /** Hands back what has been added since the last time, where that is worth while. Called every LOOK_MS. */
  look(): void {
    const { deps, need } = this;
    const now = deps.now();
    if (now - this.lastTime < (deps.isBusy() ? BUSY_MS : REST_MS)) return;
    const { file, anonymous } = deps.resident();
    need.file = Math.min(need.file ?? file, file);
    need.anonymous = Math.min(need.anonymous ?? anonymous, anonymous);
    const isLittered = anonymous > need.anonymous + GROWN_BYTES;
    const isWide = file > need.file + GROWN_BYTES;
    if (!isLittered && !isWide) return;
    this.lastTime = now;
    if (isLittered) this.collect();
    // What made garbage took code that is not needed now either. In a turn of the event loop of its own.
    setImmediate(() => this.narrow());
  }

  private settled(): void {
    this.collect();
    this.narrow();
    this.timers.push(setInterval(() => this.look(), LOOK_MS));
  }

  private collect(): void {
    this.deps.collectGarbage();
    this.need.anonymous = this.deps.resident().anonymous;
  }

  private narrow(): void {
    this.deps.files.narrow();
    // What is needed comes back first.
    this.need.file = null;
  }
}
