/**
 * Builds the executable: `bun build.ts`.
 * `--assets` stops before linking; `--check-layout` only says whether src/bpf/layout.gen.ts is up to date.
 */
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BPF_SOURCE, compileObject, LAYOUT, layoutOf, tool } from "./bpf/compile.ts";
import { buildPage } from "./build-page.ts";

const ROOT = import.meta.dir;
const DIST = join(ROOT, "dist");
const ASSETS = join(DIST, "assets");
const OBJECT = join(ASSETS, "ayaflow.bpf.o");
const PAGE = join(ASSETS, "page.pack");
const STAMPS = join(DIST, "stamps.json");
const LIBRARIES = ["libz.so.1", "libzstd.so.1", "libelf.so.1", "libbpf.so.1"];
/** Debian 13's libelf needs it, Debian 12's does not: then an empty file stands in its place. */
const OPTIONAL_LIBRARY = "libzstd.so.1";

interface Target {
  /** Node's name of the architecture. */
  arch: string;
  bun: Bun.Build.CompileTarget;
  /** Debian's folder of headers and libraries for the architecture. */
  triplet: string;
}

const TARGETS: Target[] = [
  { arch: "x64", bun: "bun-linux-x64", triplet: "x86_64-linux-gnu" },
  { arch: "arm64", bun: "bun-linux-arm64", triplet: "aarch64-linux-gnu" },
];

function hostTarget(): Target {
  const target = TARGETS.find((candidate) => candidate.arch === process.arch);
  if (target === undefined)
    throw new Error(
      `no build target for ${process.arch}; there are: ${TARGETS.map((t) => t.arch).join(", ")}`,
    );
  return target;
}

/** One hash over names and contents of files, and over further strings. */
async function digest(files: Iterable<string>, ...more: string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of [...files].sort()) {
    hash.update(`${relative(ROOT, file)}\0`);
    hash.update(new Uint8Array(await Bun.file(file).arrayBuffer()));
  }
  for (const text of more) hash.update(`\0${text}`);
  return hash.digest("hex");
}

function filesOf(folder: string, pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: join(ROOT, folder), absolute: true, onlyFiles: true })];
}

/** Does a step unless its inputs are those of last time and its outputs are still there. */
async function step(
  name: string,
  inputs: string,
  outputs: string[],
  work: () => Promise<void>,
): Promise<void> {
  const stamps: Record<string, string> = existsSync(STAMPS) ? await Bun.file(STAMPS).json() : {};
  if (stamps[name] === inputs && outputs.every((file) => existsSync(file))) return;
  const started = performance.now();
  await work();
  await Bun.write(STAMPS, `${JSON.stringify({ ...stamps, [name]: inputs }, null, 2)}\n`);
  console.log(
    `${name}: ${outputs.map((file) => relative(ROOT, file)).join(", ")} (${Math.round(performance.now() - started)} ms)`,
  );
}

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

async function isNeeded(library: string, path: string): Promise<boolean> {
  return (await tool(["llvm-readelf", "--needed-libs", path])).includes(library);
}

async function stageLibraries(target: Target): Promise<void> {
  const sources = LIBRARIES.map((name) => {
    const path = [`/usr/lib/${target.triplet}/${name}`, `/lib/${target.triplet}/${name}`].find((file) =>
      existsSync(file),
    );
    if (path === undefined)
      throw new Error(`${name} is not in /usr/lib/${target.triplet}: install libbpf-dev`);
    return realpathSync(path);
  });
  const outputs = LIBRARIES.map((name) => join(ASSETS, name));
  await step("libraries", await digest(sources), outputs, async () => {
    const isSpare = !(await isNeeded(OPTIONAL_LIBRARY, sources[LIBRARIES.indexOf("libelf.so.1")] ?? ""));
    for (const [index, source] of sources.entries()) {
      const isLeftOut = isSpare && LIBRARIES[index] === OPTIONAL_LIBRARY;
      await Bun.write(outputs[index] ?? "", isLeftOut ? "" : Bun.file(source));
    }
  });
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

/** Commit the sources are at; empty outside a repository or without git. */
async function commit(): Promise<string> {
  const known = Bun.which("git") !== null && existsSync(join(ROOT, ".git"));
  return known ? (await tool(["git", "rev-parse", "--short=12", "HEAD"])).trim() : "";
}

/** Ink names React's developer tools, which are not installed; nothing may look for them at run time. */
const withoutDevtools: Bun.BunPlugin = {
  name: "without devtools",
  setup(build) {
    build.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: "empty" }));
    build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({
      contents: "export default {};",
      loader: "js",
    }));
  },
};

async function link(target: Target): Promise<void> {
  const outfile = join(DIST, `ayaflow-linux-${target.arch}`);
  const id = await commit();
  const sources = [
    ...filesOf("src", "**/*"),
    ...filesOf("dist/assets", "*"),
    ...["build.ts", "build-page.ts", "package.json", "package-lock.json", "tsconfig.json"].map((name) =>
      join(ROOT, name),
    ),
  ];
  await step(
    "executable",
    await digest(sources, Bun.version, id),
    [outfile, join(DIST, "ayaflow")],
    async () => {
      await Bun.build({
        entrypoints: [join(ROOT, "src", "main.ts")],
        compile: {
          target: target.bun,
          outfile,
          // It runs as root: nothing from the working directory may steer it.
          autoloadDotenv: false,
          autoloadBunfig: false,
          autoloadPackageJson: false,
          autoloadTsconfig: false,
        },
        // Modules are parsed when they are first needed, from bytecode: 5 MB less of memory, and a faster start.
        format: "esm",
        splitting: true,
        bytecode: true,
        // Elysia reads the source of its handlers, so names stay as they are.
        minify: { whitespace: true, syntax: true, identifiers: false },
        define: { AYAFLOW_BUILD_COMMIT: JSON.stringify(id), "process.env.NODE_ENV": '"production"' },
        plugins: [withoutDevtools],
      });
      const short = join(DIST, "ayaflow");
      rmSync(short, { force: true });
      symlinkSync(`ayaflow-linux-${target.arch}`, short);
    },
  );
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

async function main(options: string[]): Promise<void> {
  const target = hostTarget();
  if (options.includes("--check-layout")) return await checkLayout(target);
  mkdirSync(ASSETS, { recursive: true });
  await buildObject(target);
  await stageLibraries(target);
  await packPage();
  if (!options.includes("--assets")) await link(target);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof AggregateError ? error.errors.map(String).join("\n") : String(error));
  process.exit(1);
}
