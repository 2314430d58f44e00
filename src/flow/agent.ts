import type { KernelClock } from "../bpf/clock.ts";
import { ENUMS } from "../bpf/layout.gen.ts";
import type { EventRing, KernelEvent } from "../bpf/ring.ts";
import { errorMessage } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { ConnectionView } from "./connections.ts";
import type { Monitor } from "./monitor.ts";
import type { FlowTable } from "./table.ts";
import type { Connection } from "./types.ts";

const EVENT = ENUMS.ayaflow_event_type;
/** How often the connection table is swept, unless told otherwise. */
export const SWEEP_MS = 1000;
const DRAIN_MIN_MS = 5;
const DRAIN_MAX_MS = 100;
/** Work of one consume call, in events; the clock is read between calls. */
const DRAIN_BATCH = 1024;
/** Draining and retiring hand the event loop back after this, in milliseconds. */
const DRAIN_BUDGET_MS = 8;
const TIDY_BUDGET_MS = 5;
/** A timer of no delay takes as long. */
const TIMER_MS = 1;

export interface AgentParts {
  ring: EventRing;
  clock: KernelClock;
  table: FlowTable;
  view: ConnectionView;
  monitor: Monitor;
  /** History: a packet in raw mode, the end of a sweep. */
  recorder: { packet(event: KernelEvent): void; swept(): void };
  /** Called after each sweep. */
  swept(): void;
  /** Watched interfaces that are gone. */
  missingInterfaces(): string[];
  observeSweep(seconds: number): void;
  observeDrain(seconds: number): void;
  /** How much later than asked a timer ran. */
  observeLoopDelay(seconds: number): void;
  log: Logger;
  /** Monotonic milliseconds. */
  now(): number;
}

/** Drains events and sweeps the connection table, on timers, while it runs. */
export class AgentLoop {
  private drainTimer: ReturnType<typeof setTimeout> | undefined;
  private sweepTimer: ReturnType<typeof setTimeout> | undefined;
  private drainEveryMs = DRAIN_MAX_MS;
  private drainDue = 0;
  private sweepEveryMs = SWEEP_MS;
  private nextSweep = 0;
  private lostOpens = 0;
  private stopped = false;
  /** A tidy is under way, slice by slice. */
  private tidying = false;
  private opened: number[] = [];
  private retired: Connection[] = [];

  constructor(private readonly parts: AgentParts) {}

  start(): void {
    this.nextSweep = this.parts.now() + this.sweepEveryMs;
    this.scheduleSweep();
    this.scheduleDrain(DRAIN_MIN_MS);
  }

  /** Sweeps so often from the next sweep on. */
  sweepEvery(ms: number): void {
    this.sweepEveryMs = ms;
  }

  /**
   * Stops the timers and takes in the last events. `room` is awaited between batches and says whether to go on.
   * Returns the bytes of events that were left in the ring.
   */
  async stop(room: () => Promise<boolean>): Promise<number> {
    this.stopped = true;
    clearTimeout(this.drainTimer);
    clearTimeout(this.sweepTimer);
    while ((await room()) && this.parts.ring.drain(DRAIN_BATCH) >= DRAIN_BATCH);
    this.discoverLost(this.parts.now());
    return this.parts.ring.usedBytes();
  }

  /** Called by the ring for each event. */
  event(event: KernelEvent): void {
    if (event.type === EVENT.AYAFLOW_EVENT_PACKET) this.parts.recorder.packet(event);
    else if (event.type === EVENT.AYAFLOW_EVENT_OPEN) this.open(event.slot, event.gen);
  }

  /** Called by the table just before a connection's slot is used again. */
  retiring(slot: number): void {
    if (this.parts.monitor.watched) this.retired.push(this.parts.view.connection(slot));
  }

  private open(slot: number, gen: number): void {
    const isNew = this.parts.table.open(slot, gen, this.parts.now());
    if (isNew && this.parts.monitor.watched) this.opened.push(slot);
  }

  private scheduleDrain(delay: number): void {
    this.drainDue = this.parts.now() + Math.max(delay, TIMER_MS);
    this.drainTimer = setTimeout(() => this.drain(), delay);
  }

  private drain(): void {
    const started = this.parts.now();
    this.parts.observeLoopDelay(Math.max(0, started - this.drainDue) / 1000);
    let count = 0;
    let more = false;
    do {
      const drained = this.parts.ring.drain(DRAIN_BATCH);
      count += drained;
      more = drained >= DRAIN_BATCH;
    } while (more && this.parts.now() - started < DRAIN_BUDGET_MS);
    if (count > 0) this.parts.observeDrain((this.parts.now() - started) / 1000);
    this.drainEveryMs =
      count > DRAIN_BATCH
        ? DRAIN_MIN_MS
        : Math.min(DRAIN_MAX_MS, Math.max(DRAIN_MIN_MS, this.drainEveryMs * 2));
    this.scheduleDrain(more ? 0 : this.drainEveryMs);
  }

  private scheduleSweep(): void {
    this.sweepTimer = setTimeout(
      () => {
        try {
          this.sweep();
        } catch (error) {
          this.parts.log.error("a sweep failed", { error: errorMessage(error) });
        }
        // On the beat, without catching up after a pause.
        const now = this.parts.now();
        this.nextSweep = Math.max(this.nextSweep + this.sweepEveryMs, now + this.sweepEveryMs / 2);
        this.scheduleSweep();
      },
      Math.max(0, this.nextSweep - this.parts.now()),
    );
  }

  private sweep(): void {
    const { table, monitor, clock, log } = this.parts;
    const started = this.parts.now();
    const step = clock.refresh();
    if (step !== 0) log.warn("the wall clock was set", { step_ms: Math.round(step) });
    for (const name of monitor.noteMissing(this.parts.missingInterfaces())) {
      log.warn("a watched interface is gone: restart the agent to watch it again", { interface: name });
    }
    this.discoverLost(started);
    const updated: number[] = [];
    table.sweep(started, monitor.watched ? (slot) => updated.push(slot) : undefined);
    this.parts.recorder.swept();
    this.parts.swept();
    if (!this.tidying) this.tidy();
    monitor.swept(this.opened, updated, this.retired);
    this.opened = [];
    this.retired = [];
    this.parts.observeSweep((this.parts.now() - started) / 1000);
  }

  private tidy(): void {
    if (this.stopped) return;
    const until = this.parts.now() + TIDY_BUDGET_MS;
    this.tidying = this.parts.table.tidy(() => this.parts.now() < until);
    if (this.tidying) setImmediate(() => this.tidy());
  }

  /** Connections whose `open` event found the ring full are found by looking at every slot. */
  private discoverLost(now: number): void {
    const lost = this.parts.monitor.lostOpens();
    if (lost === this.lostOpens) return;
    this.lostOpens = lost;
    this.parts.table.discover(now, (slot) => {
      if (this.parts.monitor.watched) this.opened.push(slot);
    });
  }
}
