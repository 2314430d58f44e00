import { Counter, Gauge, type Registry } from "./prom-client.ts";

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
