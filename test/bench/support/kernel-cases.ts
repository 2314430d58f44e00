/** What is timed in the kernel: our program in each state of a connection and of raw mode, and the reference. */
import { Kernel } from "../../../src/bpf/kernel.ts";
import { ENUMS, STRUCTS } from "../../../src/bpf/layout.gen.ts";
import type { ObjectOptions } from "../../../src/bpf/object.ts";
import { ClassicRing, compileClassic, openClassic, RING_EVENTS } from "../reference/classic.ts";
import { compileVary, varied } from "../reference/vary.ts";
import { type Kind, KINDS, ROTATED, type Timed } from "./kernel-kinds.ts";
import { type Case, type Evidence, run, type Subject } from "./kernel-timing.ts";

/** Inspection off, and on with the connection named. */
export const INSPECTIONS = ["off", "on"] as const;
export type Inspection = (typeof INSPECTIONS)[number];
/** Whether the events are taken out before the ring is full, or it stays full. */
export const RINGS = ["drained", "full"] as const;
export type RingState = (typeof RINGS)[number];

/** Names of the cases, by what they are of. */
export const caseName = {
  empty: "empty",
  /** As the reference is timed: in batches that its ring takes. */
  emptyShort: "empty, short batches",
  cached: (kind: Kind, inspection: Inspection) => `${kind.name}, cached, inspection ${inspection}`,
  uncached: (kind: Kind, inspection: Inspection) => `${kind.name}, uncached, inspection ${inspection}`,
  fresh: (kind: Kind, inspection: Inspection) => `${kind.name}, new, inspection ${inspection}`,
  raw: (kind: Kind, ring: RingState) => `${kind.name}, raw mode, ring ${ring}`,
  reference: (kind: Kind, ring: RingState) => `${kind.name}, reference, ring ${ring}`,
} as const;

/** Of raw mode and of the reference, which knows IPv4 only. */
export const COMPARED_KINDS = KINDS.filter(({ family }) => family === "IPv4");

/** Loaded programs of each case. */
const COPIES = 4;
/** Slots of the table that the cases of new connections fill in a measurement: those that the agent has by default. */
export const NEW_CONNECTIONS = 65_536;
/** Of a record in the ring: an event and the kernel's header of 8 bytes. */
const RECORD_BYTES = STRUCTS.ayaflow_event.size + 8;
/** What the agent takes in raw mode, and the events that fit: one byte always stays free. */
const RAW_RING_BYTES = 16 << 20;
const RAW_RING_EVENTS = Math.floor((RAW_RING_BYTES - 1) / RECORD_BYTES);
const NEW_RING_BYTES = NEW_CONNECTIONS * RECORD_BYTES + 1;
const SMALL_RING_BYTES = 4096;
/** Runs after which the largest ring of those that are to be full is. */
const FILLING = RING_EVENTS + 1;
const UNBOUNDED = Number.MAX_SAFE_INTEGER;
const SMALL_TABLE: ObjectOptions = {
  maxConnections: KINDS.length * ROTATED,
  ringBytes: SMALL_RING_BYTES,
  rawMode: false,
  inspect: false,
};

/** Of cases that take as many runs as are wanted. */
const unbounded = { batch: UNBOUNDED, most: UNBOUNDED, empty: caseName.empty };

interface Opened {
  kernel: Kernel;
  /** What came out of its ring. */
  taken: { events: number; payloads: number; failure: unknown };
}

function openKernel(options: ObjectOptions): Opened {
  const taken = { events: 0, payloads: 0, failure: null as unknown };
  const kernel = Kernel.open(options, {
    event: () => void taken.events++,
    payload: () => void taken.payloads++,
    failed: (error) => {
      taken.failure = error;
    },
  });
  return { kernel, taken };
}

function drain({ kernel, taken }: Opened): void {
  kernel.ring.drain(UNBOUNDED);
  if (taken.failure !== null) throw taken.failure;
}

/** What our program counted of all packets; interfaces that are not watched share row 0. */
function counted({ kernel, taken }: Opened): Evidence {
  const classes = kernel.counters.read(0, ENUMS.ayaflow_direction.AYAFLOW_INGRESS);
  return {
    attributed: classes[ENUMS.ayaflow_class.AYAFLOW_ATTRIBUTED]?.packets ?? 0,
    events: taken.events,
    payloads: taken.payloads,
    lost: kernel.counters.losses().reduce((sum, count) => sum + count, 0),
  };
}

/** ... and what it counted on the connections in these slots, segments out of order apart. */
function countedOn({ kernel: { slots } }: Opened, numbers: readonly number[]): Evidence {
  const count = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  let [ofConnections, disordered] = [0, 0];
  for (const slot of numbers) {
    slots.counters(slot, count);
    ofConnections += count.packetsA + count.packetsB;
    const { retransmits, outOfOrder } = slots.detail(slot);
    disordered += retransmits[0] + retransmits[1] + outOfOrder[0] + outOfOrder[1];
  }
  return { ofConnections, disordered };
}

interface OwnCase {
  name: (kind: Kind) => string;
  kinds: readonly Kind[];
  options: Partial<ObjectOptions>;
  /** Which packets of the kind. */
  packets: "cached" | "uncached";
  ring?: RingState;
}

/** Opens the kernels of a case of our program, which all kinds share, each with connections of its own. */
function ownCases(
  stack: DisposableStack,
  vary: string,
  { name, kinds, options, packets, ring }: OwnCase,
): Case[] {
  const connections = packets === "cached" ? 1 : ROTATED;
  const opened = Array.from({ length: COPIES }, () => openKernel({ ...SMALL_TABLE, ...options }));
  for (const { kernel } of opened) stack.defer(() => kernel.close());
  return kinds.map((kind, order) => {
    const { frame, variation }: Timed = kind[packets];
    // Slots are taken in order.
    const slots = Array.from({ length: connections }, (_, index) => order * connections + index);
    const subjects = opened.map((one): Subject => {
      const own = one.kernel.programs.ayaflow_ingress;
      for (const [index, slot] of slots.entries()) {
        for (const opening of kind.opening(index)) run(own, opening);
        one.kernel.slots.stopInspection(slot);
        drain(one);
      }
      const { program, close } = varied(vary, variation, own);
      stack.defer(close);
      if (ring === "full") run(program, frame, FILLING);
      return {
        program,
        drain: () => (ring === "drained" ? drain(one) : undefined),
        evidence: () => ({ ...counted(one), ...countedOn(one, slots) }),
      };
    });
    const events = ring === "drained" ? 1 : 0;
    const lost = ring === "full" ? 1 : 0;
    const batch = ring === "drained" ? RAW_RING_EVENTS : UNBOUNDED;
    const each = { attributed: 1, ofConnections: 1, disordered: 0, events, payloads: 0, lost };
    return { ...unbounded, name: name(kind), frame, subjects, batch, each };
  });
}

/** Takes the connections of the first `used` slots out, the one opened last first: that leaves the free ones in order. */
function retireAll({ kernel }: Opened, used: number): void {
  for (let slot = 0; slot < used; slot++) kernel.retire(slot);
  for (let slot = used - 1; slot >= 0; slot--) kernel.free(slot);
}

/** Cases of new connections: each measurement finds a table without any, and may fill it. */
function newCases(stack: DisposableStack, vary: string, inspection: Inspection): Case[] {
  const options = { ...SMALL_TABLE, maxConnections: NEW_CONNECTIONS, ringBytes: NEW_RING_BYTES };
  const one = openKernel({ ...options, inspect: inspection === "on" });
  stack.defer(() => one.kernel.close());
  return KINDS.map((kind) => {
    const { frame, variation } = kind.fresh;
    const { program, close } = varied(vary, variation, one.kernel.programs.ayaflow_ingress);
    stack.defer(close);
    const subject: Subject = {
      program,
      drain: () => drain(one),
      evidence: () => counted(one),
      reset: (runs) => retireAll(one, runs),
    };
    const each = { attributed: 1, events: 1, payloads: 0, lost: 0 };
    return {
      ...unbounded,
      name: caseName.fresh(kind, inspection),
      frame,
      subjects: [subject],
      most: NEW_CONNECTIONS,
      each,
    };
  });
}

function referenceCases(stack: DisposableStack, vary: string, object: string, state: RingState): Case[] {
  const opened = Array.from({ length: COPIES }, () => {
    const classic = openClassic(object);
    stack.defer(() => classic.close());
    const taken = { events: 0 };
    const ring = new ClassicRing(classic.ringFd, () => void taken.events++);
    stack.defer(() => ring.close());
    return { classic, taken, ring };
  });
  return COMPARED_KINDS.map((kind) => {
    const { frame, variation } = kind.cached;
    const subjects = opened.map(({ classic, taken, ring }): Subject => {
      const { program, close } = varied(vary, variation, classic.programs.ingress);
      stack.defer(close);
      if (state === "full") run(program, frame, FILLING);
      return {
        program,
        drain: () => void (state === "drained" ? ring.drain(UNBOUNDED) : 0),
        evidence: () => ({ events: taken.events, lost: classic.lost() }),
      };
    });
    const isDrained = state === "drained";
    const each = { events: isDrained ? 1 : 0, lost: isDrained ? 0 : 1 };
    const batch = isDrained ? RING_EVENTS : UNBOUNDED;
    const empty = isDrained ? caseName.emptyShort : caseName.empty;
    return { name: caseName.reference(kind, state), empty, frame, subjects, batch, most: UNBOUNDED, each };
  });
}

function emptyCases(stack: DisposableStack, vary: string): Case[] {
  // Which packet it is makes no difference.
  return KINDS.slice(0, 1).flatMap(({ cached: { frame, variation } }) => {
    const subjects = Array.from({ length: COPIES }, (): Subject => {
      const { program, close } = varied(vary, variation, null);
      stack.defer(close);
      return { program, drain: () => undefined, evidence: () => ({}) };
    });
    return [
      { ...unbounded, name: caseName.empty, frame, subjects, each: {} },
      { ...unbounded, name: caseName.emptyShort, batch: RING_EVENTS, frame, subjects, each: {} },
    ];
  });
}

/** Opens every case; `stack` closes them. */
export async function openCases(stack: DisposableStack): Promise<Case[]> {
  const vary = await compileVary();
  const classic = await compileClassic();
  const own = (one: OwnCase) => ownCases(stack, vary, one);
  return [
    ...emptyCases(stack, vary),
    ...INSPECTIONS.flatMap((inspection) => {
      const inspect = inspection === "on";
      const cached = (kind: Kind) => caseName.cached(kind, inspection);
      const uncached = (kind: Kind) => caseName.uncached(kind, inspection);
      return [
        ...own({ name: cached, kinds: KINDS, options: { inspect }, packets: "cached" }),
        // One hint for all: it always names the connection before.
        ...own({ name: uncached, kinds: KINDS, options: { inspect, cacheEntries: 1 }, packets: "uncached" }),
        ...newCases(stack, vary, inspection),
      ];
    }),
    ...RINGS.flatMap((ring) => {
      const ringBytes = ring === "drained" ? RAW_RING_BYTES : SMALL_RING_BYTES;
      const name = (kind: Kind) => caseName.raw(kind, ring);
      return own({
        name,
        kinds: COMPARED_KINDS,
        options: { rawMode: true, ringBytes },
        packets: "cached",
        ring,
      });
    }),
    ...RINGS.flatMap((state) => referenceCases(stack, vary, classic, state)),
  ];
}
