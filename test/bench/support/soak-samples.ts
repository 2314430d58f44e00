/** What must not grow in an agent that runs for long, read from outside. */
import { readdirSync } from "node:fs";
import type { RunningAgent } from "../../lab/support/agent.ts";
import { bpfObjectsOf } from "../../lab/support/bpf.ts";
import { type Growth, growthOf } from "./growth.ts";
import { lockedMemory } from "./locked.ts";
import { median } from "./measure.ts";
import { type MemoryUse, memoryUse } from "./memory.ts";

/** Memory and sizes in bytes. */
export interface Sample {
  minutes: number;
  /** Medians since the last sample: garbage grows and goes within seconds. */
  rss: number;
  anonymous: number;
  /** The most since the last sample. */
  rssPeak: number;
  fds: number;
  threads: number;
  bpfObjects: number;
  kernelBytes: number;
  connections: number;
  databaseBytes: number;
  /** Payload that inspection holds, and addresses that it knows names of. */
  inspectionBytes: number;
  addressNames: number;
  rowsWritten: number;
  lost: number;
}
export type Field = keyof Sample;

/** How a field went over the run: besides its growth the slope of its second half. */
export interface FieldGrowth extends Growth {
  perHour: number;
}

interface StatsBody {
  table: { used: number };
  history: { database_bytes: number; rows_written: number };
  losses: { stage: string; reason: string; count: number }[];
}

const MINUTES_OF_HOUR = 60;

function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

/** Reads an agent's memory all the time, and everything else when asked for a sample. */
export class Sampler implements Disposable {
  private readonly timer: Timer;
  private readonly readings: MemoryUse[] = [];

  constructor(
    private readonly agent: RunningAgent,
    readMs: number,
  ) {
    this.timer = setInterval(() => this.read(), readMs);
  }

  /** One sample, `minutes` after the start. Asks the API twice, after all else is read. */
  async take(minutes: number): Promise<Sample> {
    const { pid } = this.agent.program;
    this.read();
    const readings = this.readings.splice(0);
    const fds = readdirSync(`/proc/${pid}/fd`).length;
    const threads = readdirSync(`/proc/${pid}/task`).length;
    const { prog, map, link } = bpfObjectsOf(pid);
    const { mapBytes, programBytes } = await lockedMemory(pid);
    const stats = await this.agent.get<StatsBody>("/api/stats");
    const metrics = await this.agent.text("/metrics");
    return {
      minutes,
      rss: median(readings.map(({ rss }) => rss)),
      anonymous: median(readings.map(({ anonymous }) => anonymous)),
      rssPeak: Math.max(...readings.map(({ rss }) => rss)),
      fds,
      threads,
      bpfObjects: prog.length + map.length + link.length,
      kernelBytes: mapBytes + programBytes,
      connections: stats.table.used,
      databaseBytes: stats.history.database_bytes,
      inspectionBytes: metric(metrics, "ayaflow_inspect_memory_bytes"),
      addressNames: metric(metrics, "ayaflow_address_names"),
      rowsWritten: stats.history.rows_written,
      lost: stats.losses.reduce((sum, { count }) => sum + count, 0),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private read(): void {
    this.readings.push(memoryUse(this.agent.program.pid));
  }
}

/** Slope of the line through points by least squares. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}

/** @throws with fewer than eight samples. */
export function growth(samples: readonly Sample[], field: Field): FieldGrowth {
  const half = samples.slice(-2 * Math.floor(samples.length / 4));
  return {
    ...growthOf(samples.map((sample) => sample[field])),
    perHour: slope(half.map((sample) => [sample.minutes, sample[field]])) * MINUTES_OF_HOUR,
  };
}
