import { openSync, readSync } from "node:fs";
import { pageSize } from "../bpf/libc.ts";

/** What this process uses itself. The time that BPF programs take in the kernel is not in it. */
export interface OwnUse {
  /** User and system time since the start. */
  cpuMs: number;
  residentBytes: number;
}

const US_PER_MS = 1000;
/** Seven numbers (proc_pid_statm(5)), of which the second is the resident set in pages. */
const STATM_BYTES = 128;

/** Opens what tells the use of this process; each reading takes microseconds. Throws where there is no /proc. */
export function openOwnUse(): () => OwnUse {
  const statm = openSync("/proc/self/statm", "r");
  const text = Buffer.alloc(STATM_BYTES);
  return () => {
    const length = readSync(statm, text, 0, text.length, 0);
    const [, residentPages] = text.toString("latin1", 0, length).split(" ");
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / US_PER_MS, residentBytes: Number(residentPages) * pageSize };
  };
}
