import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..", "..");

/**
 * Runs a command of the project in its root, its output passed on as it comes; resolves to its exit code.
 * It is killed after `timeoutMs`, if that is given.
 */
export async function passThrough(command: readonly string[], timeoutMs?: number): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: ROOT,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }),
  });
  return await child.exited;
}
