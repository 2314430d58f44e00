/** Programs that a lab runs: short ones to their end, long ones tracked until they are stopped. */
import { readFileSync } from "node:fs";
import { waitFor } from "./wait.ts";

export interface ExecOptions {
  stdin?: string | Uint8Array;
  /** The program is killed after this long, and the call throws. */
  timeoutMs?: number;
  /** Throw on any other exit code than 0 (the default). */
  check?: boolean;
  env?: Record<string, string>;
}

export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

const EXEC_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

function stdinBytes(input: string | Uint8Array): Uint8Array {
  return typeof input === "string" ? new TextEncoder().encode(input) : input;
}

/** Runs a program to its end. */
export async function exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  const child = Bun.spawn([...command], {
    stdin: options.stdin === undefined ? "ignore" : stdinBytes(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? EXEC_TIMEOUT_MS,
    killSignal: "SIGKILL",
    // Ctrl-C is for this process alone: it ends its programs in order.
    detached: true,
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const exitCode = await child.exited;
  if (child.signalCode === "SIGKILL")
    throw new Error(`${command.join(" ")}: no end in sight, killed\n${stdout}${stderr}`);
  if (exitCode !== 0 && options.check !== false) {
    throw new Error(`${command.join(" ")}: exit code ${exitCode}\n${stdout}${stderr}`);
  }
  return { stdout, stderr, exitCode };
}

/** A running program; what it prints is kept. Dies with this process, whatever ends it. */
export class Program implements AsyncDisposable {
  readonly command: readonly string[];
  private readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  private readonly text = { stdout: "", stderr: "" };
  private readonly drained: Promise<unknown>;

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    this.command = command;
    this.child = Bun.spawn(["setpriv", "--pdeathsig", "KILL", "--", ...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...env },
      detached: true,
    });
    this.drained = Promise.all([this.drain("stdout"), this.drain("stderr")]);
  }

  private async drain(stream: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child[stream])
      this.text[stream] += decoder.decode(chunk, { stream: true });
  }

  get pid(): number {
    return this.child.pid;
  }

  /** All it printed so far. */
  get stdout(): string {
    return this.text.stdout;
  }

  get stderr(): string {
    return this.text.stderr;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits for its end; all output is there when this resolves. A signal counts as 128 + its number, as in a shell. */
  async exited(): Promise<ExecResult> {
    const exitCode = await this.child.exited;
    await this.drained;
    return { ...this.text, exitCode };
  }

  /** Asks it to end, kills it if it does not, and tells how it ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM", timeoutMs = STOP_TIMEOUT_MS): Promise<ExecResult> {
    if (this.running) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    try {
      return await this.exited();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until what it printed matches; throws with all of it when the program ends first. */
  async printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    const find = () => pattern.exec(this.text.stdout) ?? pattern.exec(this.text.stderr);
    return await waitFor(
      () => {
        const match = find();
        if (match === null && !this.running)
          throw new Error(`${this.describe()} ended before it printed ${pattern}`);
        return match;
      },
      () => `${this.describe()} did not print ${pattern}`,
      timeoutMs,
    );
  }

  /** Waits until it (or any process of its namespace) listens on a port. */
  async listening(protocol: "tcp" | "udp", port: number, timeoutMs?: number): Promise<void> {
    await waitFor(
      () => {
        if (!this.running)
          throw new Error(`${this.describe()} ended before it listened on ${protocol} port ${port}`);
        return listens(this.pid, protocol, port);
      },
      () => `${this.describe()} does not listen on ${protocol} port ${port}`,
      timeoutMs,
    );
  }

  private describe(): string {
    return `${this.command.join(" ")}\n${this.text.stdout}${this.text.stderr}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

// From include/net/tcp_states.h; an unconnected UDP socket is in TCP_CLOSE.
const LISTENING = { tcp: "0A", udp: "07" };

/** Whether some socket in the network namespace of `pid` listens on `port`, IPv4 or IPv6. */
export function listens(pid: number, protocol: "tcp" | "udp", port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["", "6"].some((family) => {
    const lines = readFileSync(`/proc/${pid}/net/${protocol}${family}`, "utf8").split("\n").slice(1);
    return lines.some((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return local?.endsWith(suffix) === true && state === LISTENING[protocol];
    });
  });
}
