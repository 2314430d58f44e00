/** Network namespaces of one run of the tests, named after it, so that the leftovers of a dead one can be told. */
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exec, type ExecOptions, type ExecResult, Program } from "./process.ts";

export const NAME_PREFIX = "ayaflow-t";
const NAMESPACES = "/run/netns";
const STALE = new RegExp(`^${NAME_PREFIX}(\\d+)-`);
let counter = 0;

/** A number not used before in this run. */
export function nextNumber(): number {
  return ++counter;
}

/** One network namespace and the programs started in it. */
export class Namespace implements AsyncDisposable {
  readonly name: string;
  private readonly programs: Program[] = [];

  private constructor(name: string) {
    this.name = name;
  }

  /** Makes `ayaflow-t<pid>-<number>-<role>` with its loopback up. */
  static async create(role: string, number: number = nextNumber()): Promise<Namespace> {
    const namespace = new Namespace(`${NAME_PREFIX}${process.pid}-${number}-${role}`);
    await exec(["ip", "netns", "add", namespace.name]);
    await exec(["ip", "-n", namespace.name, "link", "set", "lo", "up"]);
    return namespace;
  }

  private inside(command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.name, ...command];
  }

  /** Runs a program in the namespace to its end. */
  async exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return await exec(this.inside(command), options);
  }

  /** `ip` on the namespace. */
  async ip(...args: string[]): Promise<string> {
    return (await exec(["ip", "-n", this.name, ...args])).stdout;
  }

  /** Sets a key of /proc/sys/net, such as `ipv6.conf.all.disable_ipv6`. */
  async sysctl(key: string, value: string | number): Promise<void> {
    await this.exec(["tee", `/proc/sys/net/${key.replaceAll(".", "/")}`], { stdin: String(value) });
  }

  /** Starts a program in the namespace; it is stopped with it. */
  spawn(command: readonly string[], env?: Record<string, string>): Program {
    const program = new Program(this.inside(command), env);
    this.programs.push(program);
    return program;
  }

  /** Stops its programs, the last one first, and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.programs.toReversed()) await program.stop();
    await exec(["ip", "netns", "delete", this.name]);
  }
}

/** Names in a folder that belong to a run that is dead. */
function staleNames(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => {
    const pid = STALE.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
}

/** Removes what a run that was killed has left: its programs, namespaces and folders. */
export async function sweepStale(): Promise<void> {
  for (const name of staleNames(NAMESPACES)) {
    const left = await exec(["ip", "netns", "pids", name], { check: false });
    for (const program of left.stdout.split("\n").filter(Boolean)) {
      await exec(["kill", "-KILL", program], { check: false });
    }
    await exec(["ip", "netns", "delete", name], { check: false });
  }
  for (const name of staleNames(tmpdir())) await rm(join(tmpdir(), name), { recursive: true, force: true });
}
