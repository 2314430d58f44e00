/** Compiles the kernel side and makes its TypeScript layout, with Debian's clang, llvm-strip and bpftool. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { layoutSource } from "./layout.ts";

const ROOT = join(import.meta.dir, "..");
export const BPF_SOURCE = join(ROOT, "bpf", "ayaflow.bpf.c");
export const LAYOUT = join(ROOT, "src", "bpf", "layout.gen.ts");

/** Runs a program of the build; throws with what it printed when it fails, else gives its standard output. */
export async function tool(command: string[], cwd: string = ROOT): Promise<string> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, error, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")}\nended with exit code ${code}:\n${out}${error}`);
  return out;
}

/** Compiles `source` to `object` for the BPF machine. `headers` is the folder of Debian's architecture headers. */
export async function compileObject(source: string, object: string, headers: string): Promise<void> {
  const flags = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror", "-isystem", headers];
  const fresh = `${object}.new`;
  // Relative paths keep the object the same wherever the repository lies.
  await tool(["clang", ...flags, "-fdebug-compilation-dir=.", "-c", source, "-o", fresh]);
  // BTF stays, DWARF goes.
  await tool(["llvm-strip", "-g", fresh]);
  renameSync(fresh, object);
}

/** TypeScript source of the layout of a compiled object. */
export async function layoutOf(object: string): Promise<string> {
  return layoutSource(JSON.parse(await tool(["bpftool", "btf", "dump", "file", object, "-j"])));
}
