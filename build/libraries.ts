/** The shared libraries that an executable carries, from Debian's packages. */
import { join } from "node:path";
import { tool } from "../bpf/compile.ts";
import { type DebianPackage, libraryIn, packagesOf } from "./debian.ts";
import { digest, DIST, sha256, step } from "./step.ts";
import type { Target } from "./targets.ts";

/** Files of libbpf and what it needs, in the order they are loaded in, and the terms they are under. */
const LIBRARIES = [
  { file: "libz.so.1", license: "Zlib" },
  { file: "libzstd.so.1", license: "BSD-3-Clause OR GPL-2.0-only" },
  { file: "libelf.so.1", license: "LGPL-3.0-or-later OR GPL-2.0-or-later" },
  { file: "libbpf.so.1", license: "LGPL-2.1-only OR BSD-2-Clause" },
] as const;
/** Debian 13's libelf needs it, Debian 12's does not: then an empty file stands in its place. */
const OPTIONAL = "libzstd.so.1";

/** Offset of `e_machine` in an ELF header, 16 bits, little-endian here. */
const MACHINE_OFFSET = 18;

/** A library that was put in. */
export interface Library {
  file: string;
  license: string;
  sha256: string;
  package: DebianPackage;
}

/** Where the files for a target's executable are: the host's are those that tests from source use too. */
export function assetsOf(target: Target): string {
  return join(DIST, "assets", target.arch === process.arch ? "" : target.arch);
}

function listOf(target: Target): string {
  return join(assetsOf(target), "libraries.json");
}

/** What `stageLibraries` put in for a target. */
export async function librariesOf(target: Target): Promise<Library[]> {
  return (await Bun.file(listOf(target)).json()) as Library[];
}

/** @throws Error unless `bytes` are an ELF file for the target's machine. */
export function checkMachine(bytes: Uint8Array, path: string, target: Target): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = bytes.byteLength > MACHINE_OFFSET + 2 ? view.getUint16(MACHINE_OFFSET, true) : 0;
  if (machine !== target.machine)
    throw new Error(`${path} is for ELF machine ${machine}, not for ${target.arch} (${target.machine})`);
}

/** Puts the libraries into the target's assets. `host` says which packages they are in. */
export async function stageLibraries(target: Target, host: Target): Promise<void> {
  const folder = assetsOf(target);
  const [libelf] = await packagesOf(["libelf.so.1"], host, host);
  if (libelf === undefined) throw new Error("libelf.so.1 is not installed: install libbpf-dev");
  const needed = await tool(["llvm-readelf", "--needed-libs", await libraryIn(libelf, "libelf.so.1", host)]);
  const wanted = LIBRARIES.filter(({ file }) => file !== OPTIONAL || needed.includes(OPTIONAL));
  const packages = await packagesOf(
    wanted.map(({ file }) => file),
    host,
    target,
  );
  const found = await Promise.all(
    wanted.map(async (library, index) => {
      const from = packages[index] as DebianPackage;
      return { ...library, package: from, path: await libraryIn(from, library.file, target) };
    }),
  );
  const inputs = await digest(
    found.map(({ path }) => path),
    JSON.stringify(packages),
  );
  const outputs = [...LIBRARIES.map(({ file }) => join(folder, file)), listOf(target)];
  await step(`libraries ${target.arch}`, inputs, outputs, async () => {
    for (const { file } of LIBRARIES) await Bun.write(join(folder, file), "");
    const list: Library[] = [];
    for (const { path, ...library } of found) {
      const bytes = await Bun.file(path).bytes();
      checkMachine(bytes, path, target);
      await Bun.write(join(folder, library.file), bytes);
      list.push({ ...library, sha256: sha256(bytes) });
    }
    await Bun.write(listOf(target), `${JSON.stringify(list, null, 2)}\n`);
  });
}
