/** Programs under BPF_PROG_TEST_RUN: how long a run takes, and whether each did what its row says. */
import { runProgram } from "../../../src/bpf/test-run.ts";
import { mean, median } from "./measure.ts";

/** TC_ACT_UNSPEC of <linux/pkt_cls.h>: what every program under test returns. */
const TC_ACT_UNSPEC = -1;

/** Counters that only grow, by name. */
export type Evidence = Readonly<Record<string, number>>;

/** One loaded program and what it counts on. */
export interface Subject {
  program: number;
  /** Takes what the program pushed out of its ring; not timed. */
  drain: () => void;
  evidence: () => Evidence;
  /** After each measurement, with its runs: makes room for those of the next. */
  reset?: (runs: number) => void;
}

export interface Case {
  name: string;
  /** Name of the case whose time is taken off: that of an empty program in batches as long. */
  empty: string;
  frame: Uint8Array;
  /** The same program several times: where the JIT and the maps lie in memory makes as much as 10% of difference. */
  subjects: readonly Subject[];
  /** Runs of one call at most: as many as the ring takes. */
  batch: number;
  /** Runs of a subject's measurement at most: as many as the table takes. */
  most: number;
  /** By how much the evidence must grow with each run. */
  each: Evidence;
}

/** Batches that a subject's share is cut into, if nothing asks for more: their median leaves out a noisy moment. */
const BATCHES = 5;

/** Nanoseconds of processor that this process has had: what others of the machine take is not in it. */
function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Runs a program over a frame. Throws when it could not be run, or did not let the packet go on. */
export function run(program: number, frame: Uint8Array, repeat = 1): void {
  const { error, verdict } = runProgram(program, frame, undefined, repeat);
  if (error !== 0) throw new Error(`BPF_PROG_TEST_RUN: ${error}`);
  if (verdict !== TC_ACT_UNSPEC) throw new Error(`a program under test returned ${verdict}`);
}

function check(name: string, each: Evidence, runs: number, before: Evidence, after: Evidence): void {
  for (const [what, perRun] of Object.entries(each)) {
    const grown = (after[what] ?? Number.NaN) - (before[what] ?? Number.NaN);
    if (grown !== perRun * runs)
      throw new Error(`${name}: in ${runs} runs ${what} grew by ${grown}, not by ${perRun * runs}`);
  }
}

/** Nanoseconds of a run: the median of the batches. */
function timed({ name, frame, each, batch, most }: Case, subject: Subject, share: number): number {
  const runs = Math.min(share, most);
  const batches = Math.max(BATCHES, Math.ceil(runs / batch));
  const repeat = Math.floor(runs / batches);
  const before = subject.evidence();
  const times: number[] = [];
  for (let count = 0; count < batches; count++) {
    const started = cpuNs();
    run(subject.program, frame, repeat);
    times.push(cpuNs() - started);
    subject.drain();
  }
  check(name, each, batches * repeat, before, subject.evidence());
  subject.reset?.(batches * repeat);
  return median(times) / repeat;
}

/** Nanoseconds of a run of a case, in about `runs` runs shared among its subjects. Throws when one went wrong. */
export function measure(one: Case, runs: number): number {
  const share = runs / one.subjects.length;
  return mean(one.subjects.map((subject) => timed(one, subject, share)));
}
