import type { AttachMode } from "../config/types.ts";
import { errorMessage } from "../errors.ts";
import { type AttachMethod, chooseMethod } from "./attach.ts";
import { missingClsactModules } from "./clsact-modules.ts";
import { Kernel } from "./kernel.ts";

/** Slots for a trial: enough for the kernel to accept every map. */
const TRIAL_OPTIONS = { maxConnections: 64, ringBytes: 4096, rawMode: false, inspect: true };

/** The first line says what is wrong, the verifier's log behind it does not fit a report. */
function firstLine(error: unknown): string {
  return errorMessage(error).split("\n", 1)[0] ?? "";
}

/** Loads the real programs and takes them out again; what the kernel says when it refuses. */
function trial<T>(use: (kernel: Kernel) => T): T {
  const kernel = Kernel.open(TRIAL_OPTIONS, { event: () => {}, payload: () => {}, failed: () => {} });
  try {
    return use(kernel);
  } finally {
    kernel.close();
  }
}

/** Whether this kernel takes our programs and maps with the privileges at hand. */
export function probePrograms(): { ok: boolean; detail: string } {
  try {
    return trial(() => ({ ok: true, detail: "programs and maps load" }));
  } catch (error) {
    return { ok: false, detail: firstLine(error) };
  }
}

/** How programs would be attached on this kernel, without attaching any, and the modules for it that are not loaded. */
export function probeAttach(
  mode: AttachMode,
): { hook: AttachMethod; missing: readonly string[] } | { error: string } {
  try {
    const hook = trial((kernel) => chooseMethod(mode, kernel.programs.ayaflow_ingress));
    return { hook, missing: hook === "clsact" ? missingClsactModules() : [] };
  } catch (error) {
    return { error: firstLine(error) };
  }
}
