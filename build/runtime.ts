/** Bun's executable for a target: this one where it is the same, else npm's, checked against the hashes below. */
import { chmod, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { tool } from "../bpf/compile.ts";
import { CACHE, sha256Of } from "./step.ts";
import type { Target } from "./targets.ts";

/** What the hashes are of: the version that package.json pins. */
const VERSION = "1.4.5";

interface Runtime {
  /** The registry's integrity of the package. */
  integrity: string;
  /** SHA-256 of `bin/bun` in it. */
  sha256: string;
}

/** Bun 1.4 has one executable for x64 that looks for AVX2 itself, so two packages hold the same. */
const RUNTIMES: Readonly<Record<Target["runtime"], Runtime>> = {
  "@oven/bun-linux-x64": {
    integrity:
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    sha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
  },
  "@oven/bun-linux-x64-baseline": {
    integrity:
      "sha512-s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
    sha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
  },
  "@oven/bun-linux-aarch64": {
    integrity:
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    sha256: "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923",
  },
};

/** SHA-256 of the runtime that a target's executable starts with. */
export function runtimeHash(target: Target): string {
  return RUNTIMES[target.runtime].sha256;
}

async function npm(args: string[], cwd: string): Promise<string> {
  const path = process.env.npm_execpath;
  const command = path?.endsWith(".js") === true ? ["node", path] : ["npm"];
  return await tool([...command, ...args, "--loglevel=error"], cwd);
}

/** Gets the package with npm, which heeds the user's registry and proxy, and unpacks the executable to `file`. */
async function fetchRuntime(target: Target, file: string): Promise<void> {
  const { integrity, sha256: expected } = RUNTIMES[target.runtime];
  const wanted = `${target.runtime}@${VERSION}`;
  const folder = await mkdtemp(join(CACHE, "runtime-"));
  try {
    await npm(["pack", wanted, "--ignore-scripts", "--pack-destination", folder], folder);
    const name = (await readdir(folder)).find((entry) => entry.endsWith(".tgz"));
    if (name === undefined) throw new Error("npm pack made no archive");
    const archive = join(folder, name);
    const hash = new Bun.CryptoHasher("sha512").update(await Bun.file(archive).bytes()).digest("base64");
    if (`sha512-${hash}` !== integrity) {
      throw new Error(`its integrity is sha512-${hash}, not that of build/runtime.ts: do not use it`);
    }
    await tool(["tar", "-xzf", archive, "-C", folder, "--no-same-owner", "package/bin/bun"]);
    const unpacked = join(folder, "package", "bin", "bun");
    const found = await sha256Of(unpacked);
    if (found !== expected) throw new Error(`bin/bun has SHA-256 ${found}, not that of build/runtime.ts`);
    await chmod(unpacked, 0o755);
    await rename(unpacked, file);
  } catch (error) {
    throw new Error(
      `the Bun runtime ${wanted} for ${target.name} could not be had from the npm registry: ${String(error)}`,
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Path of the runtime to link with; downloads it once. @throws Error when it is not to be had or not right. */
export async function runtimeOf(target: Target): Promise<string> {
  if (Bun.version !== VERSION) {
    throw new Error(
      `build/runtime.ts knows the hashes of Bun ${VERSION}, this is ${Bun.version}: enter its hashes`,
    );
  }
  const expected = runtimeHash(target);
  if ((await sha256Of(process.execPath)) === expected) return process.execPath;
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, `bun-${VERSION}-${expected.slice(0, 12)}`);
  if (!existsSync(file) || (await sha256Of(file)) !== expected) await fetchRuntime(target, file);
  return file;
}
