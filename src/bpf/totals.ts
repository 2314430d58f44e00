import { ENUMS, STRUCTS } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";

const CLASSES = ENUMS.ayaflow_class.AYAFLOW_CLASSES;
const DIRECTIONS = ENUMS.ayaflow_direction.AYAFLOW_DIRECTIONS;
const REASONS = ENUMS.ayaflow_lost.AYAFLOW_LOST_REASONS;
const U32 = 0x100000000;
const TOTALS_WORDS = STRUCTS.ayaflow_totals.size / 4;
const COUNTERS_WORDS = STRUCTS.ayaflow_counters.size / 4;
/** From packets to bytes. */
const BYTES_WORDS = STRUCTS.ayaflow_counters.bytes.offset / 4;
const LOST_WORDS = 2;

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
    this.totals = new Uint32Array(this.cpus * TOTALS_WORDS);
    this.lost = new Uint32Array(this.cpus * LOST_WORDS);
  }

  /** Sums over the CPUs for one row of the interface table and direction (0 ingress, 1 egress). */
  read(row: number, direction: number): ClassCounters {
    this.lookUp(row, direction);
    return Array.from({ length: CLASSES }, (_, index) => ({
      packets: this.sum(this.totals, index * COUNTERS_WORDS, TOTALS_WORDS),
      bytes: this.sum(this.totals, index * COUNTERS_WORDS + BYTES_WORDS, TOTALS_WORDS),
    }));
  }

  /** Sums over the CPUs, the classes and both directions for several rows of the interface table. */
  seen(rows: Iterable<number>): { packets: number; bytes: number } {
    let [packets, bytes] = [0, 0];
    for (const row of rows) {
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        this.lookUp(row, direction);
        // The classes lie one after the other, and so do the CPUs.
        for (let at = 0; at < this.totals.length; at += COUNTERS_WORDS) {
          packets += read64(this.totals, at);
          bytes += read64(this.totals, at + BYTES_WORDS);
        }
      }
    }
    return { packets, bytes };
  }

  /** Zeroes both directions of a row that nothing counts in any more. */
  clear(row: number): void {
    const zeros = new Uint32Array(this.totals.length);
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      this.index[0] = row * DIRECTIONS + direction;
      libbpf().bpf_map_update_elem(this.totalsFd, this.index, zeros, 0n);
    }
  }

  /** Losses by reason, index = ayaflow_lost. */
  losses(): number[] {
    return Array.from({ length: REASONS }, (_, reason) => this.loss(reason));
  }

  /** Losses for one reason of ayaflow_lost. */
  loss(reason: number): number {
    this.index[0] = reason;
    libbpf().bpf_map_lookup_elem(this.lostFd, this.index, this.lost);
    return this.sum(this.lost, 0, LOST_WORDS);
  }

  private lookUp(row: number, direction: number): void {
    this.index[0] = row * DIRECTIONS + direction;
    libbpf().bpf_map_lookup_elem(this.totalsFd, this.index, this.totals);
  }

  private sum(words: Uint32Array, at: number, stride: number): number {
    let sum = 0;
    for (let cpu = 0; cpu < this.cpus; cpu++) sum += read64(words, at + cpu * stride);
    return sum;
  }
}

function read64(words: Uint32Array, at: number): number {
  return (words[at + 1] ?? 0) * U32 + (words[at] ?? 0);
}
