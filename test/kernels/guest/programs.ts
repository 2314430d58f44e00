/** Programs run inside a guest. */

export interface Ended {
  code: number;
  /** Standard output and standard error. */
  out: string;
  error: string;
}

/** Without BUN_BE_BUN: the executable is the agent again. */
const OPTIONS = {
  stdin: "ignore",
  stdout: "pipe",
  stderr: "pipe",
  env: { PATH: process.env.PATH, HOME: process.env.HOME },
} as const;

/** Runs a program to its end; throws with what it printed when it fails, unless `check` is false. */
export async function run(command: readonly string[], check = true): Promise<Ended> {
  const child = Bun.spawn([...command], OPTIONS);
  const [out, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (check && code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${out}${error}`);
  return { code, out, error };
}

/** `ip` over a list of commands, in one namespace if it is named. */
export async function ipBatch(lines: readonly string[], namespace?: string): Promise<void> {
  const file = `/tmp/ip-${namespace ?? "root"}`;
  await Bun.write(file, `${lines.join("\n")}\n`);
  await run(["ip", ...(namespace === undefined ? [] : ["-n", namespace]), "-batch", file]);
}

/** A running program, with all that it printed. */
export class Background {
  text = "";
  private readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  private readonly drained: Promise<unknown>;

  constructor(readonly command: readonly string[]) {
    this.child = Bun.spawn([...command], OPTIONS);
    this.drained = Promise.all([this.drain(this.child.stdout), this.drain(this.child.stderr)]);
  }

  private async drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.text += decoder.decode(chunk, { stream: true });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Sends a signal and waits for the end. Resolves to the exit code, null when the signal killed it. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    this.child.kill(signal);
    await this.child.exited;
    await this.drained;
    return this.child.exitCode;
  }
}
