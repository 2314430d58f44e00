import { concat } from "../support/bytes.ts";
import type { Random } from "./random.ts";

/** Past what any parser looks at. */
const MAX_LENGTH = 20_000;
const MAX_RUN = 64;
/** Where parsers look for something else: ends of ranges, line ends, blanks, marks of TLS and DNS. */
const BYTES = [0, 1, 2, 3, 9, 10, 13, 0x16, 0x20, 0x2e, 0x3a, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
/** One in so many inputs is left as it is. */
const UNTOUCHED = 16;

type Mutation = (bytes: Uint8Array, random: Random, seeds: readonly Uint8Array[]) => Uint8Array;

/** A copy in which `change` has been at work. */
function changed(bytes: Uint8Array, change: (copy: Uint8Array, at: number) => void, at: number): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) change(copy, at);
  return copy;
}

function run(bytes: Uint8Array, random: Random): [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  return [start, Math.min(bytes.length, start + random.between(1, MAX_RUN))];
}

/** A big-endian number of one, two or three bytes becomes one that a length could wrongly be. */
function length(bytes: Uint8Array, random: Random): Uint8Array {
  const size = random.between(1, 3);
  const at = random.below(bytes.length - size + 1);
  if (at < 0 || at + size > bytes.length) return bytes;
  let before = 0;
  for (let i = 0; i < size; i++) before = before * 256 + (bytes[at + i] ?? 0);
  const left = bytes.length - at - size;
  const value = random.pick([0, 1, before - 1, before + 1, left, left - 1, left + 1, 256 ** size - 1]);
  const copy = bytes.slice();
  for (let i = 0; i < size; i++) copy[at + i] = Math.floor(value / 256 ** (size - 1 - i)) & 0xff;
  return copy;
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) =>
    changed(bytes, (copy, at) => (copy[at]! ^= 1 << random.below(8)), random.below(bytes.length)),
  (bytes, random) =>
    changed(bytes, (copy, at) => (copy[at] = random.pick(BYTES)), random.below(bytes.length)),
  (bytes, random) => changed(bytes, (copy, at) => (copy[at] = random.u32()), random.below(bytes.length)),
  length,
  length,
  (bytes, random) => {
    const [start, end] = run(bytes, random);
    return concat(bytes.subarray(0, start), bytes.subarray(end));
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return concat(bytes.subarray(0, at), random.bytes(random.between(1, 8)), bytes.subarray(at));
  },
  (bytes, random) => {
    const [start, end] = run(bytes, random);
    return concat(bytes.subarray(0, end), bytes.subarray(start));
  },
  (bytes, random) => {
    const [start, end] = run(bytes, random);
    return changed(bytes, (copy) => copy.fill(random.pick(BYTES), start, end), 0);
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random, seeds) => {
    const other = random.pick(seeds);
    return concat(
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length + 1)),
    );
  },
];

/** A run of bytes again and again: what is bounded only by how much comes. */
function repeated(bytes: Uint8Array, random: Random): Uint8Array {
  const [start, end] = run(bytes, random);
  if (start === end) return bytes;
  const part = bytes.subarray(start, end);
  const times = random.below(Math.ceil(MAX_LENGTH / part.length));
  const parts = Array.from({ length: times }, () => part);
  return concat(bytes.subarray(0, end), ...parts, bytes.subarray(end));
}

/** One of `seeds` with a few things wrong about it, now and then with nothing wrong. At most 20,000 bytes. */
export function mutated(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  let bytes = random.pick(seeds);
  if (random.oneIn(UNTOUCHED)) return bytes;
  // Few changes are the likelier: deep in a parser one of them has to be wrong, and the rest right.
  const times = random.below(random.pick([1, 2, 4, 12])) + 1;
  for (let time = 0; time < times; time++) bytes = random.pick(MUTATIONS)(bytes, random, seeds);
  if (random.oneIn(64)) bytes = repeated(bytes, random);
  return bytes.length > MAX_LENGTH ? bytes.slice(0, MAX_LENGTH) : bytes;
}

/** `bytes` in order, cut at random into at most `most` parts, of which some may be empty. */
export function split(random: Random, bytes: Uint8Array, most: number): Uint8Array[] {
  const cuts = Array.from({ length: random.below(most) }, () => random.below(bytes.length + 1));
  const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
