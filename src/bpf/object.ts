import { type Pointer, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";
import { AyaflowError } from "../errors.ts";
import { BPF_OBJECT } from "./assets.ts";
import { STRUCTS } from "./layout.gen.ts";
import { cString, errno, errnoName, pageSize } from "./libc.ts";
import { libbpf, takeMessages } from "./libbpf.ts";

export const PROGRAMS = [
  "ayaflow_ingress",
  "ayaflow_egress",
  "ayaflow_in_l3",
  "ayaflow_out_l3",
  "ayaflow_clock",
  "ayaflow_fill",
] as const;
export type ProgramName = (typeof PROGRAMS)[number];

export const MAPS = [
  "ayaflow_slots",
  "ayaflow_flows",
  "ayaflow_free",
  "ayaflow_cache",
  "ayaflow_ifaces",
  "ayaflow_totals",
  "ayaflow_lost",
  "ayaflow_events",
  "ayaflow_control",
] as const;
export type MapName = (typeof MAPS)[number];

export interface ObjectOptions {
  /** Slots of the connection table. */
  maxConnections: number;
  /** Ring buffer size; rounded up to a power of two of at least one page. */
  ringBytes: number;
  /** Push every packet as an event. */
  rawMode: boolean;
  /** Hand payload to userspace. */
  inspect: boolean;
  /** Entries of the hint cache, rounded up to a power of two; by the number of slots unless given. */
  cacheEntries?: number;
}

/** A loaded object: programs and maps by file descriptor, gone when closed. */
export interface BpfObject {
  programs: Record<ProgramName, number>;
  maps: Record<MapName, number>;
  ringBytes: number;
  close(): void;
}

// struct bpf_object_open_opts up to and including object_name.
const OPEN_OPTS_BYTES = 16;
/** Elements kept spare in FLOWS: a hash gives a freed element back to one CPU's list first. */
const SPARE_FLOWS = 1024;
/** Hint entries per connection; at two, four of five connections have an entry to themselves. */
const CACHE_FACTOR = 2;

/** The smallest power of two that is `value` or more. */
export function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

function remedy(code: number): string {
  switch (errnoName(code)) {
    case "EPERM":
      return (
        " Run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON;" +
        " before Linux 5.11 also raise RLIMIT_MEMLOCK (ulimit -l unlimited)."
      );
    case "EACCES":
      return " Run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON.";
    case "ENOMEM":
      return " Not enough (locked) memory: lower --max-connections or raise RLIMIT_MEMLOCK.";
    case "ENOSYS":
      return " This kernel has no BPF; 5.10 or newer with CONFIG_BPF_SYSCALL is needed.";
    default:
      return " `ayaflow doctor` tells what is missing.";
  }
}

function failure(what: string, code: number): AyaflowError {
  const said = takeMessages();
  // Without the privilege libbpf guesses at other causes.
  const detail = said === "" || errnoName(code) === "EPERM" ? "" : `\n${said}`;
  return new AyaflowError(`${what}: ${errnoName(code)}.${remedy(code)}${detail}`);
}

function byName<N extends string>(names: readonly N[], value: (name: N) => number): Record<N, number> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, number>;
}

function openObject(): Pointer {
  const bytes = readFileSync(BPF_OBJECT);
  const name = cString("ayaflow");
  const opts = new BigUint64Array([BigInt(OPEN_OPTS_BYTES), BigInt(ptr(name))]);
  const object = libbpf().bpf_object__open_mem(bytes, bytes.length, opts);
  if (object === null) throw failure("cannot read the built-in BPF object", errno());
  return object as Pointer;
}

/** Loads the built-in object into the kernel. @throws AyaflowError with the verifier's words. */
export function loadObject(options: ObjectOptions): BpfObject {
  const bpf = libbpf();
  const object = openObject();
  try {
    const map = (name: string): Pointer => {
      const found = bpf.bpf_object__find_map_by_name(object, cString(name));
      if (found === null) throw new AyaflowError(`the built-in BPF object has no map ${name}`);
      return found as Pointer;
    };
    const cacheEntries = powerOfTwo(options.cacheEntries ?? options.maxConnections * CACHE_FACTOR);
    const ringBytes = Math.max(pageSize, powerOfTwo(options.ringBytes));
    const sizes: [MapName, number][] = [
      ["ayaflow_slots", options.maxConnections],
      ["ayaflow_flows", options.maxConnections + SPARE_FLOWS],
      ["ayaflow_free", options.maxConnections],
      ["ayaflow_cache", cacheEntries],
      ["ayaflow_events", ringBytes],
    ];
    for (const [name, entries] of sizes) bpf.bpf_map__set_max_entries(map(name), entries);
    const knobs = new Uint32Array(STRUCTS.ayaflow_knobs.size / 4);
    knobs[STRUCTS.ayaflow_knobs.cache_mask.offset / 4] = cacheEntries - 1;
    knobs[STRUCTS.ayaflow_knobs.raw_mode.offset / 4] = options.rawMode ? 1 : 0;
    knobs[STRUCTS.ayaflow_knobs.inspect.offset / 4] = options.inspect ? 1 : 0;
    const refused = bpf.bpf_map__set_initial_value(map("ayaflow.rodata"), knobs, knobs.byteLength);
    if (refused < 0) throw failure("cannot set the BPF object's constants", refused);
    const error = bpf.bpf_object__load(object);
    if (error < 0) throw failure("the kernel refused the BPF programs", error);
    takeMessages();
    return {
      programs: byName(PROGRAMS, (name) => {
        const program = bpf.bpf_object__find_program_by_name(object, cString(name));
        return program === null ? -1 : bpf.bpf_program__fd(program);
      }),
      maps: byName(MAPS, (name) => bpf.bpf_map__fd(map(name))),
      ringBytes,
      close: () => bpf.bpf_object__close(object),
    };
  } catch (error) {
    bpf.bpf_object__close(object);
    throw error;
  }
}
