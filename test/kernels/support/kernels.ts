/** The kernels that guests boot, and what is taken of their packages. */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { exec } from "../../lab/support/process.ts";
import { Apt } from "./apt.ts";

export type Architecture = "x64" | "arm64";

export interface KernelChoice {
  /** As asked for on the command line. */
  name: string;
  suite: string;
  architecture: Architecture;
  /** How programs are attached unless asked for otherwise. */
  method: "clsact" | "tcx";
  /**
   * qemu's name of the processor, `max` unless given. On x64 one without AVX2, for the executable that needs none. On
   * arm64 a server's: under qemu 7.2's `max` the runtime crashes, see docs/kernels.md.
   */
  emulatedCpu?: string;
}

/** A kernel that is here, ready to boot. */
export interface Kernel extends KernelChoice {
  /** `uname -r` */
  release: string;
  /** The bootable image. */
  image: string;
  /** Paths of unpacked modules, each behind those it needs. */
  modules: string[];
}

export const KERNELS: readonly KernelChoice[] = [
  { name: "5.10", suite: "bullseye", architecture: "x64", method: "clsact" },
  { name: "6.1", suite: "bookworm", architecture: "x64", method: "clsact" },
  { name: "6.12", suite: "trixie", architecture: "x64", method: "tcx", emulatedCpu: "Nehalem" },
  { name: "sid", suite: "sid", architecture: "x64", method: "tcx" },
  { name: "6.1", suite: "bookworm", architecture: "arm64", method: "clsact", emulatedCpu: "neoverse-n1" },
];

const DEBIAN_NAMES: Record<Architecture, string> = { x64: "amd64", arm64: "arm64" };
/** Loaded in this order, each behind what it needs. */
const MODULES = "veth 8021q bonding ip_gre ipip sit ip6_tunnel ip6_gre sch_netem sch_ingress cls_bpf".split(
  " ",
);
/** Programs of every guest, from Debian's oldest release with libbpf 1. */
const USERLAND_SUITE = "bookworm";
const USERLAND =
  "busybox-static iproute2 libc6 zlib1g libelf1 libbpf1 libmnl0 libbsd0 libmd0 libcap2 libxtables12".split(
    " ",
  );

/** Kernels and programs stay here between runs. */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.AYAFLOW_KERNELS_CACHE ?? join(base, "ayaflow-kernels");
}

/** Empties the cache of what is kept here, and of nothing else that the folder may hold. */
export async function forgetKernels(): Promise<void> {
  const kernels = KERNELS.map(({ name, architecture }) => `${name}-${architecture}`);
  const userlands = Object.keys(DEBIAN_NAMES).map((architecture) => `userland-${architecture}`);
  for (const name of [...kernels, ...userlands])
    await rm(join(cacheFolder(), name), { recursive: true, force: true });
}

/** Fills `name` in the cache by `make`, all of it or nothing. */
async function cached(
  name: string,
  make: (folder: string, scratch: string) => Promise<void>,
): Promise<string> {
  const final = join(cacheFolder(), name);
  if (existsSync(final)) return final;
  await mkdir(cacheFolder(), { recursive: true });
  const scratch = await mkdtemp(join(cacheFolder(), "new-"));
  try {
    const fresh = join(scratch, "result");
    await mkdir(fresh);
    await make(fresh, scratch);
    // Another run may have been faster: then its result serves as well.
    await rename(fresh, final).catch((error: unknown) => {
      if (!existsSync(final)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true });
  }
  return final;
}

/** The packages behind Debian's name for "the newest cloud kernel" that hold the image and the modules. */
async function kernelPackages(apt: Apt, architecture: string): Promise<string[]> {
  const newest = (await apt.dependencies(`linux-image-cloud-${architecture}`)).find((name) =>
    name.startsWith("linux-image-"),
  );
  if (newest === undefined) throw new Error(`Debian has no cloud kernel for ${architecture}`);
  const parts = (await apt.dependencies(newest)).filter((name) => /^linux-(binary|modules)-/.test(name));
  return parts.length > 0 ? parts : [newest];
}

async function unpackedModule(path: string, target: string): Promise<void> {
  const name = basename(path).replace(/\.(xz|zst|gz)$/, "");
  const unpack = { xz: ["xz", "-dc"], zst: ["zstd", "-qdc"], gz: ["gzip", "-dc"] }[
    path.split(".").at(-1) ?? ""
  ];
  if (unpack === undefined) return await cp(path, join(target, name));
  const child = Bun.spawn([...unpack, path], { stdout: Bun.file(join(target, name)), stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`${path} cannot be unpacked`);
}

/** Names of modules.dep in loading order, from what `depmod` wrote: `a.ko: b.ko c.ko`, the deepest last. */
function loadingOrder(dependencies: string, wanted: readonly string[]): string[] {
  const lines = dependencies.split("\n").filter((line) => line.includes(":"));
  const byName = new Map(
    lines.map((line) => {
      const [path = "", needs = ""] = line.split(":");
      return [basename(path).replace(/\.ko.*$/, ""), { path, needs: needs.split(" ").filter(Boolean) }];
    }),
  );
  const order = wanted.flatMap((name) => {
    const found = byName.get(name);
    if (found === undefined) throw new Error(`this kernel has no module ${name}`);
    return [...found.needs.toReversed(), found.path];
  });
  return [...new Set(order)];
}

function firstMatch(root: string, ...patterns: string[]): string | undefined {
  return patterns.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, absolute: true })])[0];
}

async function fetchKernel(
  { suite, architecture }: KernelChoice,
  into: string,
  scratch: string,
): Promise<void> {
  const debian = DEBIAN_NAMES[architecture];
  const apt = await Apt.open({ name: suite, architecture: debian }, join(scratch, "apt"));
  const root = join(scratch, "root");
  await apt.unpack(await kernelPackages(apt, debian), root);
  const image = firstMatch(root, "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz");
  const known = "modules/*/kernel/net/sched/cls_bpf.ko*";
  const filter = firstMatch(root, `lib/${known}`, `usr/lib/${known}`);
  if (image === undefined || filter === undefined) throw new Error(`${suite}: no kernel in its packages`);
  const folder = join(filter, "../../../..");
  const release = basename(folder);
  // Newer packages have all in /usr; depmod looks in /lib.
  if (!existsSync(join(root, "lib"))) await exec(["ln", "-s", "usr/lib", join(root, "lib")]);
  await exec(["depmod", "-b", root, release]);
  const paths = loadingOrder(await Bun.file(join(folder, "modules.dep")).text(), MODULES);
  await mkdir(join(into, "modules"));
  for (const path of paths) await unpackedModule(join(folder, path), join(into, "modules"));
  const modules = paths.map((path) => basename(path).replace(/\.(xz|zst|gz)$/, ""));
  await cp(image, join(into, "vmlinuz"));
  await writeFile(join(into, "kernel.json"), JSON.stringify({ release, modules }));
}

/** Gets a kernel, from the cache when it is there. */
export async function getKernel(choice: KernelChoice): Promise<Kernel> {
  const folder = await cached(`${choice.name}-${choice.architecture}`, (into, scratch) =>
    fetchKernel(choice, into, scratch),
  );
  const { release, modules }: { release: string; modules: string[] } = await Bun.file(
    join(folder, "kernel.json"),
  ).json();
  return {
    ...choice,
    release,
    image: join(folder, "vmlinuz"),
    modules: modules.map((name) => join(folder, "modules", name)),
  };
}

/** Gets the folder with the programs of the guests of an architecture. */
export function getUserland(architecture: Architecture): Promise<string> {
  const debian = DEBIAN_NAMES[architecture];
  return cached(`userland-${architecture}`, async (into, scratch) => {
    const apt = await Apt.open({ name: USERLAND_SUITE, architecture: debian }, join(scratch, "apt"));
    await apt.unpack(USERLAND, into);
  });
}
