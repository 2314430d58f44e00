import { Counter, Gauge, Histogram, type Registry } from "./prom-client.ts";

/** Observations of a histogram that wait: of code that seldom runs the first call takes 50 µs, and those behind it 1. */
const MAX_WAITING = 64;

export type Labels = Record<string, string>;
/** One value of an instrument, read at a scrape. */
export type Sample = readonly [value: number, labels?: Labels];

interface Instrument {
  name: string;
  help: string;
  labelNames?: readonly string[];
  /** All present values; what is not among them any more disappears. */
  read: () => readonly Sample[];
}

/** Registers a gauge whose values are read at each scrape. */
export function registerGauge(registry: Registry, { name, help, labelNames = [], read }: Instrument): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const [value, labels] of read()) gauge.set(labels ?? {}, value);
    },
  });
}

/** Registers a counter that mirrors totals kept elsewhere: each scrape sets it to the total as it stands. */
export function registerCounter(registry: Registry, { name, help, labelNames = [], read }: Instrument): void {
  const counter = new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [value, labels] of read()) counter.inc(labels ?? {}, value);
    },
  });
}

/** Registers a histogram without labels. Returns what takes in a value, which shows from the next scrape on. */
export function registerHistogram(
  registry: Registry,
  options: { name: string; help: string; buckets: number[] },
): (value: number) => void {
  const waiting = new Float64Array(MAX_WAITING);
  let count = 0;
  const takeIn = () => {
    for (const value of waiting.subarray(0, count)) histogram.observe(value);
    count = 0;
  };
  const histogram = new Histogram({ ...options, registers: [registry], collect: takeIn });
  return (value) => {
    waiting[count++] = value;
    if (count === MAX_WAITING) takeIn();
  };
}
