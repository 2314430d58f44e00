import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..", "..");

/** Runs a command of the project in its root, its output passed on as it comes; resolves to its exit code. */
export async function passThrough(command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], { cwd: ROOT, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  return await child.exited;
}
