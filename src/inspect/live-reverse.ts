import type { FlowTable } from "../flow/table.ts";
import type { ConnectionNames } from "./connection-names.ts";
import { serverAddress } from "./live-inspection.ts";
import type { ReverseNames } from "./reverse-names.ts";

/** A handshake gets this long to tell a better name. */
const WAIT_MS = 3000;
/** Connections that wait; past that the oldest are not asked for. */
const CAPACITY = 8192;

interface Waiting {
  slot: number;
  gen: number;
  dueMs: number;
}

export interface LiveReverseOptions {
  table: FlowTable;
  names: ConnectionNames;
  reverse: ReverseNames;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** Asks for the names of servers whose connections have none after a while. */
export class LiveReverse {
  private waiting: Waiting[] = [];

  constructor(private readonly options: LiveReverseOptions) {}

  /** A connection was taken up. */
  opened(slot: number): void {
    const { table, now } = this.options;
    this.waiting.push({ slot, gen: table.kernel.slots.generation(slot), dueMs: now() + WAIT_MS });
    if (this.waiting.length > CAPACITY * 2) this.waiting = this.waiting.slice(-CAPACITY);
  }

  /** Called about once a second. */
  tick(): void {
    const nowMs = this.options.now();
    const due = this.waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    for (const one of this.waiting.splice(0, due === -1 ? this.waiting.length : due)) this.ask(one);
    this.options.reverse.tick();
  }

  private ask({ slot, gen }: Waiting): void {
    const { table, names, reverse } = this.options;
    const isUnnamed = () => table.holds(slot, gen) && names.wants(slot, "ptr");
    if (!isUnnamed()) return;
    reverse.request(serverAddress(table, slot).slice(), (domain) => {
      if (isUnnamed()) names.learn(slot, { domain, domainSource: "ptr" });
    });
  }
}
