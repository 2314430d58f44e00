import { closeSync, constants, openSync } from "node:fs";
import { createMetrics } from "../api/metrics.ts";
import { startApi } from "../api/server.ts";
import { Kernel } from "../bpf/kernel.ts";
import { tryLock } from "../bpf/libc.ts";
import { ResidentFiles } from "../bpf/resident.ts";
import { readInterfaceFacts, resolveInterfaces } from "../config/interfaces.ts";
import type { LoadedConfig } from "../config/load.ts";
import { errorMessage, UsageError } from "../errors.ts";
import { openHistory } from "../history/history.ts";
import { createLiveLogger } from "../log.ts";
import { openPageFiles } from "../page-files.ts";
import { createAgent } from "./agent.ts";
import { startWatching } from "./agent-watch.ts";
import { MemoryKeeper, residentMemory } from "./memory.ts";
import { Reload } from "./reload.ts";
import { serviceManager } from "./service.ts";
import { StatusTeller } from "./service-status.ts";
import { COMMIT, VERSION } from "./version.ts";

const RAW_RING_BYTES = 16 * 1024 * 1024;
/** Of 65,536 connections that open between two drains; all of it counts as resident, twice, as libbpf maps it so. */
const RING_BYTES = 1024 * 1024;
/** Payload of 100 ms at 20 MB/s. */
const INSPECT_RING_BYTES = 2 * 1024 * 1024;
/** Flushed and detached within 2 s of a signal; history gets the most of it. */
const FLUSH_MS = 1200;
const DATABASE_MODE = 0o640;
/** Options that say who may ask. */
const ACCESS_KEYS: ReadonlySet<string> = new Set(["allowed_ips", "api_token"]);
/** An old database may have to be migrated before the agent is ready. */
const START_MS = 10 * 60_000;
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** With a terminal SIGHUP says that it was closed, without one that the configuration is to be read again. */
function hasTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY;
}

/** An exclusive flock(2) on the database file; null while another process has it. */
function lockFile(path: string): { release(): void } | null {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, DATABASE_MODE);
  if (tryLock(fd)) return { release: () => closeSync(fd) };
  closeSync(fd);
  return null;
}

/** @throws UsageError when an interface that is named does not exist. */
function checkInterfaces(patterns: readonly string[]): void {
  const { problems } = resolveInterfaces(patterns, readInterfaceFacts());
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `--interface: ${problem}`));
}

/**
 * Runs the agent until one of STOP_SIGNALS comes. Returns the exit code. SIGHUP without a terminal takes in what `load`
 * reads then; `running` is in force until that, and changed in place.
 */
export async function run(running: LoadedConfig, load: () => Promise<LoadedConfig>): Promise<number> {
  const { config } = running;
  const log = createLiveLogger(() => ({
    level: config.quiet ? "error" : config.logLevel,
    format: config.logFormat,
  }));
  for (const warning of running.warnings) log.warn(warning);
  const service = serviceManager({ env: process.env, pid: process.pid, now: () => performance.now() });
  const stopped = Promise.withResolvers<string>();
  for (const signal of STOP_SIGNALS) process.once(signal, () => stopped.resolve(signal));
  // Until all is there to be reloaded it is only remembered.
  let isReloadWanted = false;
  let hangUp = () => {
    isReloadWanted = true;
  };
  process.on("SIGHUP", () => (hasTerminal() ? stopped.resolve("SIGHUP") : hangUp()));

  await using cleanup = new AsyncDisposableStack();
  checkInterfaces(config.interfaces);
  service.extendStart(START_MS);
  const history = openHistory({
    path: config.dbPath,
    lockFile,
    get maxDbSizeBytes() {
      return config.maxDbSizeBytes;
    },
    get dataRetentionSeconds() {
      return config.dataRetentionSeconds;
    },
    get levelSeconds() {
      return config.levelRetentionSeconds;
    },
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
    {
      history,
      metrics,
      log,
      giveBack: () => memory.giveBack(),
      swept() {
        service.alive();
        teller.look();
      },
    },
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

  const watching = startWatching({
    interfaces: agent.kernel.interfaces,
    state: agent.watch,
    config,
    log,
    now: () => performance.now(),
  });
  cleanup.defer(() => watching.stop());
  const reload = new Reload({
    running,
    load,
    watch: (patterns) => watching.reload(patterns),
    taken(changed) {
      history.retention.start();
      if (changed.some((key) => ACCESS_KEYS.has(key))) api.accessChanged();
    },
    log,
    now: Date.now,
  });
  reload.register(metrics.registry);
  const teller = new StatusTeller({
    service,
    monitor: agent.monitor,
    reload,
    now: () => performance.now(),
  });
  hangUp = () => teller.whileReloading(() => reload.ask());
  agent.loop.start();
  memory.start();
  service.ready(teller.text());
  if (isReloadWanted) hangUp();
  log.info("ready", { api: api.url, database: config.dbPath, version: VERSION });

  const signal = await stopped.promise;
  hangUp = () => {};
  service.stopping();
  log.info("stopping", { signal });
  watching.stop();
  agent.kernel.detach();
  await agent.stop(performance.now() + FLUSH_MS).catch((error: unknown) => {
    log.error("history was not flushed", { error: errorMessage(error) });
  });
  return 0;
}
