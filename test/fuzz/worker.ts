/** Runs targets beside the main thread, which sees by `progress` when one is stuck. */
import { heapStats } from "bun:jsc";
import type { Failure, FuzzReport, Job } from "./fuzzing.ts";
import { Random } from "./random.ts";
import type { Target } from "./target.ts";

const MAX_FAILURES = 3;
/** Parts of a run after which the heap is measured. */
const MARKS = [0.1, 0.5, 1];
/** Shorter ones are not worth a second look at whether it was the garbage collector. */
const MIN_SLOW_MS = 1;
const CHECK_TIME_EVERY = 64;

declare const self: Worker;

function heapBytes(): number {
  Bun.gc(true);
  Bun.gc(true);
  return heapStats().heapSize;
}

function inputOf(target: Target, seed: number, index: number): { input: Uint8Array[]; random: Random } {
  const random = new Random(seed, index);
  return { input: target.make(random), random };
}

/** Milliseconds that the target takes for one input. */
async function timed(target: Target, seed: number, index: number): Promise<number> {
  const { input, random } = inputOf(target, seed, index);
  const started = performance.now();
  const pending = target.check(input, random);
  if (pending !== undefined) await pending;
  return performance.now() - started;
}

async function runTarget(target: Target, ordinal: number, job: Job): Promise<FuzzReport> {
  const { seed, inputs, first, seconds } = job;
  const progress = new Int32Array(job.progress);
  const started = performance.now();
  const failures: Failure[] = [];
  const heap: number[] = [];
  let failureCount = 0;
  let slowest = { index: first, ms: 0 };
  let index = first;
  let isOver = false;
  Atomics.store(progress, 0, ordinal);
  for (; !isOver; index++) {
    Atomics.store(progress, 1, index);
    try {
      const ms = await timed(target, seed, index);
      if (ms > slowest.ms && ms > MIN_SLOW_MS) {
        const again = Math.min(ms, await timed(target, seed, index));
        if (again > slowest.ms) slowest = { index, ms: again };
      }
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const hex = inputOf(target, seed, index).input.map((part) => part.toHex());
      if (++failureCount <= MAX_FAILURES) failures.push({ index, message, hex });
    }
    if (index % CHECK_TIME_EVERY !== 0 && index + 1 - first < inputs) continue;
    const part = Math.max((index + 1 - first) / inputs, (performance.now() - started) / (seconds * 1000));
    while (heap.length < MARKS.length && part >= (MARKS[heap.length] ?? 1)) heap.push(heapBytes());
    isOver = part >= 1;
  }
  const spent = (performance.now() - started) / 1000;
  const { input } = inputOf(target, seed, slowest.index);
  return {
    target: target.name,
    seed,
    inputs: index - first,
    seconds: spent,
    slowest: { ...slowest, hex: input.map((bytes) => bytes.toHex()) },
    failureCount,
    failures,
    heap,
  };
}

async function runJob(job: Job): Promise<void> {
  const { TARGETS } = (await import(job.module)) as { TARGETS: readonly Target[] };
  for (const [ordinal, name] of job.targets.entries()) {
    const target = TARGETS.find((one) => one.name === name);
    if (target === undefined) throw new Error(`no target ${name}`);
    self.postMessage(await runTarget(target, ordinal, job), []);
  }
}

self.addEventListener("message", ({ data }: MessageEvent<Job>) => void runJob(data));
