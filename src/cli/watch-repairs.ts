import type { KernelInterfaces, WatchedInterface } from "../bpf/kernel-interfaces.ts";
import { interfaceIndex } from "../bpf/libc.ts";
import type { WatchState } from "../flow/watch-state.ts";
import type { Logger } from "../log.ts";
import { Retries } from "./watch-retries.ts";

export interface RepairParts {
  interfaces: KernelInterfaces;
  state: WatchState;
  log: Logger;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** Finds out where somebody took our programs away, and attaches them again; more seldom where that goes on. */
export class WatchRepairs {
  /** Indexes of interfaces to look at, and those to look at after the next `suspect`. */
  private readonly suspects = new Set<number>();
  private readonly later = new Set<number>();
  private readonly retries: Retries;

  /** @param failed told of an interface where our programs are missing and cannot be attached */
  constructor(
    private readonly parts: RepairParts,
    private readonly failed: (watched: WatchedInterface, error: unknown) => void,
  ) {
    this.retries = new Retries(parts.now);
  }

  /** Programs may be missing on these interfaces. Called once a tick at least. */
  suspect(indexes: Iterable<number>): void {
    for (const ifindex of [...indexes, ...this.later]) this.suspects.add(ifindex);
    this.later.clear();
  }

  /** Looks at those in question until `until`. */
  look(until: number): void {
    for (const ifindex of this.suspects) {
      if (this.parts.now() >= until) return;
      this.suspects.delete(ifindex);
      this.lookAt(ifindex);
    }
  }

  /** Whether `look` has more to do. */
  get isLeft(): boolean {
    return this.suspects.size > 0;
  }

  forget(ifindex: number): void {
    this.retries.delete(ifindex);
  }

  private lookAt(ifindex: number): void {
    const { interfaces, state, log } = this.parts;
    const watched = interfaces.get(ifindex);
    if (watched === undefined || interfaces.isAttached(ifindex)) return;
    const { name } = watched;
    // Gone or renamed: what the kernel tells of that is read first.
    if (this.retries.isWaiting(ifindex) || interfaceIndex(name) !== ifindex) {
      this.later.add(ifindex);
      return;
    }
    try {
      interfaces.repair(ifindex);
    } catch (error) {
      this.failed(watched, error);
      return;
    }
    this.retries.failed(ifindex);
    state.reattached(name);
    log.warn("somebody took the agent's programs away: attached again, packets in between were not seen", {
      interface: name,
    });
  }
}
