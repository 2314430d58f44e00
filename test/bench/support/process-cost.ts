/** Processor time that a process takes, to the nanosecond, and its programs in the kernel. */
import { dlopen, FFIType } from "bun:ffi";
import { bpfObjectsOf } from "../../lab/support/bpf.ts";
import { exec } from "../../lab/support/process.ts";

const STATISTICS = "kernel.bpf_stats_enabled";
const NS = 1e9;
// How Linux makes the number of another process's clock (clock_getcpuclockid(3)).
const CLOCK_PID_SHIFT = 3;
const CLOCK_SCHEDULED = 2;

const libc = dlopen("libc.so.6", {
  clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
}).symbols;

/** Runs of BPF programs since they were loaded, and the nanoseconds they took, by the kernel's statistics. */
interface ProgramTime {
  runs: number;
  ns: number;
}

/** What was taken between two readings. */
export interface Cost {
  seconds: number;
  /** User and system time as a share of one core, in percent. */
  cpuPercent: number;
  /** The same for its BPF programs: softirq time, accounted to whoever was interrupted. */
  bpfPercent: number;
  bpfRuns: number;
  bpfNs: number;
}

/**
 * Nanoseconds that a process has run, threads that have ended included: utime + stime of /proc/PID/stat are the same time
 * in ticks of 10 ms. Throws when the process has ended.
 */
export function cpuNs(pid: number): number {
  const time = new BigInt64Array(2);
  if (libc.clock_gettime((~pid << CLOCK_PID_SHIFT) | CLOCK_SCHEDULED, time) !== 0)
    throw new Error(`process ${pid} has no processor clock: it has ended`);
  return Number(time[0]) * NS + Number(time[1]);
}

/** Sum over the BPF programs with these ids; 0 while the kernel keeps no statistics. */
async function programTime(ids: readonly number[]): Promise<ProgramTime> {
  const times = await Promise.all(
    ids.map(async (id) => {
      const { stdout } = await exec(["bpftool", "-j", "prog", "show", "id", String(id)]);
      const shown: { run_cnt?: number; run_time_ns?: number } = JSON.parse(stdout);
      return { runs: shown.run_cnt ?? 0, ns: shown.run_time_ns ?? 0 };
    }),
  );
  return times.reduce((sum, { runs, ns }) => ({ runs: sum.runs + runs, ns: sum.ns + ns }), {
    runs: 0,
    ns: 0,
  });
}

/** Does `work` and tells what the process and its BPF programs took meanwhile. */
export async function costOf<T>(pid: number, work: () => Promise<T>): Promise<{ cost: Cost; result: T }> {
  const ids = bpfObjectsOf(pid).prog;
  const programs = await programTime(ids);
  const started = performance.now();
  const before = cpuNs(pid);
  const result = await work();
  const cpu = cpuNs(pid) - before;
  const seconds = (performance.now() - started) / 1000;
  const after = await programTime(ids);
  const bpfNs = after.ns - programs.ns;
  const percent = (ns: number) => (ns / NS / seconds) * 100;
  return {
    cost: {
      seconds,
      cpuPercent: percent(cpu),
      bpfPercent: percent(bpfNs),
      bpfRuns: after.runs - programs.runs,
      bpfNs,
    },
    result,
  };
}

/** Has the kernel keep statistics of BPF programs during `work`, which takes about 20 ns of each run. */
export async function withStatistics<T>(work: () => Promise<T>): Promise<T> {
  const { stdout } = await exec(["sysctl", "-n", STATISTICS]);
  await exec(["sysctl", "-q", `${STATISTICS}=1`]);
  try {
    return await work();
  } finally {
    await exec(["sysctl", "-q", `${STATISTICS}=${stdout.trim()}`]);
  }
}
