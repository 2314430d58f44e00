/** Targets with the faults that fuzzing has to find: they say whether it would. */
import type { Target } from "./target.ts";

const MEBIBYTE = 1024 * 1024;
const STUMBLING_BLOCK = 0xab;
const STUCK_AT = 5;
const kept: Uint8Array[] = [];
let inputs = 0;

export const TARGETS: readonly Target[] = [
  {
    name: "throws",
    make: (random) => [random.bytes(1)],
    check([bytes]) {
      if (bytes?.[0] === STUMBLING_BLOCK) throw new RangeError("stumbled");
    },
  },
  {
    name: "hangs",
    make: () => [],
    check() {
      // Endless for whoever does not look at the clock for an hour.
      const end = performance.now() + 3_600_000;
      if (inputs++ === STUCK_AT) while (performance.now() < end);
    },
  },
  {
    name: "grows",
    make: () => [],
    check: () => void kept.push(new Uint8Array(MEBIBYTE / 64)),
  },
];
