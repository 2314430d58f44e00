/** A real systemd to test in: a Debian root, made once, booted by systemd-nspawn; what is written there is forgotten. */
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../support/command.ts";
import { exec, type ExecOptions, type ExecResult, Program } from "../../lab/support/process.ts";
import { waitFor } from "../../lab/support/wait.ts";

const PACKAGES = ["systemd", "systemd-sysv", "dbus", "iproute2", "procps", "curl"];
const CACHE = join(ROOT, "node_modules", ".cache", "ayaflow");
/** 20 s as a rule. */
export const MAKE_ROOT_MS = 400_000;
const BOOT_MS = 60_000;
const CAPABILITIES = "CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON";
let booted = 0;

/** The folder of a Debian root with a systemd. Nobody writes into it. */
export async function debianRoot(): Promise<string> {
  const path = join(CACHE, `service-root-${Bun.hash(PACKAGES.join()).toString(16)}`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  const options = ["--mode=root", "--variant=minbase", `--include=${PACKAGES.join()}`];
  await exec(["mmdebstrap", "--quiet", ...options, "bookworm", unfinished], { timeoutMs: MAKE_ROOT_MS });
  renameSync(unfinished, path);
  return path;
}

/** The first process of the container: nspawn's only child but its own helpers. */
function leaderOf(program: Program): number | null {
  const path = `/proc/${program.pid}/task/${program.pid}/children`;
  const children = existsSync(path) ? readFileSync(path, "utf8").trim().split(" ") : [];
  const leader = children.find((pid) => {
    const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
    return /^NSpid:\t\d+\t1$/m.test(status);
  });
  return leader === undefined ? null : Number(leader);
}

/** A booted Debian with a network of its own. */
export class Machine implements AsyncDisposable {
  private constructor(
    private readonly program: Program,
    /** The pid of its systemd as this machine sees it. */
    readonly leader: number,
  ) {}

  /** Boots, and waits until systemd is up. `files` of this machine are seen there, read-only, at the path given. */
  static async boot(files: Readonly<Record<string, string>> = {}): Promise<Machine> {
    const root = await debianRoot();
    const binds = Object.entries(files).map(([there, here]) => `--bind-ro=${here}:${there}`);
    const name = `ayaflow-${process.pid}-${++booted}`;
    const options = ["--volatile=overlay", "--private-network", "--register=no", "--keep-unit"];
    const rights = [`--capability=${CAPABILITIES}`, "--system-call-filter=bpf"];
    const program = new Program([
      "systemd-nspawn",
      "-qb",
      `--directory=${root}`,
      `--machine=${name}`,
      ...options,
      ...rights,
      ...binds,
    ]);
    try {
      const described = () => `it does not boot: ${program.stdout}${program.stderr}`;
      const leader = await waitFor(() => leaderOf(program), described, BOOT_MS);
      const machine = new Machine(program, leader);
      await waitFor(() => machine.isUp(), described, BOOT_MS);
      return machine;
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  private async isUp(): Promise<boolean> {
    const { stdout } = await this.exec(["systemctl", "is-system-running"], { check: false });
    return /^(running|degraded)$/m.test(stdout);
  }

  /** Runs a program inside. */
  async exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    const enter = ["nsenter", "-t", String(this.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"];
    return await exec([...enter, ...command], options);
  }

  /** Runs a line of shell inside; what it prints. */
  async sh(line: string, options?: ExecOptions): Promise<string> {
    return (await this.exec(["sh", "-c", line], options)).stdout.trim();
  }

  async write(path: string, text: string): Promise<void> {
    await this.exec(["sh", "-c", 'mkdir -p "${1%/*}" && cat > "$1"', "sh", path], { stdin: text });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing in it is worth an orderly end.
    if (this.program.running) process.kill(this.leader, "SIGKILL");
    await this.program.stop();
  }
}
