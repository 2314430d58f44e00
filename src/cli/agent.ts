import type { Metrics } from "../api/metrics.ts";
import type { Kernel, KernelHandlers } from "../bpf/kernel.ts";
import { splitMeta } from "../bpf/slots.ts";
import type { Config } from "../config/types.ts";
import { errorMessage } from "../errors.ts";
import { AgentLoop } from "../flow/agent.ts";
import { ConnectionView } from "../flow/connections.ts";
import { Monitor } from "../flow/monitor.ts";
import { endUnseen } from "../flow/departure.ts";
import { FlowTable } from "../flow/table.ts";
import type { Loss } from "../flow/types.ts";
import { WatchState } from "../flow/watch-state.ts";
import type { History } from "../history/history.ts";
import { WindowRecorder } from "../history/windows.ts";
import type { Logger } from "../log.ts";
import { type AgentNames, createNames } from "./agent-names.ts";
import { createRestraint } from "./agent-restraint.ts";

/** The parts of the running agent that the command needs. */
export interface Agent {
  kernel: Kernel;
  monitor: Monitor;
  loop: AgentLoop;
  names: AgentNames;
  /** How the interfaces fare, for who follows them. */
  watch: WatchState;
  /**
   * Stops the timers and hands what is left to history until `deadline` (monotonic milliseconds).
   * Detach first, so that nothing is counted later. What time did not suffice for is logged.
   */
  stop(deadline: number): Promise<void>;
}

export interface AgentDeps {
  history: History;
  metrics: Metrics;
  log: Logger;
  /** Hands memory that is not needed back to the system. */
  giveBack: () => void;
  /** Called after each sweep that went well. */
  swept?: () => void;
}

const monotonicMs = () => performance.now();

/**
 * Wires kernel, connection table, monitor and history together. Nothing is attached yet.
 * `config` is read at use where a reload may change it.
 */
export function createAgent(
  config: Config,
  deps: AgentDeps,
  openKernel: (handlers: KernelHandlers) => Kernel,
): Agent {
  const { history, metrics, log, giveBack, swept } = deps;
  const kernel = openKernel({
    event: (event) => loop.event(event),
    payload: (payload) => names.payload(payload),
    failed: (error) => log.error("an event was not handled", { error: errorMessage(error) }),
    moved(ifindex, row) {
      loop.catchUp();
      for (const slot of table.live.subarray(0, table.size)) {
        if (splitMeta(table.meta(slot)).ifindex === ifindex) kernel.slots.setRow(slot, row);
      }
    },
    unwatched(ifindex) {
      loop.catchUp();
      endUnseen(table, ifindex, (other) => kernel.interfaces.get(other) !== undefined);
    },
  });
  const interfaceName = (ifindex: number) => kernel.interfaces.nameOf(ifindex);
  const watch = new WatchState(monotonicMs);
  const table = new FlowTable(
    kernel,
    {
      capacity: config.maxConnections,
      get timeoutMs() {
        return config.connectionTimeoutSeconds * 1000;
      },
      mergesInterfaces: config.mergeInterfaces,
      opened: (slot) => names.opened(slot),
      retired: (primary) => {
        names.retiring(primary);
        loop.retiring(primary);
        recorder.retired(primary);
        names.retired(primary);
      },
      replaced: (slot, heir) => {
        recorder.replaced(slot, heir);
        names.replaced(slot, heir);
      },
    },
    monotonicMs(),
  );
  const fromBootNs = (ns: number) => kernel.clock.fromBootNs(ns);
  const names = createNames(config, {
    table,
    interfaceName,
    fromBootNs,
    observeDnsLatency: (seconds) => metrics.observeDnsLatency(seconds),
    now: monotonicMs,
  });
  const naming = (slot: number) => names.names.get(slot);
  const view = new ConnectionView(table, kernel.clock, interfaceName, naming);
  const recorder = new WindowRecorder({
    table,
    windowMs: config.aggregationWindowSeconds * 1000,
    rows: history.writer,
    severalPoints: () => config.mergeInterfaces && kernel.interfaces.list.length > 1,
    interfaceName,
    naming,
    fromBootNs,
    wallMs: Date.now,
    now: monotonicMs,
    soon: (work) => setImmediate(work),
  });
  const restraint = createRestraint(config, {
    shed: (what) => kernel.shed(what),
    stretchWindows: (factor) => recorder.stretch(factor),
    sweepEvery: (ms) => loop.sweepEvery(ms),
    giveBack,
    log,
    now: monotonicMs,
  });
  const monitor = new Monitor({
    counters: kernel.counters,
    ring: kernel.ring,
    table,
    view,
    tableSize: config.maxConnections,
    interfaces: () => kernel.interfaces.list,
    departed: kernel.interfaces.departed,
    watch,
    catchUp: () => loop.catchUp(),
    otherLosses: () => [...historyLosses(history, recorder), ...names.losses()],
    restraint,
    now: monotonicMs,
  });
  const loop = new AgentLoop({
    ring: kernel.ring,
    clock: kernel.clock,
    table,
    view,
    monitor,
    recorder,
    swept() {
      names.tick();
      restraint.look();
      swept?.();
    },
    observeSweep: (seconds) => metrics.observeSweep(seconds),
    observeDrain: (seconds) => metrics.observeDrain(seconds),
    observeLoopDelay: (seconds) => metrics.observeLoopDelay(seconds),
    log,
    now: monotonicMs,
  });
  return {
    kernel,
    monitor,
    loop,
    names,
    watch,
    stop: async (deadline) => {
      const room = () => makeRoom(history, deadline);
      const ringBytes = await loop.stop(room);
      const connections = await recorder.finish(room);
      await history.writer.flush(Math.max(0, deadline - monotonicMs()));
      const lost = historyLosses(history, recorder).filter(({ count }) => count > 0);
      if (ringBytes + connections === 0 && lost.length === 0) return;
      log.warn("history is not complete", {
        undrained_bytes: ringBytes,
        unrecorded_connections: connections,
        ...Object.fromEntries(lost.map(({ reason, count }) => [`lost_${reason}`, count])),
      });
    },
  };
}

/** Waits until the writer's queue has room for another slice. False when time is up. */
async function makeRoom(history: History, deadline: number): Promise<boolean> {
  const { queued, queueCapacity, failing } = history.status();
  const left = deadline - monotonicMs();
  if (queued > queueCapacity / 2 && failing === null) await history.writer.flush(Math.max(0, left));
  return monotonicMs() < deadline;
}

function historyLosses(history: History, recorder: WindowRecorder): Loss[] {
  const dropped = Object.entries(history.status().rowsDropped);
  return [
    ...dropped.map(([reason, count]): Loss => ({ stage: "history", reason, count })),
    { stage: "history", reason: "stale_packet", count: recorder.stalePackets },
  ];
}
