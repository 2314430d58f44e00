/** Debian packages that libraries come from: those installed here, and the same ones of another architecture. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, realpath, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { tool } from "../bpf/compile.ts";
import { CACHE, sha256 } from "./step.ts";
import type { Target } from "./targets.ts";

export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  /** Name and version of the source package. */
  source: string;
  sourceVersion: string;
  /** Where its files are: "/", or a folder it was unpacked in. */
  root: string;
}

const FIELDS = ["Package", "Version", "Architecture", "source:Package", "source:Version"];
const FORMAT = `${FIELDS.map((field) => `\${${field}}`).join("\\t")}\\n`;

function packageOf(line: string, root: string): DebianPackage {
  const [name = "", version = "", architecture = "", source = "", sourceVersion = ""] = line
    .trim()
    .split("\t");
  return { name, version, architecture, source, sourceVersion, root };
}

/** The installed package of a library, e.g. libz.so.1. @throws Error when it is not installed. */
async function installed(library: string, target: Target): Promise<DebianPackage> {
  try {
    // The folder is /lib or /usr/lib, as the package has it.
    const found = await tool(["dpkg-query", "-S", `*/${target.triplet}/${library}`]);
    const name = found.slice(0, found.indexOf(": "));
    return packageOf(await tool(["dpkg-query", "-W", "-f", FORMAT, name]), "/");
  } catch (error) {
    throw new Error(
      `no installed package has ${library} for ${target.triplet}: install libbpf-dev\n${String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** apt for another architecture: the machine's sources and keys, everything it writes in `folder`. */
async function apt(folder: string, target: Target, args: string[]): Promise<void> {
  const settings = {
    "APT::Architecture": target.debian,
    "APT::Architectures": target.debian,
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "Dir::State": join(folder, "state"),
    "Dir::State::status": "/dev/null",
    "Dir::Cache": join(folder, "cache"),
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  await tool(["apt-get", "-q", ...options, ...args], folder);
}

/** Downloads packages, which apt verifies by the archive's signature, and unpacks each in a folder of its own. */
async function download(names: string[], target: Target, folder: string): Promise<void> {
  for (const path of ["state/lists/partial", "cache/archives/partial"])
    await mkdir(join(folder, path), { recursive: true });
  try {
    await apt(folder, target, ["update"]);
    await apt(folder, target, ["download", ...names]);
  } catch (error) {
    throw new Error(
      `${names.join(", ")} for ${target.debian} could not be had from this machine's apt sources; ` +
        `build on an ${target.arch} machine, or see to it that "apt-get update" works here\n${String(error)}`,
      { cause: error },
    );
  }
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".deb"))) {
    const name = file.slice(0, file.indexOf("_"));
    await tool(["dpkg-deb", "-x", join(folder, file), join(folder, name)]);
    await Bun.write(
      join(folder, name, "control"),
      await tool(["dpkg-deb", `--showformat=${FORMAT}`, "-W", join(folder, file)]),
    );
    await rm(join(folder, file));
  }
  for (const path of ["state", "cache"]) await rm(join(folder, path), { recursive: true });
}

/** The packages `local` of another architecture, downloaded when the installed ones have changed. */
async function foreign(local: DebianPackage[], target: Target): Promise<DebianPackage[]> {
  const key = sha256(JSON.stringify(local)).slice(0, 12);
  const folder = join(CACHE, `debian-${target.debian}-${key}`);
  const names = local.map(({ name }) => name);
  if (!existsSync(folder)) {
    await mkdir(CACHE, { recursive: true });
    const fresh = await mkdtemp(join(CACHE, "debian-"));
    try {
      await download(names, target, fresh);
      // Another build may have been faster.
      if (!existsSync(folder)) await rename(fresh, folder);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  return await Promise.all(
    names.map(async (name) =>
      packageOf(await Bun.file(join(folder, name, "control")).text(), join(folder, name)),
    ),
  );
}

/** The packages that hold `libraries` for a target, in their order; every package's name is the host's. */
export async function packagesOf(
  libraries: readonly string[],
  host: Target,
  target: Target,
): Promise<DebianPackage[]> {
  const local = await Promise.all(libraries.map((library) => installed(library, host)));
  return target.arch === host.arch ? local : await foreign(local, target);
}

/** Path of a library in its package. @throws Error when it is not there. */
export async function libraryIn(
  { name, root }: DebianPackage,
  library: string,
  target: Target,
): Promise<string> {
  const path = [`usr/lib/${target.triplet}`, `lib/${target.triplet}`]
    .map((folder) => join(root, folder, library))
    .find((file) => existsSync(file));
  if (path === undefined) throw new Error(`the package ${name} for ${target.debian} has no ${library}`);
  return await realpath(path);
}
