/** BPF objects of the benchmarks' own: compiled into dist/bench when the source is newer, loaded by the agent's libbpf. */
import { type Pointer, ptr } from "bun:ffi";
import { readFileSync, renameSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { compileObject } from "../../../bpf/compile.ts";
import { cString, errno, errnoName } from "../../../src/bpf/libc.ts";
import { libbpf, takeMessages } from "../../../src/bpf/libbpf.ts";
import { ROOT } from "../../support/command.ts";
import { RESULTS } from "../support/report.ts";

/** Debian's folders of architecture headers, by Node's name of the architecture. */
const TRIPLETS: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
// struct bpf_object_open_opts up to and including object_name.
const OPEN_OPTS_BYTES = 16;

export interface LoadedObject<P extends string, M extends string> {
  /** Descriptors of the programs and maps, by name. */
  programs: Record<P, number>;
  maps: Record<M, number>;
  close: () => void;
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Compiles `NAME.bpf.c` of this folder unless its object is newer. Returns the object's path. */
export async function compiled(name: string): Promise<string> {
  const source = join(import.meta.dir, `${name}.bpf.c`);
  const object = join(RESULTS, `${basename(source, ".c")}.o`);
  if (modified(object) > modified(source)) return object;
  const triplet = TRIPLETS[process.arch];
  if (triplet === undefined) throw new Error(`no headers are known for ${process.arch}`);
  await mkdir(RESULTS, { recursive: true });
  // Another process may be doing the same.
  const own = `${object}.${process.pid}`;
  await compileObject(relative(ROOT, source), own, `/usr/include/${triplet}`);
  renameSync(own, object);
  return object;
}

/**
 * Loads a compiled object with its programs and maps of these names. `constants` are what its `const volatile`
 * variables hold. Throws with the verifier's words.
 */
export function loadCompiled<P extends string, M extends string>(
  path: string,
  names: { programs: readonly P[]; maps: readonly M[] },
  constants?: Uint32Array,
): LoadedObject<P, M> {
  const bpf = libbpf();
  const bytes = readFileSync(path);
  const name = cString(basename(path, ".bpf.o"));
  const opts = new BigUint64Array([BigInt(OPEN_OPTS_BYTES), BigInt(ptr(name))]);
  const object = bpf.bpf_object__open_mem(bytes, bytes.length, opts) as Pointer | null;
  if (object === null) throw new Error(`cannot read ${path}: ${errnoName(errno())}`);
  const map = (of: string): Pointer => {
    const found = bpf.bpf_object__find_map_by_name(object, cString(of));
    if (found === null) throw new Error(`${path} has no map ${of}`);
    return found as Pointer;
  };
  const program = (of: string): number => {
    const found = bpf.bpf_object__find_program_by_name(object, cString(of));
    if (found === null) throw new Error(`${path} has no program ${of}`);
    return bpf.bpf_program__fd(found);
  };
  const byName = <N extends string>(all: readonly N[], value: (of: N) => number) =>
    Object.fromEntries(all.map((of) => [of, value(of)])) as Record<N, number>;
  try {
    if (constants !== undefined) {
      const refused = bpf.bpf_map__set_initial_value(map(".rodata"), constants, constants.byteLength);
      if (refused < 0) throw new Error(`cannot set the constants of ${path}: ${errnoName(refused)}`);
    }
    const error = bpf.bpf_object__load(object);
    const said = takeMessages();
    if (error < 0) throw new Error(`the kernel refused ${path}: ${errnoName(error)}\n${said}`);
    return {
      programs: byName(names.programs, program),
      maps: byName(names.maps, (of) => bpf.bpf_map__fd(map(of))),
      close: () => bpf.bpf_object__close(object),
    };
  } catch (error) {
    bpf.bpf_object__close(object);
    throw error;
  }
}
