/** Bundles the program and links it to a runtime. */
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { tool } from "../bpf/compile.ts";
import { assetsOf, librariesOf } from "./libraries.ts";
import { runtimeHash, runtimeOf } from "./runtime.ts";
import { DIST, digest, filesOf, ROOT, step } from "./step.ts";
import { executableOf, type Target } from "./targets.ts";

/** Commit the sources are at; empty outside a repository or without git. */
async function commit(): Promise<string> {
  if (Bun.which("git") === null || !existsSync(join(ROOT, ".git"))) return "";
  // Whoever builds need not own the sources.
  return (await tool(["git", "-c", "safe.directory=*", "rev-parse", "--short=12", "HEAD"])).trim();
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

/** Sources name the files of the host; another architecture has some of its own. */
function withAssetsOf(target: Target): Bun.BunPlugin {
  const own = assetsOf(target);
  return {
    name: "assets",
    setup(build) {
      build.onResolve({ filter: /\/dist\/assets\/(lib.*\.so\.1|licenses\.gz)$/ }, ({ path }) => ({
        path: join(own, basename(path)),
      }));
    },
  };
}

function optionsOf(target: Target, define: Record<string, string>): Bun.BuildConfig {
  return {
    entrypoints: [join(ROOT, "src", "main.ts")],
    target: "bun",
    // Modules are parsed when they are first needed, from bytecode: 5 MB less of memory, and a faster start.
    format: "esm",
    splitting: true,
    // Elysia reads the source of its handlers, so names stay as they are.
    minify: { whitespace: true, syntax: true, identifiers: false },
    define: { ...define, "process.env.NODE_ENV": '"production"' },
    plugins: [withoutDevtools, withAssetsOf(target)],
  };
}

/** Folders of the npm packages, below the repository, that the program has code of. */
export async function bundledPackages(target: Target): Promise<string[]> {
  const { metafile } = await Bun.build({ ...optionsOf(target, {}), metafile: true });
  return packagesIn(metafile);
}

/** Folders of the npm packages that `metafile` says output was made from. @throws Error when there is no metafile. */
export function packagesIn(metafile: Bun.BuildMetafile | undefined): string[] {
  if (metafile === undefined) throw new Error("Bun made no metafile of the bundle");
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const folders = files.flatMap((file) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders.map((folder) => folder.slice(folder.indexOf("node_modules/"))))].sort();
}

/** What start-up checks the libraries against, JSON. */
async function expectedLibraries(target: Target): Promise<string> {
  const libraries = await librariesOf(target);
  return JSON.stringify(
    Object.fromEntries(
      libraries.map(({ file, sha256, package: { sourceVersion } }) => [
        file,
        { version: sourceVersion, sha256 },
      ]),
    ),
  );
}

/** Links in a folder of its own, as the executable has the name it is made under in it. */
async function compile(target: Target, id: string, outfile: string): Promise<void> {
  const folder = await mkdtemp(join(DIST, "link-"));
  try {
    const made = join(folder, "ayaflow");
    await Bun.build({
      ...optionsOf(target, {
        AYAFLOW_BUILD_COMMIT: JSON.stringify(id),
        AYAFLOW_LIBRARIES: JSON.stringify(await expectedLibraries(target)),
      }),
      bytecode: true,
      compile: {
        target: target.bun,
        executablePath: await runtimeOf(target),
        outfile: made,
        // It runs as root: nothing from the working directory may steer it.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadPackageJson: false,
        autoloadTsconfig: false,
      },
    });
    await rename(made, outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes a target's executable in dist/. Gives its path. */
export async function link(target: Target): Promise<string> {
  const outfile = join(DIST, executableOf(target));
  const id = await commit();
  const sources = [
    ...["src", "build", relative(ROOT, assetsOf(target))].flatMap((folder) => filesOf(folder, "**/*")),
    ...filesOf("dist/assets", "*"),
    ...["build.ts", "build-page.ts", "package.json", "package-lock.json", "tsconfig.json"].map((name) =>
      join(ROOT, name),
    ),
  ];
  const inputs = await digest(sources, Bun.version, runtimeHash(target), id);
  await step(`executable ${target.name}`, inputs, [outfile], () => compile(target, id, outfile));
  return outfile;
}
