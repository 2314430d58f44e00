import { closeSync, constants, openSync } from "node:fs";
import { createMetrics } from "../api/metrics.ts";
import { startApi } from "../api/server.ts";
import { Kernel } from "../bpf/kernel.ts";
import { tryLock } from "../bpf/libc.ts";
import { ResidentFiles } from "../bpf/resident.ts";
import { readInterfaceFacts, resolveInterfaces } from "../config/interfaces.ts";
import type { Config } from "../config/types.ts";
import { errorMessage, UsageError } from "../errors.ts";
import { openHistory } from "../history/history.ts";
import { createLogger } from "../log.ts";
import { openPageFiles } from "../page-files.ts";
import { createAgent } from "./agent.ts";
import { MemoryKeeper, residentMemory } from "./memory.ts";
import { COMMIT, VERSION } from "./version.ts";

const RAW_RING_BYTES = 16 * 1024 * 1024;
/** Of 65,536 connections that open between two drains; all of it counts as resident, twice, as libbpf maps it so. */
const RING_BYTES = 1024 * 1024;
/** Payload of 100 ms at 20 MB/s. */
const INSPECT_RING_BYTES = 2 * 1024 * 1024;
/** Flushed and detached within 2 s of a signal; history gets the most of it. */
const FLUSH_MS = 1200;
const DATABASE_MODE = 0o640;
/** SIGHUP comes when the terminal is closed. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** An exclusive flock(2) on the database file; null while another process has it. */
function lockFile(path: string): { release(): void } | null {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, DATABASE_MODE);
  if (tryLock(fd)) return { release: () => closeSync(fd) };
  closeSync(fd);
  return null;
}

function interfaceNames(patterns: readonly string[]): string[] {
  const { names, problems } = resolveInterfaces(patterns, readInterfaceFacts());
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `--interface: ${problem}`));
  return names;
}

/** Runs the agent until one of STOP_SIGNALS comes. Returns the exit code. */
export async function run(config: Config, warnings: readonly string[]): Promise<number> {
  const log = createLogger(config.quiet ? "error" : config.logLevel, config.logFormat);
  for (const warning of warnings) log.warn(warning);
  const stopped = Promise.withResolvers<string>();
  for (const signal of STOP_SIGNALS) process.once(signal, () => stopped.resolve(signal));

  await using cleanup = new AsyncDisposableStack();
  const names = interfaceNames(config.interfaces);
  const history = openHistory({
    path: config.dbPath,
    lockFile,
    maxDbSizeBytes: config.maxDbSizeBytes,
    dataRetentionSeconds: config.dataRetentionSeconds,
    levelSeconds: config.levelRetentionSeconds,
    windowMs: config.aggregationWindowSeconds * 1000,
    log,
    now: Date.now,
  });
  cleanup.defer(() => history.close());

  const metrics = createMetrics();
  const raw = config.aggregationWindowSeconds === 0;
  const memory = new MemoryKeeper({
    files: new ResidentFiles(),
    collectGarbage: () => Bun.gc(true),
    resident: residentMemory,
    isBusy: () => history.status().queued > 0,
    now: () => performance.now(),
  });
  cleanup.defer(() => memory.stop());
  const agent = createAgent(
    config,
    { history, metrics, log, giveBack: () => memory.giveBack() },
    (handlers) =>
      Kernel.open(
        {
          maxConnections: config.maxConnections,
          ringBytes: raw ? RAW_RING_BYTES : config.deepInspect ? INSPECT_RING_BYTES : RING_BYTES,
          rawMode: raw,
          inspect: config.deepInspect,
        },
        handlers,
      ),
  );
  cleanup.defer(() => agent.kernel.close());

  const api = await startApi({
    agent: agent.monitor,
    history: {
      query: (query) => history.reader.query(query),
      domains: (query) => history.reader.domains(query),
      ask: (question) => history.reader.ask(question),
      coverage: () => history.status().levels,
      status: () => history.status(),
    },
    config,
    version: { version: VERSION, commit: COMMIT ?? "unknown" },
    metrics,
    log,
    now: Date.now,
    inspection: agent.names.counts,
    ...(agent.names.lookups === null ? {} : { dns: agent.names.lookups }),
    page: openPageFiles(),
  });
  cleanup.defer(() => api.stop());

  for (const name of names) {
    const { method, ifindex } = agent.kernel.attach(name, config.attachMode);
    log.info("watching", { interface: name, ifindex, method });
  }
  agent.loop.start();
  memory.start();
  log.info("ready", { api: api.url, database: config.dbPath, version: VERSION });

  const signal = await stopped.promise;
  log.info("stopping", { signal });
  agent.kernel.detach();
  await agent.stop(performance.now() + FLUSH_MS).catch((error: unknown) => {
    log.error("history was not flushed", { error: errorMessage(error) });
  });
  return 0;
}
