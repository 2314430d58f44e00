/** Packages of any Debian suite and architecture, by an apt whose state is apart from the machine's own. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "../../lab/support/process.ts";

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface Suite {
  /** `bookworm`, `sid` ... */
  name: string;
  /** Debian's name of the architecture. */
  architecture: string;
}

/** An apt for one suite, with everything it writes in `folder`. apt verifies all it gets by the archive's signature. */
export class Apt {
  private constructor(
    private readonly suite: Suite,
    private readonly folder: string,
  ) {}

  /** Gets the suite's index. @throws Error with apt's words when the mirror cannot be reached. */
  static async open(suite: Suite, folder: string): Promise<Apt> {
    const apt = new Apt(suite, folder);
    const { name, architecture } = suite;
    for (const path of ["state/lists/partial", "cache/archives/partial", "packages"])
      await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, "status"), "");
    await writeFile(join(folder, "sources.list"), `deb [signed-by=${KEYRING}] ${MIRROR} ${name} main\n`);
    const settings = {
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Sandbox::User": "root",
      "Acquire::Languages": "none",
      "Acquire::Retries": "3",
      "Dir::State": join(folder, "state"),
      "Dir::State::status": join(folder, "status"),
      "Dir::Cache": join(folder, "cache"),
      "Dir::Etc::sourcelist": join(folder, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
    await writeFile(apt.config, lines.join(""));
    await apt.run(["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"]);
    return apt;
  }

  private get config(): string {
    return join(this.folder, "apt.conf");
  }

  private async run(command: readonly string[], cwd?: string): Promise<string> {
    const inside = cwd === undefined ? command : ["env", "-C", cwd, ...command];
    const { stdout, stderr, exitCode } = await exec(["env", `APT_CONFIG=${this.config}`, ...inside], {
      check: false,
      timeoutMs: 10 * 60_000,
    });
    if (exitCode === 0) return stdout;
    const { name, architecture } = this.suite;
    throw new Error(
      `Debian ${name} ${architecture}: "${command.join(" ")}" failed; is ${MIRROR} reachable?\n${stderr}`,
    );
  }

  /** Names that the newest version of `name` depends on directly. */
  async dependencies(name: string): Promise<string[]> {
    const shown = await this.run(["apt-cache", "show", "--no-all-versions", name]);
    const field = /^Depends: (.*)$/m.exec(shown)?.[1] ?? "";
    return field.split(/[,|]/).flatMap((part) => part.trim().split(/[ :(]/, 1));
  }

  /** Unpacks packages into `target`; nothing of them is run. */
  async unpack(names: readonly string[], target: string): Promise<void> {
    const packages = join(this.folder, "packages");
    await this.run(["apt-get", "-q", "download", ...names], packages);
    await mkdir(target, { recursive: true });
    for (const file of new Bun.Glob("*.deb").scanSync({ cwd: packages, absolute: true }))
      await exec(["dpkg-deb", "-x", file, target]);
  }
}
