import { registerHistogram } from "./instruments.ts";
import { Counter, Registry } from "./prom-client.ts";

const SWEEP_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const DRAIN_BUCKETS = [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25];
const LOOP_DELAY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const DNS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Metrics {
  registry: Registry;
  /** One sweep over the connection table took so long, in seconds. */
  observeSweep(seconds: number): void;
  /** One drain of the ring buffer took so long, in seconds. */
  observeDrain(seconds: number): void;
  /** A timer ran so much later than asked, in seconds. */
  observeLoopDelay(seconds: number): void;
  /** One DNS question was answered after so long, in seconds. */
  observeDnsLatency(seconds: number): void;
  /** One HTTP request was answered; the three labels are from fixed sets. */
  countRequest(route: string, method: string, status: number): void;
}

/** The agent's registry and what is counted as it happens; totals held elsewhere are read at each scrape. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const requests = new Counter({
    name: "ayaflow_http_requests_total",
    help: "HTTP requests answered, by route, method and status",
    labelNames: ["route", "method", "status"] as const,
    registers: [registry],
  });
  return {
    registry,
    observeSweep: registerHistogram(registry, {
      name: "ayaflow_sweep_duration_seconds",
      help: "Time to read the connection table once",
      buckets: SWEEP_BUCKETS,
    }),
    observeDrain: registerHistogram(registry, {
      name: "ayaflow_ring_drain_duration_seconds",
      help: "Time of one drain of the event ring buffer",
      buckets: DRAIN_BUCKETS,
    }),
    observeLoopDelay: registerHistogram(registry, {
      name: "ayaflow_event_loop_delay_seconds",
      help: "How much later than asked the timer of the event ring buffer ran",
      buckets: LOOP_DELAY_BUCKETS,
    }),
    observeDnsLatency: registerHistogram(registry, {
      name: "ayaflow_dns_latency_seconds",
      help: "Time from a DNS question to its answer",
      buckets: DNS_BUCKETS,
    }),
    countRequest: (route, method, status) => requests.inc({ route, method, status }),
  };
}
