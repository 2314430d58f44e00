/** What a worker is to do. */
export interface Job {
  /** Module that exports TARGETS. */
  module: string;
  targets: readonly string[];
  seed: number;
  /** Inputs for each target, from number `first` on, or as many as there is time for. */
  inputs: number;
  first: number;
  seconds: number;
  /** Two numbers of 32 bits: the target, by its place in `targets`, and the input that is under way. */
  progress: SharedArrayBuffer;
}

export interface Failure {
  /** Number of the input: with the seed it makes the same input again. */
  index: number;
  message: string;
  hex: readonly string[];
}

export interface FuzzReport {
  target: string;
  seed: number;
  inputs: number;
  seconds: number;
  slowest: { index: number; ms: number; hex: readonly string[] };
  failureCount: number;
  /** The first few. */
  failures: readonly Failure[];
  /** Bytes in use, garbage collected, at 10, 50 and 100 % of the run. */
  heap: readonly number[];
}

export interface FuzzOptions {
  module?: string;
  targets: readonly string[];
  inputs: number;
  seed?: number;
  first?: number;
  /** For each target. */
  seconds?: number;
  /** The longest that one input may take. */
  stuckMs?: number;
  onReport?(report: FuzzReport): void;
}

const STUCK_MS = 10_000;
const LOOK_MS = 250;

/** An input that did not come to an end. */
export class StuckError extends Error {
  override name = "StuckError";
}

/**
 * Runs targets one after another in a thread of their own.
 * @throws StuckError naming target, seed and input when one input takes longer than `stuckMs`.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport[]> {
  const { targets, inputs, seed = 1, first = 0, seconds = Number.MAX_SAFE_INTEGER } = options;
  const { module = new URL("targets.ts", import.meta.url).href, stuckMs = STUCK_MS } = options;
  const shared = new SharedArrayBuffer(8);
  const progress = new Int32Array(shared);
  const reports: FuzzReport[] = [];
  const worker = new Worker(new URL("worker.ts", import.meta.url).href);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.addEventListener("message", ({ data }: MessageEvent<FuzzReport>) => {
    reports.push(data);
    options.onReport?.(data);
    if (reports.length === targets.length) resolve();
  });
  worker.addEventListener("error", ({ message }) => reject(new Error(message)));
  let last = { target: -1, index: -1, since: 0 };
  const watch = setInterval(() => {
    const [target = 0, index = 0] = progress;
    if (target !== last.target || index !== last.index) last = { target, index, since: performance.now() };
    else if (performance.now() - last.since > stuckMs) {
      reject(new StuckError(`${targets[target]} is stuck in input ${index} of seed ${seed}`));
    }
  }, LOOK_MS);
  const job: Job = { module, targets, seed, inputs, first, seconds, progress: shared };
  worker.postMessage(job, []);
  try {
    await promise;
  } finally {
    clearInterval(watch);
    worker.terminate();
  }
  return reports;
}
