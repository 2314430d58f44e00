/** Somebody else's programs on the same hooks. Run in a namespace, this file is the loader of the TCX one. */
import { type Pointer } from "bun:ffi";
import { join } from "node:path";
import { cString, interfaceIndex } from "../../../src/bpf/libc.ts";
import { libbpf } from "../../../src/bpf/libbpf.ts";
import type { End } from "./lab.ts";
import { exec } from "./process.ts";
import { waitFor } from "./wait.ts";

const TCX_INGRESS = 46;
const REPORT_MS = 50;

/** What a TCX program may return: look at the next program too, or let the packet pass at once. */
export const VERDICT = { next: -1, pass: 0 } as const;

/** A program `name` that counts in the map `name`_count. */
const source = (name: string, verdict: number) => `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} ${name}_count SEC(".maps");
SEC("tc") int ${name}(struct __sk_buff *skb) {
  __u32 zero = 0;
  __u64 *count = bpf_map_lookup_elem(&${name}_count, &zero);
  if (count) __sync_fetch_and_add(count, 1);
  return ${verdict};
}
char LICENSE[] SEC("license") = "GPL";
`;

export interface Stranger {
  /** Packets it has counted so far. */
  count(): Promise<number>;
}

async function compile(name: string, folder: string, verdict: number): Promise<string> {
  const object = join(folder, `${name}.o`);
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const flags = ["-O2", "-g", "-target", "bpf", `-I/usr/include/${triplet}`];
  await exec(["clang", ...flags, "-x", "c", "-c", "-", "-o", object], { stdin: source(name, verdict) });
  return object;
}

/** Attaches a TCX program to the ingress of one end, for as long as the lab lives. */
export async function addTcxStranger(
  end: End,
  interfaceName: string,
  folder: string,
  verdict: number = VERDICT.next,
): Promise<Stranger> {
  const object = await compile("stranger", folder, verdict);
  const program = end.spawn([process.execPath, import.meta.path, object, interfaceName]);
  await waitFor(
    () => program.stdout.includes("\n") || !program.running,
    () => `the stranger did not start: ${program.stderr}`,
  );
  return { count: () => Promise.resolve(Number(program.stdout.trimEnd().split("\n").at(-1) ?? 0)) };
}

/** Attaches a clsact filter to the ingress of one end by tc, as an administrator would. */
export async function addClsactStranger(
  end: End,
  interfaceName: string,
  folder: string,
  place: readonly string[] = [],
): Promise<Stranger> {
  const name = "passerby";
  const object = await compile(name, folder, VERDICT.next);
  await end.exec(["tc", "qdisc", "add", "dev", interfaceName, "clsact"]);
  await end.exec([
    "tc",
    "filter",
    "add",
    "dev",
    interfaceName,
    "ingress",
    ...place,
    "bpf",
    "direct-action",
    "object-file",
    object,
    "section",
    "tc",
  ]);
  return {
    count: async () => {
      const { stdout } = await exec(["bpftool", "-j", "map", "dump", "name", `${name}_count`]);
      const [entry]: { formatted: { value: number } }[] = JSON.parse(stdout);
      return entry?.formatted.value ?? 0;
    },
  };
}

async function main(objectPath: string, interfaceName: string): Promise<void> {
  const bpf = libbpf();
  const bytes = new Uint8Array(await Bun.file(objectPath).arrayBuffer());
  const object = bpf.bpf_object__open_mem(bytes, bytes.length, null) as Pointer;
  if (bpf.bpf_object__load(object) < 0) throw new Error("the kernel refused the stranger");
  const program = bpf.bpf_object__find_program_by_name(object, cString("stranger")) as Pointer;
  const map = bpf.bpf_object__find_map_by_name(object, cString("stranger_count")) as Pointer;
  const link = bpf.bpf_link_create(
    bpf.bpf_program__fd(program),
    interfaceIndex(interfaceName),
    TCX_INGRESS,
    null,
  );
  if (link < 0) throw new Error(`the stranger could not attach: ${link}`);
  const mapFd = bpf.bpf_map__fd(map);
  const count = new BigUint64Array(1);
  for (;;) {
    bpf.bpf_map_lookup_elem(mapFd, new Uint32Array(1), count);
    process.stdout.write(`${count[0]}\n`);
    await Bun.sleep(REPORT_MS);
  }
}

if (import.meta.main) {
  const [object = "", interfaceName = ""] = process.argv.slice(2);
  await main(object, interfaceName);
}
