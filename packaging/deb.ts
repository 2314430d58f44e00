/**
 * Makes the Debian packages of what was built: `bun packaging/deb.ts` those of both architectures, with their checksums;
 * `bun packaging/deb.ts --host` only that of this machine, from dist/ayaflow.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { addChecksums } from "../build/checksums.ts";
import { DIST, ROOT } from "../build/step.ts";
import manifest from "../package.json" with { type: "json" };
import { conffiles, control, type PackageFile, type PackageInputs, packageFiles } from "./tree.ts";

const SCRIPTS = ["preinst", "postinst", "prerm", "postrm"];
/** Debian's name of this machine's architecture. */
export const HOST_ARCHITECTURE = process.arch === "arm64" ? "arm64" : "amd64";
const KIB = 1024;
/** More threads make other blocks, and so other bytes, than one. */
const COMPRESSION = ["-Zxz", "--threads-max=1"];

/** The executable for every processor of an architecture. */
const EXECUTABLES = { amd64: "ayaflow-linux-x64-baseline", arm64: "ayaflow-linux-arm64" } as const;

function run(command: string[], env: Record<string, string> = {}): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync(command, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}${stdout.toString()}`);
  return stdout;
}

/** That of the commit, so that the same commit gives the same package. */
function sourceEpoch(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  return Number(given ?? run(["git", "log", "-1", "--format=%ct"]).toString());
}

async function bytesOf({ path, content }: PackageFile): Promise<Uint8Array> {
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (content instanceof Uint8Array) return content;
  const bytes = await Bun.file(content.file).bytes();
  return path.endsWith(".gz") ? gzipSync(bytes, { level: 9 }) : bytes;
}

/** Writes a file below `root`, dated `epoch`, in folders that everybody may look into. */
async function place(root: string, file: { path: string; mode: number }, bytes: Uint8Array): Promise<void> {
  const target = join(root, file.path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await Bun.write(target, bytes);
  await chmod(target, file.mode);
}

/** Makes one package in the folder `into`. Gives its path. @throws Error with dpkg's words. */
export async function makePackage(
  inputs: PackageInputs,
  into: string,
  compression: readonly string[] = COMPRESSION,
): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), "ayaflow-deb-"));
  try {
    await chmod(tree, 0o755);
    const files = packageFiles(inputs);
    let kib = 0;
    let sums = "";
    for (const file of files) {
      const bytes = await bytesOf(file);
      await place(tree, file, bytes);
      kib += Math.ceil(bytes.length / KIB);
      sums += `${createHash("md5").update(bytes).digest("hex")}  ${file.path}\n`;
    }
    const told: [name: string, text: string, mode: number][] = [
      ["control", control(inputs, kib), 0o644],
      ["conffiles", conffiles(files), 0o644],
      ["md5sums", sums, 0o644],
    ];
    for (const name of SCRIPTS) {
      told.push([name, await Bun.file(join(ROOT, "packaging", "debian", name)).text(), 0o755]);
    }
    for (const [name, text, mode] of told) {
      await place(tree, { path: `DEBIAN/${name}`, mode }, new TextEncoder().encode(text));
    }
    for (const path of [".", ...new Bun.Glob("**").scanSync({ cwd: tree, dot: true, onlyFiles: false })]) {
      await utimes(join(tree, path), inputs.epoch, inputs.epoch);
    }
    const target = join(into, `ayaflow_${inputs.version}_${inputs.architecture}.deb`);
    const options = ["--root-owner-group", ...compression];
    run(["dpkg-deb", ...options, "--build", tree, target], { SOURCE_DATE_EPOCH: String(inputs.epoch) });
    return target;
  } finally {
    await rm(tree, { recursive: true });
  }
}

/** What goes into the package of an executable at the sources' version. @throws Error where git has no commit. */
export async function packageInputs(
  architecture: PackageInputs["architecture"],
  executable: string,
): Promise<PackageInputs> {
  const unit = await Bun.file(join(ROOT, "systemd", "ayaflow.service")).text();
  const licenses = run([join(DIST, "ayaflow"), "version", "--licenses"]);
  return {
    version: manifest.version,
    architecture,
    executable,
    root: ROOT,
    unit,
    licenses,
    epoch: sourceEpoch(),
  };
}

async function main(options: readonly string[]): Promise<void> {
  const isHost = options.includes("--host");
  const architectures = isHost ? ([HOST_ARCHITECTURE] as const) : (["amd64", "arm64"] as const);
  const made: string[] = [];
  for (const architecture of architectures) {
    const executable = join(DIST, isHost ? "ayaflow" : EXECUTABLES[architecture]);
    if (!existsSync(executable)) throw new Error(`${executable} is not there: npm run build -- --all`);
    made.push(await makePackage(await packageInputs(architecture, executable), DIST));
  }
  if (!isHost) await addChecksums(made);
  console.log(made.join("\n"));
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(`package: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
