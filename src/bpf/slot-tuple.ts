import { ENUMS, STRUCTS } from "./layout.gen.ts";

/** Words of a key before `meta`. */
const META_WORD = STRUCTS.ayaflow_key.meta.offset / 4;
/** What of `meta` is not the interface. */
const TUPLE_META = (1 << ENUMS.ayaflow_meta.AYAFLOW_META_IFINDEX_SHIFT) - 1;
/** Factors that `tupleHash` takes. */
export const TUPLE_PARTS = META_WORD * 2 + 1;

/**
 * A hash of the addresses, ports, family and protocol of the key at `at`: a sum of their 16-bit parts times `factors`,
 * TUPLE_PARTS random ones. Its high bits count (multiply-shift, Dietzfelbinger 1996): who does not know the factors
 * cannot make collisions.
 */
export function tupleHash(words: Uint32Array, at: number, factors: Int32Array): number {
  let sum = Math.imul((words[at + META_WORD] ?? 0) & TUPLE_META, factors[TUPLE_PARTS - 1] ?? 0);
  for (let index = 0; index < META_WORD; index++) {
    const word = words[at + index] ?? 0;
    sum = (sum + Math.imul(word & 0xffff, factors[index * 2] ?? 0)) | 0;
    sum = (sum + Math.imul(word >>> 16, factors[index * 2 + 1] ?? 0)) | 0;
  }
  return sum >>> 0;
}

/** Whether two keys differ in the interface alone, or not at all. */
export function isSameTuple(first: Uint32Array, at: number, second: Uint32Array, to: number): boolean {
  for (let index = 0; index < META_WORD; index++) {
    if (first[at + index] !== second[to + index]) return false;
  }
  return (((first[at + META_WORD] ?? 0) ^ (second[to + META_WORD] ?? 0)) & TUPLE_META) === 0;
}
