/**
 * What a packet costs in the kernel: `bun test/bench/kernel.ts [--repeat N] [--json FILE]`, as root. N runs of a case
 * in a round, five million unless given. The time of an empty program in the same round is taken off.
 */
import { parseArgs } from "node:util";
import {
  caseName,
  COMPARED_KINDS,
  INSPECTIONS,
  type Inspection,
  NEW_CONNECTIONS,
  openCases,
  RINGS,
} from "./support/kernel-cases.ts";
import { type Kind, KINDS } from "./support/kernel-kinds.ts";
import { type Case, measure } from "./support/kernel-timing.ts";
import { inTurn, median } from "./support/measure.ts";
import { atMost, type Bound, publish, type Table } from "./support/report.ts";

const REPEAT = 5_000_000;
/** Below, the system call itself would show. */
const MIN_REPEAT = 100_000;
const ROUNDS = 9;
const BOUNDS = { cached: 15, uncached: 60, fresh: 500 } as const;
const BOUND_OF_REFERENCE = 0.25;

type Path = keyof typeof BOUNDS;
const PATHS: Readonly<Record<Path, string>> = {
  cached: "cached",
  uncached: "uncached",
  fresh: "new connection",
};

interface Figure {
  name: string;
  /** Nanoseconds of a packet less those of the empty program, the median and every round. */
  ns: number;
  rounds: number[];
}

interface Measured {
  emptyNs: number;
  figures: readonly Figure[];
  /** The figure of a case, by its name. */
  ns: (name: string) => number;
}

function repeatOf(text: string | boolean | undefined): number {
  const repeat = text === undefined ? REPEAT : Number(text);
  if (!Number.isInteger(repeat) || repeat < MIN_REPEAT)
    throw new Error(`--repeat ${text}: a whole number of at least ${MIN_REPEAT} is wanted`);
  return repeat;
}

/** Times every case ROUNDS times, in turn. */
function measureAll(cases: readonly Case[], repeat: number): Measured {
  const measured = inTurn(cases, ROUNDS, (one) => measure(one, repeat));
  const gross = new Map(cases.map(({ name }, index) => [name, measured[index] ?? []]));
  const figures = cases.map(({ name, empty }) => {
    const taken = gross.get(empty) ?? [];
    const rounds = (gross.get(name) ?? []).map((ns, round) => ns - (taken[round] ?? Number.NaN));
    return { name, ns: median(rounds), rounds };
  });
  const byName = new Map(figures.map(({ name, ns }) => [name, ns]));
  return {
    emptyNs: median(gross.get(caseName.empty) ?? []),
    figures,
    ns: (name) => byName.get(name) ?? Number.NaN,
  };
}

function ratio({ ns }: Measured, kind: Kind): number {
  return ns(caseName.cached(kind, "off")) / ns(caseName.reference(kind, "drained"));
}

function pathTable({ ns, emptyNs }: Measured, repeat: number): Table {
  const cell = (path: Path, kind: Kind, inspection: Inspection) =>
    ns(caseName[path](kind, inspection)).toFixed(1);
  return {
    title: "A packet in the kernel, ns",
    columns: ["", "inspection off", "on, connection named"],
    rows: KINDS.flatMap((kind) =>
      (Object.keys(PATHS) as Path[]).map((path) => [
        `${kind.name}, ${PATHS[path]}`,
        ...INSPECTIONS.map((inspection) => cell(path, kind, inspection)),
      ]),
    ),
    note:
      `BPF_PROG_TEST_RUN, medians of ${ROUNDS} rounds of ${repeat} runs in turn (${NEW_CONNECTIONS} at most of new ` +
      `connections), less the ${emptyNs.toFixed(1)} ns of an empty program`,
  };
}

function eventTable(measured: Measured): Table {
  const { ns } = measured;
  return {
    title: "An event for each packet, ns",
    columns: [
      "",
      "no event",
      ...RINGS.map((ring) => `raw mode, ring ${ring}`),
      ...RINGS.map((ring) => `reference, ring ${ring}`),
      "no event / reference",
    ],
    rows: COMPARED_KINDS.map((kind) => [
      kind.name,
      ns(caseName.cached(kind, "off")).toFixed(1),
      ...RINGS.map((ring) => ns(caseName.raw(kind, ring)).toFixed(1)),
      ...RINGS.map((ring) => ns(caseName.reference(kind, ring)).toFixed(1)),
      ratio(measured, kind).toFixed(2),
    ]),
    note:
      "cached, inspection off. The rings are drained between batches that fill them, outside the time taken: " +
      "the reference wakes its reader once a batch, not once an event as with a reader that keeps up",
  };
}

/** The slowest case of a path must keep its bound. */
function pathBound(path: Path, { ns }: Measured): Bound {
  const names = KINDS.flatMap((kind) => INSPECTIONS.map((inspection) => caseName[path](kind, inspection)));
  const slowest = names.reduce((one, other) => (ns(other) > ns(one) ? other : one));
  return atMost(`a packet, slowest of ${names.length}: ${slowest}`, ns(slowest), BOUNDS[path], "ns");
}

const { values } = parseArgs({ options: { repeat: { type: "string" } }, strict: false });
const repeat = repeatOf(values.repeat);
using stack = new DisposableStack();
const measured = measureAll(await openCases(stack), repeat);
await publish({
  name: "kernel",
  tables: [pathTable(measured, repeat), eventTable(measured)],
  bounds: [
    ...(Object.keys(PATHS) as Path[]).map((path) => pathBound(path, measured)),
    ...COMPARED_KINDS.map((kind) =>
      atMost(`${kind.name}, cached`, ratio(measured, kind), BOUND_OF_REFERENCE, "of the reference", 2),
    ),
  ],
  figures: { rounds: ROUNDS, repeat, emptyNs: measured.emptyNs, cases: measured.figures },
});
