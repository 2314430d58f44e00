import { join } from "node:path";

export const ROOT = join(import.meta.dir, "..", "..");

/**
 * Runs a command of the project in its root; resolves to its exit code. Its output is passed on as it comes, or, with
 * `title`, as a whole below that when it has ended. It is killed after `timeoutMs`, if that is given.
 */
export async function passThrough(
  command: readonly string[],
  timeoutMs?: number,
  title?: string,
): Promise<number> {
  const child = Bun.spawn(
    title !== undefined ? ["sh", "-c", 'exec "$@" 2>&1', "sh", ...command] : [...command],
    {
      cwd: ROOT,
      stdin: "ignore",
      stdout: title !== undefined ? "pipe" : "inherit",
      stderr: "inherit",
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }),
    },
  );
  if (child.stdout instanceof ReadableStream)
    await Bun.write(Bun.stdout, `${title}\n${await child.stdout.text()}`);
  return await child.exited;
}
