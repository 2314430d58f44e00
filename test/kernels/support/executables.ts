/** Which of the built executables a guest runs. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { passThrough, ROOT } from "../../support/command.ts";
import type { KernelChoice } from "./kernels.ts";

/** Path of the executable for a guest's processor. */
export function executableFor({ architecture, emulatedCpu }: KernelChoice): string {
  // On x64 only a processor without AVX2 is named.
  const variant = architecture === "x64" && emulatedCpu !== undefined ? "-baseline" : "";
  return join(ROOT, "dist", `ayaflow-linux-${architecture}${variant}`);
}

/** Builds what is not there. @throws Error when the build fails or does not make it. */
export async function buildExecutables(choices: readonly KernelChoice[]): Promise<void> {
  const missing = () => choices.map(executableFor).filter((path) => !existsSync(path));
  if (missing().length > 0) await passThrough(["bun", "build.ts", "--all"]);
  const left = missing().map((path) => basename(path));
  if (left.length > 0) throw new Error(`\`npm run build -- --all\` did not make ${left.join(", ")}`);
}
