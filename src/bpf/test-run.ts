import { ptr } from "bun:ffi";
import { libbpf } from "./libbpf.ts";

// struct bpf_test_run_opts of libbpf 1.x.
const OPTS_BYTES = 80;
const OPTS = {
  data_in: 8,
  data_size_in: 24,
  ctx_in: 32,
  ctx_size_in: 48,
  retval: 56,
  repeat: 60,
  duration: 64,
} as const;

/** For programs that do not look at the frame. Some kernels refuse one with nothing behind the Ethernet header. */
export const ANY_FRAME = new Uint8Array(64);

export interface RunResult {
  /** 0, or a negative errno. */
  error: number;
  /** What the program returned, signed. */
  verdict: number;
  /** Mean time of one run in nanoseconds. */
  durationNs: number;
}

/**
 * Runs a loaded program over `frame` (an Ethernet header and more) by BPF_PROG_TEST_RUN.
 * `context` is a struct __sk_buff for what the frame itself does not say (ifindex, gso_size, gso_segs).
 */
export function runProgram(
  programFd: number,
  frame: Uint8Array,
  context?: Uint8Array,
  repeat = 1,
): RunResult {
  const opts = new DataView(new ArrayBuffer(OPTS_BYTES));
  opts.setBigUint64(0, BigInt(OPTS_BYTES), true);
  opts.setBigUint64(OPTS.data_in, BigInt(ptr(frame)), true);
  opts.setUint32(OPTS.data_size_in, frame.length, true);
  if (context !== undefined) {
    opts.setBigUint64(OPTS.ctx_in, BigInt(ptr(context)), true);
    opts.setUint32(OPTS.ctx_size_in, context.length, true);
  }
  opts.setInt32(OPTS.repeat, repeat, true);
  const error = libbpf().bpf_prog_test_run_opts(programFd, new Uint8Array(opts.buffer));
  return {
    error,
    verdict: opts.getInt32(OPTS.retval, true),
    durationNs: opts.getUint32(OPTS.duration, true),
  };
}
