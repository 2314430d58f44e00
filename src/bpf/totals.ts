import { ENUMS, STRUCTS } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";

const CLASSES = ENUMS.ayaflow_class.AYAFLOW_CLASSES;
const DIRECTIONS = ENUMS.ayaflow_direction.AYAFLOW_DIRECTIONS;
const REASONS = ENUMS.ayaflow_lost.AYAFLOW_LOST_REASONS;
const U32 = 0x100000000;

/** Packets and bytes by class of one interface and direction, index = ayaflow_class. */
export type ClassCounters = { packets: number; bytes: number }[];

/** The most CPUs a kernel can be built for (CONFIG_NR_CPUS). */
const MAX_CPUS = 8192;
const UNWRITTEN = 0xffff_ffff_ffff_ffffn;

/** Possible CPUs, by how much the kernel writes for one per-CPU counter: /sys, which would say, may be absent. */
function possibleCpus(mapFd: number): number {
  const values = new BigUint64Array(MAX_CPUS).fill(UNWRITTEN);
  libbpf().bpf_map_lookup_elem(mapFd, new Uint32Array(1), values);
  const written = values.indexOf(UNWRITTEN);
  return written === -1 ? MAX_CPUS : written;
}

/** Reader of the per-CPU counter arrays. */
export class PerCpuCounters {
  private readonly cpus: number;
  private readonly index = new Uint32Array(1);
  private readonly totals: Uint32Array;
  private readonly lost: Uint32Array;

  constructor(
    private readonly totalsFd: number,
    private readonly lostFd: number,
  ) {
    this.cpus = possibleCpus(lostFd);
    this.totals = new Uint32Array((this.cpus * STRUCTS.ayaflow_totals.size) / 4);
    this.lost = new Uint32Array(this.cpus * 2);
  }

  /** Sums over the CPUs for one row of the interface table and direction (0 ingress, 1 egress). */
  read(row: number, direction: number): ClassCounters {
    this.index[0] = row * DIRECTIONS + direction;
    libbpf().bpf_map_lookup_elem(this.totalsFd, this.index, this.totals);
    return Array.from({ length: CLASSES }, (_, index) => {
      const at = (index * STRUCTS.ayaflow_counters.size) / 4;
      const stride = STRUCTS.ayaflow_totals.size / 4;
      return { packets: this.sum(this.totals, at, stride), bytes: this.sum(this.totals, at + 2, stride) };
    });
  }

  /** Losses by reason, index = ayaflow_lost. */
  losses(): number[] {
    return Array.from({ length: REASONS }, (_, reason) => {
      this.index[0] = reason;
      libbpf().bpf_map_lookup_elem(this.lostFd, this.index, this.lost);
      return this.sum(this.lost, 0, 2);
    });
  }

  private sum(words: Uint32Array, at: number, stride: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      const word = cpu * stride + at;
      sum += (words[word + 1] ?? 0) * U32 + (words[word] ?? 0);
    }
    return sum;
  }
}
