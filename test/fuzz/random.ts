const STEP = 0x6d2b79f5;

/** The finalizer of MurmurHash3: another number of 32 bits for each. */
function mixed(value: number): number {
  let mix = value | 0;
  mix = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}

/** Random numbers that are the same for the same seed (mulberry32). */
export class Random {
  private state: number;

  /** Each `index` of a seed has numbers of its own: any input can be made again without those before it. */
  constructor(seed: number, index = 0) {
    this.state = mixed(mixed(seed) ^ (index + STEP));
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    this.state = (this.state + STEP) | 0;
    let value = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }

  /** 0 to `end` - 1; 0 for an `end` of 0. */
  below(end: number): number {
    return Math.floor((this.u32() / 2 ** 32) * end);
  }

  /** `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new RangeError("there is nothing to pick from");
    return one;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff);
  }
}
