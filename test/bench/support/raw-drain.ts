/** A full ring of raw events, drained by the parts that the agent is made of, in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMetrics } from "../../../src/api/metrics.ts";
import { Kernel } from "../../../src/bpf/kernel.ts";
import { runProgram } from "../../../src/bpf/test-run.ts";
import { type Agent, createAgent } from "../../../src/cli/agent.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { type History, openHistory } from "../../../src/history/history.ts";
import { createLogger } from "../../../src/log.ts";
import { frame, pattern } from "../../support/frames.ts";

export const RAW_CONNECTIONS = 1000;
const RING_BYTES = 64 << 20;
/** Packets of a connection in one go; each goes through the kernel's test run. */
const BURST = 16;
/** The ring is full somewhat above it: 32 bytes an event and 8 of the kernel's. */
const EVENTS = 1_600_000;
const MAX_CONNECTIONS = 65_536;
const PAYLOAD_BYTES = 22;
const FIRST_PORT = 20_000;
const FLUSH_MS = 60_000;
const POLL_MS = 1;

export interface DrainRound {
  events: number;
  /** Until the ring was empty. */
  seconds: number;
  /** Stored by then. */
  rows: number;
}

export interface RawDrain {
  ringBytes: number;
  rounds: DrainRound[];
  /** In all, when everything was written. `events` is what the kernel pushed. */
  events: number;
  rows: number;
  dropped: number;
}

interface Stage {
  agent: Agent;
  history: History;
}

function packets(): Uint8Array[] {
  const payload = pattern(PAYLOAD_BYTES);
  return Array.from({ length: RAW_CONNECTIONS }, (_, index) =>
    frame({
      source: "10.0.0.1",
      destination: "10.0.0.2",
      transport: { kind: "udp", sourcePort: FIRST_PORT + index, destinationPort: 53, payload },
    }),
  );
}

function lost({ agent }: Stage, stage: string): number {
  const { losses } = agent.monitor.stats();
  return losses.filter((loss) => loss.stage === stage).reduce((sum, { count }) => sum + count, 0);
}

/** Fills the ring. Returns how many packets there were. */
function fill({ agent }: Stage, frames: readonly Uint8Array[]): number {
  let count = 0;
  while (count < EVENTS) {
    for (const bytes of frames) {
      const { error } = runProgram(agent.kernel.programs.ayaflow_ingress, bytes, undefined, BURST);
      if (error !== 0) throw new Error(`BPF_PROG_TEST_RUN: ${error}`);
    }
    count += BURST * frames.length;
  }
  return count;
}

async function drainOnce(stage: Stage, frames: readonly Uint8Array[]): Promise<DrainRound> {
  const { agent, history } = stage;
  while (history.status().queued > 0) await Bun.sleep(POLL_MS);
  const before = history.status().rowsWritten;
  const lostBefore = lost(stage, "ring");
  const filled = fill(stage, frames);
  const events = filled - (lost(stage, "ring") - lostBefore);
  const started = performance.now();
  while (agent.kernel.ring.usedBytes() > 0) await Bun.sleep(POLL_MS);
  const seconds = (performance.now() - started) / 1000;
  return { events, seconds, rows: history.status().rowsWritten - before };
}

/** Fills and drains `rounds` times; needs the privileges of the agent. */
export async function rawDrain(rounds: number): Promise<RawDrain> {
  const folder = mkdtempSync(join(tmpdir(), "ayaflow-bench-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "traffic.db");
  const { config } = await loadConfig({ flags: { db_path: path, aggregation_window_seconds: "0" }, env: {} });
  const log = createLogger("error", "text");
  const { maxDbSizeBytes, dataRetentionSeconds } = config;
  const lockFile = () => ({ release: () => undefined });
  const history = openHistory({ path, lockFile, maxDbSizeBytes, dataRetentionSeconds, log, now: Date.now });
  cleanup.defer(() => history.close());
  const deps = { history, metrics: createMetrics(), log, giveBack: () => undefined };
  const agent = createAgent(config, deps, (handlers) =>
    Kernel.open(
      { maxConnections: MAX_CONNECTIONS, ringBytes: RING_BYTES, rawMode: true, inspect: false },
      handlers,
    ),
  );
  cleanup.defer(() => agent.kernel.close());
  const stage = { agent, history };
  const frames = packets();
  agent.loop.start();
  const measured: DrainRound[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await drainOnce(stage, frames));
  await agent.stop(performance.now() + FLUSH_MS);
  return {
    ringBytes: RING_BYTES,
    rounds: measured,
    events: measured.reduce((sum, { events }) => sum + events, 0),
    rows: history.status().rowsWritten,
    dropped: lost(stage, "history"),
  };
}
