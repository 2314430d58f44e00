/** Loads vary.bpf.c before a program that is to be timed. */
import { errnoName } from "../../../src/bpf/libc.ts";
import { libbpf } from "../../../src/bpf/libbpf.ts";
import { compiled, loadCompiled } from "./object.ts";

/** What differs from run to run: struct vary_knobs. Offsets are bytes of the frame, the numbers there big-endian. */
export interface Variation {
  addressOffset: number;
  addressBase: number;
  addressMask: number;
  sequenceOffset: number;
  sequenceShift: number;
  sequenceStep: number;
}

export interface Varied {
  /** What to run instead of the program. */
  program: number;
  close: () => void;
}

/** Compiles what `varied` loads. Returns the object's path. */
export async function compileVary(): Promise<string> {
  return await compiled("vary");
}

/** Puts `variation` before the program `target`; before an empty one where that is null. */
export function varied(object: string, variation: Variation, target: number | null): Varied {
  const knobs = Uint32Array.of(
    variation.addressOffset,
    variation.addressBase,
    variation.addressMask,
    variation.sequenceOffset,
    variation.sequenceShift,
    variation.sequenceStep,
  );
  const names = { programs: ["vary", "vary_empty"], maps: ["vary_target"] } as const;
  const { programs, maps, close } = loadCompiled(object, names, knobs);
  const next = new Uint32Array([target ?? programs.vary_empty]);
  const error = libbpf().bpf_map_update_elem(maps.vary_target, new Uint32Array(1), next, 0n);
  if (error < 0) {
    close();
    throw new Error(`cannot go on to the program under test: ${errnoName(error)}`);
  }
  return { program: programs.vary, close };
}
