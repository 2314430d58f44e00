import { readdirSync, readFileSync } from "node:fs";
import type { Registry } from "./prom-client.ts";
import { registerCounter, registerGauge } from "./instruments.ts";

const MICROSECONDS = 1e6;

function virtualMemoryBytes(): number {
  const kibibytes = /^VmSize:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  return Number(kibibytes ?? Number.NaN) * 1024;
}

function maxOpenFiles(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? Number.NaN);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / MICROSECONDS;
}

/** The process metrics every Prometheus client library exports, under their standard names. */
export function registerProcessMetrics(registry: Registry): void {
  registerCounter(registry, {
    name: "process_cpu_seconds_total",
    help: "User and system CPU time spent by the process",
    read: () => [[cpuSeconds()]],
  });
  registerGauge(registry, {
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process",
    read: () => [[process.memoryUsage.rss()]],
  });
  registerGauge(registry, {
    name: "process_virtual_memory_bytes",
    help: "Virtual memory of the process",
    read: () => [[virtualMemoryBytes()]],
  });
  registerGauge(registry, {
    name: "process_open_fds",
    help: "Open file descriptors of the process",
    read: () => [[readdirSync("/proc/self/fd").length]],
  });
  registerGauge(registry, {
    name: "process_max_fds",
    help: "Most file descriptors the process may have open",
    read: () => [[maxOpenFiles()]],
  });
  registerGauge(registry, {
    name: "process_start_time_seconds",
    help: "Start of the process since the epoch",
    read: () => [[performance.timeOrigin / 1000]],
  });
}
