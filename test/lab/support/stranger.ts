/** Somebody else's TCX program on the same hook: run in a namespace, it counts packets and prints the count. */
import { type Pointer } from "bun:ffi";
import { join } from "node:path";
import { cString, interfaceIndex } from "../../../src/bpf/libc.ts";
import { libbpf } from "../../../src/bpf/libbpf.ts";
import type { End } from "./lab.ts";
import { exec, type Program } from "./process.ts";
import { waitFor } from "./wait.ts";

const TCX_INGRESS = 46;
const REPORT_MS = 50;

const SOURCE = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} stranger_count SEC(".maps");
SEC("tc") int stranger(struct __sk_buff *skb) {
  __u32 zero = 0;
  __u64 *count = bpf_map_lookup_elem(&stranger_count, &zero);
  if (count) __sync_fetch_and_add(count, 1);
  return -1;
}
char LICENSE[] SEC("license") = "GPL";
`;

export interface Stranger {
  program: Program;
  /** Packets it has counted so far. */
  count(): number;
}

/** Compiles the program and attaches it to the ingress of one end, for as long as the lab lives. */
export async function addStranger(end: End, interfaceName: string, folder: string): Promise<Stranger> {
  const object = join(folder, "stranger.o");
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const include = `-I/usr/include/${triplet}`;
  await exec(["clang", "-O2", "-g", "-target", "bpf", include, "-x", "c", "-c", "-", "-o", object], { stdin: SOURCE });
  const program = end.spawn([process.execPath, import.meta.path, object, interfaceName]);
  const count = () => Number(program.stdout.trimEnd().split("\n").at(-1) ?? 0);
  await waitFor(
    () => program.stdout.includes("\n") || !program.running,
    () => `the stranger did not start: ${program.stderr}`,
  );
  return { program, count };
}

async function main(objectPath: string, interfaceName: string): Promise<void> {
  const bpf = libbpf();
  const bytes = new Uint8Array(await Bun.file(objectPath).arrayBuffer());
  const object = bpf.bpf_object__open_mem(bytes, bytes.length, null) as Pointer;
  if (bpf.bpf_object__load(object) < 0) throw new Error("the kernel refused the stranger");
  const program = bpf.bpf_object__find_program_by_name(object, cString("stranger")) as Pointer;
  const map = bpf.bpf_object__find_map_by_name(object, cString("stranger_count")) as Pointer;
  const link = bpf.bpf_link_create(bpf.bpf_program__fd(program), interfaceIndex(interfaceName), TCX_INGRESS, null);
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
