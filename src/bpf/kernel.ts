import type { AttachMode } from "../config/types.ts";
import { AyaflowError } from "../errors.ts";
import { type Attachment, type AttachMethod, attachInterface, chooseMethod } from "./attach.ts";
import { KernelClock } from "./clock.ts";
import { ENUMS, STRUCTS } from "./layout.gen.ts";
import {
  errnoName,
  interfaceHardwareType,
  interfaceIndex,
  type Mapping,
  mapShared,
  pageSize,
} from "./libc.ts";
import { libbpf } from "./libbpf.ts";
import { type BpfObject, loadObject, type ObjectOptions, type ProgramName } from "./object.ts";
import { EventRing, type RingHandlers } from "./ring.ts";
import { Slots } from "./slots.ts";
import { ANY_FRAME, runProgram } from "./test-run.ts";
import { PerCpuCounters } from "./totals.ts";

const MAX_INTERFACES = ENUMS.ayaflow_limit.AYAFLOW_MAX_INTERFACES;
const MAX_IFINDEX = ENUMS.ayaflow_limit.AYAFLOW_MAX_IFINDEX;
const CONTROL = STRUCTS.ayaflow_control;

/** Hardware types (<linux/if_arp.h>) whose packets start with an Ethernet header. */
const ETHERNET_TYPES = new Set([1, 772]);
/** ... and those whose packets start with the IP header: tun, PPP, raw IP, tunnels. */
const RAW_IP_TYPES = new Set([65534, 512, 519, 768, 769, 776, 778, 823]);

/** What the kernel can be told not to push. */
export interface Shed {
  /** Packets of raw mode. */
  packets: boolean;
  /** Payload for inspection. */
  payload: boolean;
}

export interface WatchedInterface {
  name: string;
  ifindex: number;
  /** Row in the totals, 1 and up. */
  row: number;
  method: AttachMethod;
}

/** The loaded programs and everything read from them. Close it to take all of it out of the kernel. */
export class Kernel {
  readonly slots: Slots;
  readonly ring: EventRing;
  readonly counters: PerCpuCounters;
  readonly clock: KernelClock;
  readonly interfaces: WatchedInterface[] = [];
  private readonly attachments: Attachment[] = [];
  private readonly number = new Uint32Array(1);
  private readonly control: Mapping;

  private constructor(
    private readonly object: BpfObject,
    capacity: number,
    handlers: RingHandlers,
  ) {
    const { maps, programs } = object;
    this.clock = new KernelClock(programs.ayaflow_clock, maps.ayaflow_control);
    this.slots = new Slots(maps.ayaflow_slots, capacity);
    this.counters = new PerCpuCounters(maps.ayaflow_totals, maps.ayaflow_lost);
    this.ring = new EventRing(maps.ayaflow_events, object.ringBytes, handlers);
    this.control = mapShared(maps.ayaflow_control, pageSize, 0, true);
    fillFree(programs.ayaflow_fill, this.control, capacity);
  }

  /** Loads the programs; nothing is attached yet. */
  static open(options: ObjectOptions, handlers: RingHandlers): Kernel {
    const object = loadObject(options);
    try {
      return new Kernel(object, options.maxConnections, handlers);
    } catch (error) {
      object.close();
      throw error;
    }
  }

  /** Descriptors of the loaded programs, by name. */
  get programs(): Readonly<Record<ProgramName, number>> {
    return this.object.programs;
  }

  /** Starts counting an interface of this network namespace, in both directions. */
  attach(name: string, mode: AttachMode): WatchedInterface {
    const ifindex = interfaceIndex(name);
    const row = this.interfaces.length + 1;
    if (ifindex === 0)
      throw new AyaflowError(`interface ${name} does not exist; \`ip link\` lists those that do`);
    if (ifindex > MAX_IFINDEX) {
      throw new AyaflowError(
        `interface ${name}: its index ${ifindex} is above ${MAX_IFINDEX}, the most supported`,
      );
    }
    if (row >= MAX_INTERFACES) {
      throw new AyaflowError(`interface ${name}: at most ${MAX_INTERFACES - 1} interfaces can be watched`);
    }
    const { programs, maps } = this.object;
    const pair = rawIp(name)
      ? { ingress: programs.ayaflow_in_l3, egress: programs.ayaflow_out_l3 }
      : { ingress: programs.ayaflow_ingress, egress: programs.ayaflow_egress };
    const method = chooseMethod(mode, pair.ingress);
    // Known to the programs before they run: no packet lands in the row of unknown interfaces.
    this.number[0] = row;
    const error = libbpf().bpf_map_update_elem(
      maps.ayaflow_ifaces,
      new Uint32Array([ifindex]),
      this.number,
      0n,
    );
    if (error < 0) throw new AyaflowError(`interface ${name}: cannot register it: ${errnoName(error)}`);
    this.attachments.push(...attachInterface(name, ifindex, pair, method));
    const watched = { name, ifindex, row, method };
    this.interfaces.push(watched);
    return watched;
  }

  /** Names of watched interfaces that are gone, or came back as another: nothing counts them any more. */
  missingInterfaces(): string[] {
    return this.interfaces
      .filter(({ name, ifindex }) => interfaceIndex(name) !== ifindex)
      .map(({ name }) => name);
  }

  /** Takes a connection out of the look-ups; packets under way still count on its slot. */
  retire(slot: number): void {
    libbpf().bpf_map_delete_elem(this.object.maps.ayaflow_flows, this.slots.key(slot));
    this.slots.hide(slot);
  }

  /** Gives a retired slot back, a grace time after `retire`. */
  free(slot: number): void {
    this.slots.clear(slot);
    this.pushFree(slot);
  }

  /** From now on the kernel counts as lost what it would have pushed of this. Everything else goes on. */
  shed({ packets, payload }: Shed): void {
    const word = new Uint32Array(this.control.buffer, CONTROL.shed.offset, 1);
    const { AYAFLOW_SHED_PACKETS, AYAFLOW_SHED_PAYLOAD } = ENUMS.ayaflow_shed;
    word[0] = (packets ? AYAFLOW_SHED_PACKETS : 0) | (payload ? AYAFLOW_SHED_PAYLOAD : 0);
  }

  /** Stops counting: no packet runs our programs after this. Counters stay readable until `close`. */
  detach(): void {
    for (const attachment of this.attachments.splice(0)) attachment.detach();
  }

  close(): void {
    this.detach();
    this.ring.close();
    this.slots.close();
    this.clock.close();
    this.control.unmap();
    this.object.close();
  }

  private pushFree(slot: number): void {
    this.number[0] = slot;
    libbpf().bpf_map_update_elem(this.object.maps.ayaflow_free, null, this.number, 0n);
  }
}

/** Puts every slot into the list of free ones, in the kernel. */
function fillFree(programFd: number, control: Mapping, capacity: number): void {
  const unfilled = new BigUint64Array(control.buffer, CONTROL.unfilled.offset, 1);
  unfilled[0] = BigInt(capacity);
  const runs = Math.ceil(capacity / ENUMS.ayaflow_limit.AYAFLOW_FILL_SLOTS);
  const { error } = runProgram(programFd, ANY_FRAME, undefined, runs);
  const left = unfilled[0];
  if (error !== 0 || left !== 0n) {
    throw new AyaflowError(`cannot prepare the connection table: ${errnoName(error)}, ${left} slots left`);
  }
}

function rawIp(name: string): boolean {
  const type = interfaceHardwareType(name);
  if (type === null || ETHERNET_TYPES.has(type)) return false;
  if (RAW_IP_TYPES.has(type)) return true;
  throw new AyaflowError(
    `interface ${name}: hardware type ${type} is neither Ethernet nor raw IP; leave it out`,
  );
}
