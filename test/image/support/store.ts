/** Images and containers of one test run, in a store of their own that goes with them. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exec, type ExecOptions, type ExecResult } from "../../lab/support/process.ts";
import { BINARY } from "../../lab/support/agent.ts";
import { ROOT } from "../../support/command.ts";

const SECCOMP = "/usr/share/containers/seccomp.json";
/** The profile in the store's folder. */
export const SECCOMP_FILE = "seccomp.json";
const BUILD_MS = 120_000;

interface Rule {
  names: string[];
  action: string;
  includes?: { caps?: string[] };
}

/**
 * The runtime's default profile, with what those of containerd 1.7 and Docker 23 have over the one of Debian's podman:
 * bpf(2) for who has CAP_BPF.
 */
async function seccompProfile(): Promise<string> {
  const profile = (await Bun.file(SECCOMP).json()) as { syscalls: Rule[] };
  for (const rule of profile.syscalls)
    if (rule.action === "SCMP_ACT_ERRNO") rule.names = rule.names.filter((name) => name !== "bpf");
  profile.syscalls.push({ names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_BPF"] } });
  return JSON.stringify(profile);
}

// The machine of the test has neither systemd nor the right to raise limits.
const containersConf = (folder: string) => `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
seccomp_profile = "${folder}/${SECCOMP_FILE}"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
`;

const storageConf = (folder: string) => `[storage]
driver = "overlay"
runroot = "${folder}/run"
graphroot = "${folder}/store"
`;

export interface PodmanOptions extends ExecOptions {
  namespace?: string;
}

export class Store implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Store> {
    const folder = await mkdtemp(join(tmpdir(), "ayaflow-image-"));
    await Bun.write(join(folder, "containers.conf"), containersConf(folder));
    await Bun.write(join(folder, "storage.conf"), storageConf(folder));
    await Bun.write(join(folder, SECCOMP_FILE), await seccompProfile());
    return new Store(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What buildah and podman need to find this store. */
  get env(): Record<string, string> {
    return {
      CONTAINERS_CONF: this.path("containers.conf"),
      CONTAINERS_STORAGE_CONF: this.path("storage.conf"),
      TMPDIR: this.folder,
    };
  }

  /** Runs podman, in a network namespace if one is named. */
  async podman(args: readonly string[], options: PodmanOptions = {}): Promise<ExecResult> {
    const { namespace, ...rest } = options;
    // Not by ip-netns(8), whose new /sys has no control groups.
    const inside = namespace === undefined ? [] : ["nsenter", `--net=/run/netns/${namespace}`];
    return await exec([...inside, "podman", ...args], { ...rest, env: this.env });
  }

  /** Builds the Dockerfile's image; its first stage is replaced by the executable that this machine has built. */
  async build(image: string): Promise<void> {
    const built = this.path("built");
    await mkdir(built);
    const arch = process.arch === "x64" ? "amd64" : process.arch;
    await exec(["sh", join(ROOT, "build", "image-root.sh"), arch, join(built, "image"), BINARY]);
    const fixed = ["--format", "docker", "--isolation", "chroot", "--pull-never", "--quiet"];
    await exec(["buildah", "build", ...fixed, "--build-context", `build=${built}`, "--tag", image, ROOT], {
      env: this.env,
      timeoutMs: BUILD_MS,
    });
    await rm(built, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.podman(["pod", "rm", "--all", "--force"], { check: false });
    await this.podman(["rm", "--all", "--force", "--time", "3"], { check: false });
    await exec(["umount", this.path("store/overlay")], { check: false });
    await rm(this.folder, { recursive: true, force: true });
  }
}
