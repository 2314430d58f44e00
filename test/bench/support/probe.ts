/**
 * What a client of the agent's API sees while there is load. `bun probe.ts URL` asks for each of PATHS ten times a second
 * until SIGTERM, then prints the milliseconds that the answers took as JSON, by path.
 */
import type { End } from "../../lab/support/lab.ts";
import { percentile } from "./percentile.ts";

/** Milliseconds. */
export interface Quantiles {
  p50: number;
  p99: number;
}

export interface Latencies {
  metrics: Quantiles;
  live: Quantiles;
  /** Of each. */
  samples: number;
}

const PATHS = ["/metrics", "/api/live"] as const;
const URL_INSIDE = "http://127.0.0.1:3000";
const INTERVAL_MS = 100;
const EVENT_LOOP = "ayaflow_event_loop_delay_seconds";
const SECOND_MS = 1000;

/** Upper bounds of a histogram's buckets in milliseconds, and how many observations were at or below each. */
type Buckets = ReadonlyMap<number, number>;

function quantiles(values: readonly number[]): Quantiles {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99) };
}

function eventLoopBuckets(metrics: string): Buckets {
  const samples = metrics.matchAll(new RegExp(`^${EVENT_LOOP}_bucket{le="([^"]+)"} (\\d+)`, "gm"));
  return new Map(
    [...samples].map(([, le, count]) => [le === "+Inf" ? Infinity : Number(le) * SECOND_MS, Number(count)]),
  );
}

/** Within a bucket observations count as evenly spread; above the last bound, as infinitely late. */
function bucketQuantile(buckets: Buckets, share: number): number {
  const wanted = Math.max(...buckets.values()) * share;
  let [floor, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= wanted && count > below) {
      return bound === Infinity ? bound : floor + ((wanted - below) / (count - below)) * (bound - floor);
    }
    [floor, below] = [bound, count];
  }
  return Number.NaN;
}

/** The event loop's delays between two readings of /metrics; NaN where the agent does not keep them. */
export function eventLoopDelay(before: string, after: string): Quantiles {
  const first = eventLoopBuckets(before);
  const between = new Map(
    [...eventLoopBuckets(after)].map(([bound, count]) => [bound, count - (first.get(bound) ?? 0)]),
  );
  return { p50: bucketQuantile(between, 0.5), p99: bucketQuantile(between, 0.99) };
}

/**
 * Asks the agent of one end while `work` is done, from a process beside it. It has its share of the machine's cores, as
 * the agent and the generator have.
 */
export async function probeDuring<T>(
  end: End,
  work: () => Promise<T>,
): Promise<{ result: T; latencies: Latencies }> {
  await using program = end.spawn([process.execPath, import.meta.path, URL_INSIDE]);
  await program.printed(/^asking/m);
  const result = await work();
  const { stdout, stderr, exitCode } = await program.stop();
  if (exitCode !== 0) throw new Error(`the probe failed: ${stderr}`);
  const times: Record<(typeof PATHS)[number], number[]> = JSON.parse(stdout.split("\n")[1] ?? "");
  const [metrics, live] = [times["/metrics"], times["/api/live"]];
  return {
    result,
    latencies: { metrics: quantiles(metrics), live: quantiles(live), samples: metrics.length },
  };
}

async function timed(url: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${url}: HTTP ${response.status}`);
  return performance.now() - started;
}

async function main(url: string): Promise<void> {
  const ended = new AbortController();
  process.once("SIGTERM", () => ended.abort());
  const times: Record<string, number[]> = Object.fromEntries(PATHS.map((path) => [path, []]));
  // The first of each opens the connection, and finds code that never ran.
  for (const path of PATHS) await timed(url + path);
  console.log("asking");
  while (!ended.signal.aborted) {
    for (const path of PATHS) {
      times[path]?.push(await timed(url + path));
      await Bun.sleep(INTERVAL_MS / PATHS.length);
    }
  }
  console.log(JSON.stringify(times));
}

if (import.meta.main) await main(process.argv[2] ?? "");
