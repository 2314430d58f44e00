/**
 * Builds the executable: `bun build.ts`, for this machine; `--target NAME` for one of build/targets.ts, `--all` for all.
 * `--assets` stops before linking; `--check-layout` only says whether src/bpf/layout.gen.ts is up to date.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BPF_SOURCE, compileObject, LAYOUT, layoutOf, tool } from "./bpf/compile.ts";
import { link } from "./build/bundle.ts";
import { addChecksums } from "./build/checksums.ts";
import { writeLicenses, writeSbom } from "./build/inventory.ts";
import { stageLibraries } from "./build/libraries.ts";
import { DIST, digest, filesOf, ROOT, step } from "./build/step.ts";
import { executableOf, type Target, TARGETS, targetOf } from "./build/targets.ts";
import { buildPage } from "./build-page.ts";

const ASSETS = join(DIST, "assets");
const OBJECT = join(ASSETS, "ayaflow.bpf.o");
const PAGE = join(ASSETS, "page.pack");

function headersOf(target: Target): string {
  return `/usr/include/${target.triplet}`;
}

async function buildObject(target: Target): Promise<void> {
  const clang = await tool(["clang", "--version"]);
  const inputs = await digest([...filesOf("bpf", "*"), join(ROOT, "build.ts")], clang, target.triplet);
  await step("object", inputs, [OBJECT], () =>
    compileObject(relative(ROOT, BPF_SOURCE), OBJECT, headersOf(target)),
  );
  await step(
    "layout",
    await digest([OBJECT, ...filesOf("bpf", "*.ts"), ...(existsSync(LAYOUT) ? [LAYOUT] : [])]),
    [LAYOUT],
    async () => {
      await Bun.write(LAYOUT, await layoutOf(OBJECT));
    },
  );
}

/** The page takes the filter's language, names and addresses from the agent's sources. */
async function packPage(): Promise<void> {
  const sources = ["page", "filter", "flow"].flatMap((folder) => filesOf(`src/${folder}`, "**/*"));
  const others = [
    "build-page.ts",
    "package-lock.json",
    "src/page-pack.ts",
    "src/errors.ts",
    "src/config/suggest.ts",
  ];
  const inputs = await digest([...sources, ...others.map((name) => join(ROOT, name))], Bun.version);
  await step("page", inputs, [PAGE], () => buildPage(PAGE));
}

/** Compiles apart from the tree and compares, so that a forgotten regeneration is found. */
async function checkLayout(target: Target): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-layout-"));
  try {
    const object = join(folder, "ayaflow.bpf.o");
    await compileObject(relative(ROOT, BPF_SOURCE), object, headersOf(target));
    if ((await layoutOf(object)) !== (await Bun.file(LAYOUT).text())) {
      throw new Error(`${relative(ROOT, LAYOUT)} is not what bpf/ says: run "npm run build" and commit it`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The targets that the command line asks for. */
function chosen(options: string[], host: Target): readonly Target[] {
  if (options.includes("--all")) return TARGETS;
  const at = options.indexOf("--target");
  return at === -1 ? [host] : [targetOf(options[at + 1] ?? "")];
}

/** `dist/ayaflow`, the executable for this machine. */
function linkShort(host: Target): void {
  const short = join(DIST, "ayaflow");
  rmSync(short, { force: true });
  symlinkSync(executableOf(host), short);
}

const OPTIONS = ["--all", "--target", "--assets", "--check-layout"];

async function main(options: string[]): Promise<void> {
  const unknown = options.find((option) => option.startsWith("-") && !OPTIONS.includes(option));
  if (unknown !== undefined) throw new Error(`${unknown}: unknown option; there are: ${OPTIONS.join(", ")}`);
  const host = targetOf(process.arch);
  if (options.includes("--check-layout")) return await checkLayout(host);
  const targets = chosen(options, host);
  mkdirSync(ASSETS, { recursive: true });
  await buildObject(host);
  await packPage();
  const machines = [...new Map([host, ...targets].map((target) => [target.arch, target])).values()];
  for (const target of machines) {
    await stageLibraries(target, host);
    await writeLicenses(target, host);
  }
  if (options.includes("--assets")) return;
  const made: string[] = [];
  for (const target of targets) made.push(await link(target));
  if (targets.includes(host)) linkShort(host);
  if (targets === TARGETS) await addChecksums([...made, await writeSbom(targets, host)]);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof AggregateError ? error.errors.map(String).join("\n") : String(error));
  process.exit(1);
}
