import { claimInterface, InterfaceTakenError } from "../bpf/attach-claim.ts";
import { isSupported, type KernelInterfaces } from "../bpf/kernel-interfaces.ts";
import { interfaceIndex } from "../bpf/libc.ts";
import type { RouteSocket } from "../bpf/netlink.ts";
import type { Link } from "../bpf/netlink-messages.ts";
import { AUTO, readDefaultRoutes } from "../config/interfaces.ts";
import type { AttachMode } from "../config/types.ts";
import { AyaflowError, errorMessage } from "../errors.ts";
import { planWatch, type WatchPlan } from "../flow/watch.ts";
import { someOf, type WatchState } from "../flow/watch-state.ts";
import type { Logger } from "../log.ts";
import { WatchRepairs } from "./watch-repairs.ts";
import { Retries } from "./watch-retries.ts";

/** The event loop is handed back after this, in milliseconds. */
const TURN_MS = 4;
/** Attaching at start takes so long at most, in milliseconds: the kernel takes some 10 for each TCX link. */
const START_MS = 500;
/** TCX links are looked at so often, as nobody tells when one is detached; for room likewise. */
const LOOK_MS = 1000;
/** What failed for another reason than an interface is tried again after this. */
const AGAIN_MS = 1000;

export interface FollowerParts {
  socket: Pick<RouteSocket, "poll" | "links" | "followRoutes">;
  interfaces: KernelInterfaces;
  state: WatchState;
  attachMode: AttachMode;
  share: boolean;
  log: Logger;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Does something in the event loop's next turn. */
  soon: (work: () => void) => void;
}

/**
 * Keeps what is watched the same as what the patterns mean: what the kernel tells of a change leads to a look at
 * everything, whose result is compared with what is attached. Nothing depends on each message being read.
 */
export class WatchFollower {
  private isDirty = false;
  private areRoutesDirty = true;
  private againAt = 0;
  private nextLook = 0;
  private isScheduled = false;
  isStopped = false;
  private gone = new Set<number>();
  /** Indexes of interfaces that had a default route. One that loses it stays watched: links go down and come back. */
  private readonly withRoute = new Set<number>();
  private work: (() => void)[] = [];
  private readonly retries: Retries;
  private readonly repairs: WatchRepairs;
  private readonly skipped = new Set<number>();
  private unwatched: string[] = [];

  constructor(
    public patterns: readonly string[],
    private readonly parts: FollowerParts,
  ) {
    this.retries = new Retries(parts.now);
    this.repairs = new WatchRepairs(parts, (watched, error) => {
      this.detach({ ...watched, isGone: false });
      this.noteFailure(watched, error);
      this.isDirty = true;
    });
  }

  /**
   * Attaches to what there is: to what is named, and to more while there is time; the rest in turns of its own.
   * @throws AyaflowError as `startWatching` says.
   */
  start(): void {
    const { interfaces, share, log, now } = this.parts;
    this.parts.socket.followRoutes(this.patterns.includes(AUTO));
    const plan = this.plan();
    for (const { name, ifindex } of plan.attach) claimInterface(name, ifindex, share).release();
    const failures: { link: Link; error: unknown }[] = [];
    const until = now() + START_MS;
    for (const link of plan.attach) {
      if (now() >= until && !this.patterns.includes(link.name)) {
        this.work.push(() => this.tryAttach(link));
        continue;
      }
      try {
        this.attach(link);
      } catch (error) {
        if (error instanceof InterfaceTakenError || this.patterns.includes(link.name)) throw error;
        failures.push({ link, error });
      }
    }
    const [first] = failures;
    if (first !== undefined && interfaces.list.length === 0) throw first.error;
    for (const { link, error } of failures) this.noteFailure(link, error);
    this.work.push(() => this.noteUnwatched());
    if (interfaces.list.length === 0) log.warn("no interface is watched yet");
  }

  /** Reads what has happened, and sees to it as far as there is time; the rest in turns of its own. */
  tick(): void {
    const { interfaces, now } = this.parts;
    const changes = this.parts.socket.poll();
    if (changes.isLost) this.parts.log.debug("messages about interfaces were lost: looking at all of them");
    if (changes.isChanged || changes.hasRoutesChanged || changes.isLost) this.isDirty = true;
    if (changes.hasRoutesChanged || changes.isLost) this.areRoutesDirty = true;
    for (const ifindex of changes.gone) this.gone.add(ifindex);
    const isLookDue = now() >= this.nextLook;
    if (isLookDue) this.nextLook = now() + LOOK_MS;
    this.repairs.suspect(changes.filters);
    for (const { ifindex, method } of isLookDue || changes.isLost ? interfaces.list : []) {
      if (method === "tcx" || changes.isLost) this.repairs.suspect([ifindex]);
    }
    if (this.retries.isDue() || (isLookDue && this.unwatched.length > 0 && interfaces.hasRoom))
      this.isDirty = true;
    this.turn();
  }

  /** Watches what `patterns` mean from now on. */
  follow(patterns: readonly string[]): void {
    this.patterns = patterns;
    this.withRoute.clear();
    this.areRoutesDirty = true;
    this.parts.socket.followRoutes(patterns.includes(AUTO));
    this.work = [];
    this.isDirty = true;
    this.againAt = 0;
    this.turn();
  }

  stop(): void {
    this.isStopped = true;
  }

  private turn(): void {
    if (this.isStopped) return;
    const { now } = this.parts;
    const until = now() + TURN_MS;
    if (this.work.length === 0 && this.isDirty && now() >= this.againAt) this.replan();
    while (this.work.length > 0 && now() < until) this.work.shift()?.();
    // An interface that is on its way out has lost our programs as well: what is known of is done first.
    if (this.work.length === 0 && !this.isDirty) {
      this.repairs.look(until);
    }
    const isLeft = this.work.length > 0 || (!this.isDirty && this.repairs.isLeft);
    if (!isLeft || this.isScheduled) return;
    this.isScheduled = true;
    this.parts.soon(() => {
      this.isScheduled = false;
      this.turn();
    });
  }

  private replan(): void {
    const { state, log, now } = this.parts;
    let plan: WatchPlan<Link>;
    try {
      plan = this.plan();
      state.trouble = null;
    } catch (error) {
      if (state.trouble === null) log.error("cannot look at the interfaces", { error: errorMessage(error) });
      state.trouble = errorMessage(error);
      this.againAt = now() + AGAIN_MS;
      return;
    }
    this.work = [
      ...plan.detach.map((one) => () => this.detach(one)),
      ...plan.rename.map((one) => () => this.rename(one)),
      ...plan.attach.map((link) => () => this.tryAttach(link)),
      () => this.noteUnwatched(),
    ];
  }

  /** Compares what is there with what is watched. */
  private plan(): WatchPlan<Link> {
    const { socket, interfaces, state, log } = this.parts;
    this.isDirty = false;
    let links: Link[];
    try {
      links = socket.links();
    } catch (error) {
      this.isDirty = true;
      throw error;
    }
    const { gone } = this;
    this.gone = new Set();
    const present = new Set(links.map(({ ifindex }) => ifindex));
    for (const known of [this.withRoute, this.skipped]) {
      for (const ifindex of known) if (!present.has(ifindex) || gone.has(ifindex)) known.delete(ifindex);
    }
    this.noteRoutes(links);
    const plan = planWatch(this.patterns, {
      links,
      defaultRoute: links.filter(({ ifindex }) => this.withRoute.has(ifindex)).map(({ name }) => name),
      gone,
      watched: interfaces.list,
      isSupported,
    });
    for (const { name, ifindex, hardwareType } of plan.skipped) {
      if (!this.skipped.has(ifindex)) log.debug("left out", { interface: name, hardware_type: hardwareType });
      this.skipped.add(ifindex);
    }
    for (const waiting of plan.waiting) {
      if (!state.waiting.includes(waiting)) log.warn(`${waiting}: watched as soon as there is one`);
    }
    state.waiting = plan.waiting;
    const wanted = new Set(plan.attach.map(({ ifindex }) => ifindex));
    for (const ifindex of this.retries.keys()) {
      if (wanted.has(ifindex) && !gone.has(ifindex)) continue;
      this.retries.delete(ifindex);
      state.mended(ifindex);
    }
    this.unwatched = [];
    return plan;
  }

  private noteRoutes(links: readonly Link[]): void {
    if (!this.areRoutesDirty) return;
    this.areRoutesDirty = false;
    if (!this.patterns.includes(AUTO)) return;
    const names = readDefaultRoutes();
    for (const { name, ifindex } of links) if (names.includes(name)) this.withRoute.add(ifindex);
  }

  private detach({ name, ifindex, isGone }: WatchPlan<Link>["detach"][number]): void {
    const { interfaces, state, log } = this.parts;
    if (interfaces.get(ifindex) === undefined) return;
    interfaces.detach(ifindex);
    this.repairs.forget(ifindex);
    state.changes.detached++;
    log.info(isGone ? "an interface is gone" : "no longer watching", { interface: name, ifindex });
  }

  private rename({ ifindex, from, to }: WatchPlan<Link>["rename"][number]): void {
    this.parts.interfaces.rename(ifindex, to);
    this.parts.state.changes.renamed++;
    this.parts.log.info("an interface was renamed", { interface: to, before: from, ifindex });
  }

  private attach(link: Link): void {
    const { interfaces, state, attachMode, share, log } = this.parts;
    const { name, ifindex } = link;
    if (interfaces.get(ifindex) !== undefined) return;
    if (!interfaces.hasRoom) {
      this.unwatched.push(name);
      this.retries.delete(ifindex);
      state.mended(ifindex);
      return;
    }
    const { method } = interfaces.attach(link, attachMode, share);
    this.retries.delete(ifindex);
    state.mended(ifindex);
    state.changes.attached++;
    log.info("watching", { interface: name, ifindex, method });
  }

  private tryAttach(link: Link): void {
    if (this.retries.isWaiting(link.ifindex)) return;
    try {
      this.attach(link);
    } catch (error) {
      this.noteFailure(link, error);
    }
  }

  private noteFailure({ name, ifindex }: Pick<Link, "name" | "ifindex">, error: unknown): void {
    // Gone or renamed while we were at it: the kernel has told, or will.
    if (interfaceIndex(name) !== ifindex) return;
    const { state, log } = this.parts;
    const isFirst = this.retries.failed(ifindex) === 1;
    const sentence = errorMessage(error);
    state.failed(ifindex, sentence);
    if (isFirst || !(error instanceof AyaflowError))
      log.warn("an interface cannot be watched", { interface: name, error: sentence });
  }

  private noteUnwatched(): void {
    const { state, log } = this.parts;
    if (this.unwatched.length > 0 && state.unwatched.length === 0)
      log.warn("as many interfaces are watched as can be", { not: someOf(this.unwatched) });
    state.unwatched = this.unwatched;
  }
}
