/** The same load past each subject: by rate, by number of connections, and by size of frames. */
import type { StatsAnswer } from "../../lab/support/answers.ts";
import { createLab, type Lab } from "../../lab/support/lab.ts";
import { waitFor } from "../../lab/support/wait.ts";
import {
  FULL_FRAME,
  generate,
  type Load,
  SMALL_FRAME,
  type TrafficFile,
  writeConnections,
} from "./generator.ts";
import { latencyRun, type LoadRun, loadRun } from "./load-run.ts";
import type { Latencies } from "./probe.ts";
import { attach, type Subject, SUBJECTS, type SubjectName } from "./subjects.ts";

/** One kind of load. */
export interface Point {
  connections: number;
  frameBytes: number;
  /** Packets a second; null for as fast as it goes. */
  rate: number | null;
}

export interface SweepRow extends Point, LoadRun {
  /** Packets or events that the subject says it lost; null where it does not say. */
  lost: number | null;
  /** Of a run of its own; null where there was none. */
  latencies: Latencies | null;
}

/** Whole seconds of a run. */
export interface Durations {
  ours: number;
  classic: number;
  tools: number;
  latency: number;
}

const MANY = 10_000;
export const RATES: readonly (number | null)[] = [50_000, 100_000, 200_000, 400_000, null];
/** Ordered by connections: the agent stays for those of the same number. */
export const POINTS: readonly Point[] = [
  { connections: 100, frameBytes: SMALL_FRAME, rate: null },
  ...RATES.map((rate) => ({ connections: MANY, frameBytes: SMALL_FRAME, rate })),
  { connections: MANY, frameBytes: FULL_FRAME, rate: null },
  { connections: 50_000, frameBytes: SMALL_FRAME, rate: null },
];
/** A window of history and what it takes to write its rows. */
const FIRST_ROWS_MS = 15_000;
const WARM_UP_SECONDS = 8;
const WARM_UP_RATE = 50_000;

function isFor(point: Point, rate: number | null, connections: number): boolean {
  return point.rate === rate && point.connections === connections && point.frameBytes === SMALL_FRAME;
}

/** Where the API is asked too: little to do, most packets, most connections. */
function isProbed(point: Point): boolean {
  return isFor(point, RATES[0] ?? null, MANY) || isFor(point, null, MANY) || isFor(point, null, 50_000);
}

/** The row of `point` in what was measured of `subject`. */
export function rowOf(rows: readonly SweepRow[], subject: SubjectName, point: Point): SweepRow {
  const found = rows.find(
    (row) =>
      row.subject === subject &&
      row.connections === point.connections &&
      row.frameBytes === point.frameBytes &&
      row.rate === point.rate,
  );
  if (found === undefined) throw new Error(`${subject} was not measured at ${JSON.stringify(point)}`);
  return found;
}

function loadOf(file: TrafficFile, { rate }: Point, seconds: number): Load {
  return { file, amount: { seconds }, ...(rate === null ? {} : { rate }) };
}

async function measureOurs(
  lab: Lab,
  subject: Subject,
  file: TrafficFile,
  point: Point,
  durations: Durations,
): Promise<SweepRow> {
  const run = await loadRun(lab, subject, loadOf(file, point, durations.ours));
  const latencies = isProbed(point) ? await latencyRun(lab, loadOf(file, point, durations.latency)) : null;
  return { ...point, ...run, lost: run.account?.lost ?? null, latencies };
}

/** A fresh one each time: what it lost it tells at its end. */
async function measureOther(
  lab: Lab,
  name: SubjectName,
  file: TrafficFile,
  point: Point,
  durations: Durations,
): Promise<SweepRow> {
  await using subject = await attach(name, lab);
  const seconds = name === "classic" ? durations.classic : durations.tools;
  const run = await loadRun(lab, subject, loadOf(file, point, seconds));
  const { lost } = await subject.stop();
  return { ...point, ...run, lost, latencies: null };
}

/** With all connections open and in history for the first time: what that leaves to be done is done once. */
async function opened(lab: Lab, file: TrafficFile, connections: number): Promise<Subject> {
  const subject = await attach("ours", lab);
  await generate(lab.client, { file, amount: { packets: 1 } });
  await waitFor(
    async () => {
      const stats = await subject.agent?.get<StatsAnswer>("/api/stats");
      return (stats?.history.rows_written ?? 0) >= connections;
    },
    "the connections came to no history",
    FIRST_ROWS_MS,
  );
  return subject;
}

/** Runs all of POINTS past each subject. */
export async function sweep(durations: Durations): Promise<SweepRow[]> {
  await using lab = await createLab();
  const rows: SweepRow[] = [];
  const file = async ({ connections, frameBytes }: Point) =>
    await writeConnections(lab.path(`sweep-${connections}-${frameBytes}.pcap`), connections, frameBytes);
  for (const [connections, points] of Map.groupBy(POINTS, (point) => point.connections)) {
    const files = new Map<number, TrafficFile>();
    for (const point of points) {
      if (!files.has(point.frameBytes)) files.set(point.frameBytes, await file(point));
    }
    const fileOf = ({ frameBytes }: Point) => {
      const made = files.get(frameBytes);
      if (made === undefined) throw new Error(`no file of ${connections} connections, ${frameBytes} bytes`);
      return made;
    };
    const [first] = files.values();
    if (first === undefined) continue;
    {
      await using subject = await opened(lab, first, connections);
      // The runtime compiles what runs often: that is over after a window or so, and belongs to no rate.
      const warmUp = { file: first, amount: { seconds: WARM_UP_SECONDS }, rate: WARM_UP_RATE };
      if (points.length > 1) await generate(lab.client, warmUp);
      for (const point of points) rows.push(await measureOurs(lab, subject, fileOf(point), point, durations));
    }
    for (const name of SUBJECTS.filter((one) => one !== "ours")) {
      for (const point of points) rows.push(await measureOther(lab, name, fileOf(point), point, durations));
    }
  }
  return rows;
}
