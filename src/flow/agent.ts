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
const CATCH_UP_BATCH = 256;
/** Draining hands the event loop back after this, in milliseconds; reading the table and retiring after the other. */
const DRAIN_BUDGET_MS = 8;
const TURN_MS = 4;
/** How often the host's clock is looked at: each look takes as long as some thousand slots. */
const HOST_LOOK_MS = 3000;
/** A timer of no delay takes as long. */
const TIMER_MS = 1;

export interface AgentParts {
  ring: EventRing;
  clock: KernelClock;
  table: FlowTable;
  view: ConnectionView;
  monitor: Monitor;
  /** History: a packet in raw mode, that there are no more at the moment, the end of a sweep; `then` is called once what that takes is done. */
  recorder: { packet(event: KernelEvent): void; drained(): void; swept(then: () => void): void };
  /** Called after each sweep. */
  swept(): void;
  /** Reading the table took so long, what ran in between not included. */
  observeSweep(seconds: number): void;
  observeDrain(seconds: number): void;
  /** How much later than asked a timer ran. */
  observeLoopDelay(seconds: number): void;
  log: Logger;
  /** Monotonic milliseconds. */
  now(): number;
}

/**
 * Drains events and sweeps the connection table, on timers, while it runs. What a sweep brings with it is done bit by
 * bit, in turns of the event loop between which events and requests are handled.
 */
export class AgentLoop {
  private drainTimer: ReturnType<typeof setTimeout> | undefined;
  private sweepTimer: ReturnType<typeof setTimeout> | undefined;
  private drainEveryMs = DRAIN_MAX_MS;
  private drainDue = 0;
  private sweepEveryMs = SWEEP_MS;
  private nextSweep = 0;
  private lostOpens = 0;
  private hostLookDue = -Infinity;
  private stopped = false;
  /** The table is being read, what is over is being retired, turn by turn. */
  private isSweeping = false;
  private isTidying = false;
  private sweepMs = 0;
  private opened: number[] = [];
  private updated: number[] = [];
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
    this.parts.recorder.drained();
    this.discoverLost(this.parts.now());
    return this.parts.ring.usedBytes();
  }

  /** Called by the ring for each event. */
  event(event: KernelEvent): void {
    if (event.type === EVENT.AYAFLOW_EVENT_PACKET) this.parts.recorder.packet(event);
    else if (event.type === EVENT.AYAFLOW_EVENT_OPEN) this.open(event.slot, event.gen);
  }

  /** Called by the table just before a connection's slots are used again. */
  retiring(primary: number): void {
    if (this.parts.monitor.watched) this.retired.push(this.parts.view.connection(primary));
  }

  /** Takes in the events of what was counted until now, as far as there is time. */
  catchUp(): void {
    if (this.stopped) return;
    const { ring } = this.parts;
    const until = this.parts.now() + TURN_MS;
    while (ring.drain(CATCH_UP_BATCH) >= CATCH_UP_BATCH && this.parts.now() < until);
    this.parts.recorder.drained();
  }

  private open(slot: number, gen: number): void {
    if (this.parts.table.open(slot, gen, this.parts.now())) this.noteOpened(slot);
  }

  /** A further point of a connection that is known changes that one, which the next sweep tells. */
  private noteOpened(slot: number): void {
    const { monitor, table } = this.parts;
    if (monitor.watched && table.points.isPrimary(slot)) this.opened.push(slot);
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
    this.parts.recorder.drained();
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
        this.guarded(() => this.sweep());
        // On the beat, without catching up after a pause.
        const now = this.parts.now();
        this.nextSweep = Math.max(this.nextSweep + this.sweepEveryMs, now + this.sweepEveryMs / 2);
        this.scheduleSweep();
      },
      Math.max(0, this.nextSweep - this.parts.now()),
    );
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.parts.log.error("a sweep failed", { error: errorMessage(error) });
    }
  }

  /** Does `work` in the event loop's next turn, unless the agent has stopped by then. */
  private soon(work: () => void): void {
    setImmediate(() => {
      if (!this.stopped) this.guarded(work);
    });
  }

  private sweep(): void {
    const now = this.parts.now();
    if (now >= this.hostLookDue) {
      this.hostLookDue = now + HOST_LOOK_MS;
      this.lookAtHost();
    }
    this.discoverLost(now);
    // What is being retired has a whole sweep before its slot is used again.
    if (this.isSweeping || this.isTidying) return;
    this.sweepMs = 0;
    this.readTable();
  }

  private lookAtHost(): void {
    const { clock, log } = this.parts;
    const step = clock.refresh();
    if (step !== 0) log.warn("the wall clock was set", { step_ms: Math.round(step) });
  }

  private readTable(): void {
    const { table, monitor } = this.parts;
    const now = () => this.parts.now();
    const started = now();
    const changed = monitor.watched ? (slot: number) => void this.updated.push(slot) : undefined;
    // Until it has ended well: after a failure the next sweep goes on behind it.
    this.isSweeping = false;
    this.isSweeping = table.sweep(now, started + TURN_MS, changed);
    this.sweepMs += now() - started;
    if (this.isSweeping) {
      this.soon(() => this.readTable());
      return;
    }
    this.parts.observeSweep(this.sweepMs / 1000);
    this.soon(() => this.swept());
  }

  /** The table has been read: who wants to know is told. */
  private swept(): void {
    const { monitor, recorder } = this.parts;
    this.parts.swept();
    monitor.swept(this.opened, this.updated, this.retired);
    this.opened = [];
    this.updated = [];
    this.retired = [];
    this.soon(() => recorder.swept(() => this.startTidying()));
  }

  private startTidying(): void {
    if (this.isTidying) return;
    this.isTidying = true;
    this.soon(() => this.tidy());
  }

  private tidy(): void {
    const until = this.parts.now() + TURN_MS;
    this.isTidying = false;
    this.isTidying = this.parts.table.tidy(() => this.parts.now() < until);
    if (this.isTidying) this.soon(() => this.tidy());
  }

  /** Connections whose `open` event found the ring full are found by looking at every slot. */
  private discoverLost(now: number): void {
    const lost = this.parts.monitor.lostOpens();
    if (lost === this.lostOpens) return;
    this.lostOpens = lost;
    this.parts.table.discover(now, (slot) => this.noteOpened(slot));
  }
}
