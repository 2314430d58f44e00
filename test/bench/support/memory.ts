/** Memory of a process, read from /proc: the process itself does nothing for it. */
import { readFileSync } from "node:fs";

/** Bytes. `rss` is the sum of `anonymous`, `file` and `shared`; `pss` has pages that others map as well in part only. */
export interface MemoryUse {
  rss: number;
  anonymous: number;
  file: number;
  shared: number;
  pss: number;
}

const KIBIBYTE = 1024;

/** @throws when the process has ended. */
export function memoryUse(pid: number): MemoryUse {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const bytes = (text: string, key: string) => {
    const kibibytes = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1];
    if (kibibytes === undefined) throw new Error(`the kernel does not say ${key} of process ${pid}`);
    return Number(kibibytes) * KIBIBYTE;
  };
  return {
    rss: bytes(status, "VmRSS"),
    anonymous: bytes(status, "RssAnon"),
    file: bytes(status, "RssFile"),
    shared: bytes(status, "RssShmem"),
    pss: bytes(rollup, "Pss"),
  };
}
