/** The root file system of a guest: a shell, `ip`, `tc`, the kernel's modules, the executable under test, the checks. */
import { basename, join } from "node:path";
import { Cpio } from "./cpio.ts";
import type { Kernel } from "./kernels.ts";

const GUEST_MAIN = join(import.meta.dir, "..", "guest", "main.ts");
const GUEST_INIT = join(import.meta.dir, "..", "guest", "init.sh");
/** Loaded by the guest itself, after it has seen what happens without them. */
const HELD_BACK = new Set(["sch_ingress.ko", "cls_bpf.ko"]);
const PROGRAMS = ["bin/busybox", "bin/ip", "sbin/tc"];
const LIBRARIES = ["lib/*-linux-gnu/*.so*", "usr/lib/*-linux-gnu/*.so*", "lib64/*", "lib/ld-linux-*"];
const CONSOLE = [5, 1] as const;

/** The guest's checks as one JavaScript file, which the executable runs when asked to be plain Bun. */
export async function bundleChecks(): Promise<Uint8Array> {
  const { outputs } = await Bun.build({ entrypoints: [GUEST_MAIN], target: "bun" });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error(`${GUEST_MAIN} gave no bundle`);
  return new Uint8Array(await bundle.arrayBuffer());
}

export interface GuestFiles {
  kernel: Kernel;
  /** Folder with the guest's programs. */
  userland: string;
  /** The executable under test. */
  binary: string;
  checks: Uint8Array;
}

/** The initramfs of a guest. */
export async function makeInitramfs({ kernel, userland, binary, checks }: GuestFiles): Promise<Uint8Array> {
  const archive = new Cpio();
  for (const folder of ["/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/busybox"]) archive.folder(folder);
  archive.characterDevice("/dev/console", ...CONSOLE);
  for (const path of PROGRAMS) archive.copy(`/${path}`, join(userland, path));
  for (const pattern of LIBRARIES) {
    for (const path of new Bun.Glob(pattern).scanSync({ cwd: userland, onlyFiles: false }))
      archive.copy(`/${path}`, join(userland, path));
  }
  const lists = { now: [] as string[], later: [] as string[] };
  for (const module of kernel.modules) {
    const path = `/modules/${basename(module)}`;
    archive.copy(path, module);
    lists[HELD_BACK.has(basename(module)) ? "later" : "now"].push(path);
  }
  const text = new TextEncoder();
  archive.file("/modules/now", text.encode(`${lists.now.join("\n")}\n`), 0o644);
  archive.file("/modules/later", text.encode(`${lists.later.join("\n")}\n`), 0o644);
  archive.file(
    "/etc/passwd",
    text.encode("root::0:0::/root:/bin/sh\nnobody::65534:65534::/tmp:/bin/sh\n"),
    0o644,
  );
  archive.file("/ayaflow", new Uint8Array(await Bun.file(binary).arrayBuffer()));
  archive.file("/checks.js", checks, 0o644);
  archive.file("/init", new Uint8Array(await Bun.file(GUEST_INIT).arrayBuffer()));
  return archive.bytes();
}
