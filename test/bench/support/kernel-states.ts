/** The kernel side under BPF_PROG_TEST_RUN, once for each state that inspection can have a connection in. */
import { Kernel } from "../../../src/bpf/kernel.ts";
import { ENUMS } from "../../../src/bpf/layout.gen.ts";
import { runProgram } from "../../../src/bpf/test-run.ts";
import { type Traffic, traffic } from "./kernel-frames.ts";
import { inTurn, lowerQuartile, mean, median } from "./measure.ts";

/** Inspection off; off, to tell chance; on and the connection named; on and its budget spent; on and copying. */
export const STATES = ["off", "off again", "named", "spent", "copying"] as const;
export type State = (typeof STATES)[number];

export interface StateCost {
  name: string;
  /** Nanoseconds of one packet less those of the empty program; null where there is no payload to copy. */
  ns: Record<State, number | null>;
}

export interface StateCosts {
  /** Nanoseconds of the empty program: ayaflow_fill with nothing left to fill, one look-up and a return. */
  emptyNs: number;
  rows: StateCost[];
}

/** One program in several kernels: where the JIT and the maps lie in memory makes as much as 10% of difference. */
interface Stage {
  state: State | "empty";
  kernels: readonly Kernel[];
  program: "ayaflow_ingress" | "ayaflow_fill";
  /** Runs of a batch. */
  repeat: number;
  /** Payloads that userspace has got. */
  payloads: { count: number };
}

const LIMIT = ENUMS.ayaflow_limit;
const PAYLOAD_LOST = ENUMS.ayaflow_lost.AYAFLOW_LOST_RING_PAYLOAD;
const CONNECTIONS = 64;
const KERNELS = 4;
const RING_BYTES = 8 << 20;
/** As many copied payloads of 1400 bytes as the ring holds, about. */
const COPIES = 5000;
/** Of each kernel and round, the ring drained between. */
const BATCHES = 5;

function run(kernel: Kernel, program: Stage["program"], frame: Uint8Array, repeat: number): void {
  const { error } = runProgram(kernel.programs[program], frame, undefined, repeat);
  if (error !== 0) throw new Error(`BPF_PROG_TEST_RUN: ${error}`);
}

function openStage(state: State, repeat: number): Stage {
  const payloads = { count: 0 };
  const handlers = {
    event: () => undefined,
    payload: () => void payloads.count++,
    failed: (error: unknown) => {
      throw error;
    },
  };
  const inspect = state !== "off" && state !== "off again";
  const options = { maxConnections: CONNECTIONS, ringBytes: RING_BYTES, rawMode: false, inspect };
  const kernels = Array.from({ length: KERNELS }, () => Kernel.open(options, handlers));
  const batch = state === "copying" ? COPIES : Math.round(repeat / KERNELS / BATCHES);
  return { state, kernels, program: "ayaflow_ingress", payloads, repeat: batch };
}

function drain(kernel: Kernel): void {
  kernel.ring.drain(Number.MAX_SAFE_INTEGER);
}

/** Opens the connection of `one`, the next in slot `slot`, and brings it into the stage's state. */
function prepare({ state, kernels, program, payloads }: Stage, one: Traffic, slot: number): void {
  for (const kernel of kernels) {
    for (const frame of one.opening) run(kernel, program, frame, 1);
    const data = one.opening.at(-1);
    if (state === "spent" && data !== undefined) run(kernel, program, data, LIMIT.AYAFLOW_INSPECT_PACKETS);
    if (state === "named") kernel.slots.stopInspection(slot);
    if (state === "copying") kernel.slots.inspectAlways(slot);
    drain(kernel);
  }
  payloads.count = 0;
}

/** Nanoseconds of processor that this process has had: what others of the machine take is not in it. */
function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds of a run in the fastest batch: interrupts, and what shares the processor's core, only ever add. */
function time({ program, repeat }: Stage, kernel: Kernel, frame: Uint8Array): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    const started = cpuNs();
    run(kernel, program, frame, repeat);
    fastest = Math.min(fastest, cpuNs() - started);
    drain(kernel);
  }
  return fastest / repeat;
}

/** Throws unless the stage that copies, and no other, has handed over its payloads, and all of them. */
function check({ state, kernels, repeat, payloads }: Stage, rounds: number, one: Traffic): void {
  const isCopied = state === "copying" && one.payloadBytes > 0;
  const expected = isCopied ? repeat * BATCHES * rounds * kernels.length : 0;
  const lost = kernels.some(({ counters }) => counters.losses()[PAYLOAD_LOST] !== 0);
  if (payloads.count !== expected || lost)
    throw new Error(`${one.name}, ${state}: ${payloads.count} payloads of ${expected} came`);
}

interface Measured {
  emptyNs: number;
  cost: StateCost;
}

function measure(
  stages: readonly Stage[],
  empty: Stage,
  one: Traffic,
  slot: number,
  rounds: number,
): Measured {
  for (const stage of stages) prepare(stage, one, slot);
  const used = [empty, ...stages.filter(({ state }) => state !== "copying" || one.payloadBytes > 0)];
  const cases = used.flatMap((stage) => stage.kernels.map((kernel) => ({ stage, kernel })));
  const measured = inTurn(cases, rounds, ({ stage, kernel }) => time(stage, kernel, one.measured));
  for (const stage of stages) check(stage, rounds, one);
  const gross = (state: Stage["state"]) =>
    mean(measured.filter((_, index) => cases[index]?.stage.state === state).map(lowerQuartile));
  const emptyNs = gross("empty");
  const isUsed = (state: State) => used.some((stage) => stage.state === state);
  const ns = Object.fromEntries(
    STATES.map((state) => [state, isUsed(state) ? gross(state) - emptyNs : null]),
  ) as StateCost["ns"];
  return { emptyNs, cost: { name: one.name, ns } };
}

/**
 * What a packet costs in each state: the mean over its kernels of the lower quartile of `rounds` rounds. A round has
 * `repeat` runs of each state, fewer of copying. All kernels are open at the same time and take turns.
 */
export function stateCosts(rounds: number, repeat: number): StateCosts {
  const stages = STATES.map((state) => openStage(state, repeat));
  try {
    const [off] = stages;
    if (off === undefined) throw new Error("no states");
    const empty: Stage = { ...off, state: "empty", program: "ayaflow_fill" };
    const measured = traffic().map((one, slot) => measure(stages, empty, one, slot, rounds));
    return {
      emptyNs: median(measured.map(({ emptyNs }) => emptyNs)),
      rows: measured.map(({ cost }) => cost),
    };
  } finally {
    for (const { kernels } of stages) for (const kernel of kernels) kernel.close();
  }
}
