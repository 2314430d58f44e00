import type { AttachMode } from "../config/types.ts";
import { AyaflowError } from "../errors.ts";
import {
  attachInterface,
  type AttachMethod,
  chooseMethod,
  type Hook,
  type InterfaceAttachment,
} from "./attach.ts";
import { DepartedTotals } from "./departed.ts";
import { ENUMS } from "./layout.gen.ts";
import { errnoName } from "./libc.ts";
import { libbpf } from "./libbpf.ts";
import type { Link } from "./netlink-messages.ts";
import type { BpfObject } from "./object.ts";
import type { PerCpuCounters } from "./totals.ts";

/** Row 0 of the totals is for packets of interfaces that are not registered. */
const ROWS = ENUMS.ayaflow_limit.AYAFLOW_MAX_INTERFACES - 1;
const MAX_IFINDEX = ENUMS.ayaflow_limit.AYAFLOW_MAX_IFINDEX;
/** So long `stop` takes links away, in milliseconds. */
const STOP_MS = 600;
/** Interfaces that went and whose names are still known. */
const MAX_FORMER = 10_000;

/** ARPHRD_LOOPBACK: what goes out comes in again. */
const LOOPBACK = 772;
/** Hardware types (<linux/if_arp.h>) whose packets start with an Ethernet header. */
const ETHERNET_TYPES = new Set([1, LOOPBACK]);
/** ... and those whose packets start with the IP header: tun and WireGuard, PPP, raw IP, tunnels. */
const RAW_IP_TYPES = new Set([65534, 512, 519, 768, 769, 776, 778, 823]);

/** Whether packets of this hardware type can be read. */
export function isSupported(hardwareType: number): boolean {
  return ETHERNET_TYPES.has(hardwareType) || RAW_IP_TYPES.has(hardwareType);
}

export interface WatchedInterface {
  readonly name: string;
  readonly ifindex: number;
  /** Row in the totals, 1 and up. */
  readonly row: number;
  readonly method: AttachMethod;
  /** A loopback device has one: the other would see each packet again. */
  readonly hooks: readonly Hook[];
}

interface Entry {
  watched: { -readonly [K in keyof WatchedInterface]: WatchedInterface[K] };
  attachment: InterfaceAttachment;
}

export interface InterfacesParts {
  object: BpfObject;
  counters: PerCpuCounters;
  /** Makes what is left of an interface's connections from before count in another row. */
  moveConnections: (ifindex: number, row: number) => void;
  /** Told of an interface that is not watched any more. */
  unwatched: (ifindex: number) => void;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The interfaces whose packets are counted. They come and go; rows of the totals are used again. */
export class KernelInterfaces {
  private readonly entries = new Map<number, Entry>();
  /** Name and row of those that went, by index, the longest gone first: their connections stay for a while. */
  private readonly former = new Map<number, { name: string; row: number }>();
  /** In the order they are used again: the longest unused first. */
  private readonly freeRows = Array.from({ length: ROWS }, (_, index) => index + 1);
  private watchedList: WatchedInterface[] = [];
  private isStopped = false;
  private method: { mode: AttachMode; found: AttachMethod } | undefined;
  readonly departed: DepartedTotals;

  constructor(private readonly parts: InterfacesParts) {
    this.departed = new DepartedTotals(parts.counters, parts.now);
  }

  get list(): readonly WatchedInterface[] {
    return this.watchedList;
  }

  /** Whether another one can be watched. */
  get hasRoom(): boolean {
    this.settle();
    return this.freeRows.length > 0;
  }

  get(ifindex: number): WatchedInterface | undefined {
    return this.entries.get(ifindex)?.watched;
  }

  /** The name of an interface that is watched, or was until not long ago. */
  nameOf(ifindex: number): string {
    return (this.entries.get(ifindex)?.watched ?? this.former.get(ifindex))?.name ?? `if${ifindex}`;
  }

  /**
   * Starts counting an interface of this network namespace.
   * @throws AyaflowError when the kernel refuses, there is no room, or another agent is there and `share` is false.
   */
  attach(link: Link, mode: AttachMode, share: boolean): WatchedInterface {
    const { name, ifindex } = link;
    if (ifindex > MAX_IFINDEX) {
      throw new AyaflowError(
        `interface ${name}: its index ${ifindex} is above ${MAX_IFINDEX}, the most supported`,
      );
    }
    const programs = this.programsFor(link);
    const row = this.takeRow(ifindex, name);
    try {
      // Known to the programs before they run: no packet lands in the row of unknown interfaces.
      this.register(name, ifindex, row);
      const method = this.methodFor(mode);
      const attachment = attachInterface({ name, ifindex, programs, method, share });
      const hooks = Object.keys(programs) as Hook[];
      const watched = { name, ifindex, row, method, hooks };
      this.entries.set(ifindex, { watched, attachment });
      this.former.delete(ifindex);
      this.noteList();
      return watched;
    } catch (error) {
      this.unregister(ifindex);
      this.departed.add(row);
      throw error;
    }
  }

  /** Stops counting an interface. Its counters join those of all that went. */
  detach(ifindex: number): void {
    const entry = this.entries.get(ifindex);
    if (entry === undefined) return;
    this.entries.delete(ifindex);
    entry.attachment.detach();
    this.unregister(ifindex);
    const { name, row } = entry.watched;
    this.departed.add(row);
    this.former.delete(ifindex);
    this.former.set(ifindex, { name, row });
    for (const [oldest] of this.former) {
      if (this.former.size <= MAX_FORMER) break;
      this.former.delete(oldest);
    }
    this.noteList();
    this.parts.unwatched(ifindex);
  }

  rename(ifindex: number, name: string): void {
    const entry = this.entries.get(ifindex);
    if (entry === undefined) return;
    entry.watched = { ...entry.watched, name };
    this.noteList();
  }

  /** Whether the kernel still runs our programs on it. */
  isAttached(ifindex: number): boolean {
    return this.entries.get(ifindex)?.attachment.isAttached() ?? false;
  }

  /** Attaches again what others took away. @throws AyaflowError when the kernel refuses. */
  repair(ifindex: number): void {
    this.entries.get(ifindex)?.attachment.repair();
  }

  /**
   * Takes the programs off all interfaces; what they counted stays readable by interface. The kernel takes some 10 ms
   * for each TCX link: those for which there is no time go with the process.
   */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    const until = this.parts.now() + STOP_MS;
    for (const { watched, attachment } of this.entries.values()) {
      if (watched.method === "clsact" || this.parts.now() < until) attachment.detach();
    }
  }

  private noteList(): void {
    this.watchedList = [...this.entries.values()].map(({ watched }) => watched);
  }

  private programsFor({ name, hardwareType }: Link): Partial<Record<Hook, number>> {
    const { programs } = this.parts.object;
    // What arrives there is what was sent there: counted once, where a packet has got through.
    if (hardwareType === LOOPBACK) return { ingress: programs.ayaflow_ingress };
    if (ETHERNET_TYPES.has(hardwareType))
      return { ingress: programs.ayaflow_ingress, egress: programs.ayaflow_egress };
    if (RAW_IP_TYPES.has(hardwareType))
      return { ingress: programs.ayaflow_in_l3, egress: programs.ayaflow_out_l3 };
    throw new AyaflowError(
      `interface ${name}: hardware type ${hardwareType} is neither Ethernet nor raw IP; leave it out`,
    );
  }

  private methodFor(mode: AttachMode): AttachMethod {
    if (this.method?.mode !== mode)
      this.method = { mode, found: chooseMethod(mode, this.parts.object.programs.ayaflow_ingress) };
    return this.method.found;
  }

  /** A free row. That of the same interface goes on, so that its connections of before count in it as well. */
  private takeRow(ifindex: number, name: string): number {
    this.settle();
    const before = this.former.get(ifindex)?.row;
    if (before !== undefined) {
      if (this.departed.takeBack(before)) return before;
      const at = this.freeRows.indexOf(before);
      if (at >= 0) return this.freeRows.splice(at, 1)[0] ?? before;
    }
    const row = this.freeRows.shift();
    if (row === undefined)
      throw new AyaflowError(`interface ${name}: at most ${ROWS} can be watched at a time`);
    if (before !== undefined) this.parts.moveConnections(ifindex, row);
    return row;
  }

  /** Rows in which nothing counts any more can be used again. */
  private settle(): void {
    this.freeRows.push(...this.departed.settle());
  }

  private register(name: string, ifindex: number, row: number): void {
    const { ayaflow_ifaces } = this.parts.object.maps;
    const key = new Uint32Array([ifindex]);
    const error = libbpf().bpf_map_update_elem(ayaflow_ifaces, key, new Uint32Array([row]), 0n);
    if (error < 0) throw new AyaflowError(`interface ${name}: cannot register it: ${errnoName(error)}`);
  }

  private unregister(ifindex: number): void {
    libbpf().bpf_map_delete_elem(this.parts.object.maps.ayaflow_ifaces, new Uint32Array([ifindex]));
  }
}
