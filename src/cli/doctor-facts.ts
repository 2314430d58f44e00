import type { ResolvedInterfaces } from "../config/interfaces.ts";
import type { AttachMode } from "../config/types.ts";

/** Whether the bpf system call can be used: what was found, or why not. */
export interface BpfProbe {
  ok: boolean;
  detail: string;
}

/** How programs would be attached and the kernel modules for that which are not loaded, or why they cannot be. */
export type AttachProbe = { hook: "tcx" | "clsact"; missing?: readonly string[] } | { error: string };

/** The questions of `doctor` that only other parts of the agent can answer. A probe may throw: that is its answer. */
export interface DoctorProbes {
  bpf(): BpfProbe;
  attach(mode: AttachMode): AttachProbe;
  /** Why an existing database cannot be used (broken, from a newer version, in use), or null. Changes nothing. */
  checkDatabase(path: string): string | null;
  resolveInterfaces(patterns: readonly string[]): ResolvedInterfaces;
}

export type LinkState = "up" | "down" | "unknown";

export interface DatabaseFacts {
  exists: boolean;
  /** The folder, or its nearest ancestor that exists. */
  folder: string;
  /** Error code of what would stop the agent from creating or writing it, or null. */
  error: string | null;
  freeBytes: number | null;
  /** Of the file, 0 if there is none. */
  bytes: number;
  /** What checkDatabase says. */
  problem: string | null;
}

/** Everything `doctor` judges by. */
export interface Facts {
  /** `uname -r`. */
  kernelRelease: string;
  hasBtf: boolean;
  /** Text of /proc/self/status and /proc/self/limits; empty where there is no /proc. */
  status: string;
  limits: string;
  bpf: BpfProbe;
  attach: AttachProbe;
  interfaces: ResolvedInterfaces;
  links: Readonly<Record<string, LinkState>>;
  database: DatabaseFacts;
  /** Error code of the attempt to listen, or null. */
  portError: string | null;
}
