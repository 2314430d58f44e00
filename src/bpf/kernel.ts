import { AyaflowError } from "../errors.ts";
import { KernelClock } from "./clock.ts";
import { KernelInterfaces } from "./kernel-interfaces.ts";
import { ENUMS, STRUCTS } from "./layout.gen.ts";
import { errnoName, type Mapping, mapShared, pageSize } from "./libc.ts";
import { libbpf } from "./libbpf.ts";
import { type BpfObject, loadObject, type ObjectOptions, type ProgramName } from "./object.ts";
import { EventRing, type RingHandlers } from "./ring.ts";
import { Slots } from "./slots.ts";
import { ANY_FRAME, runProgram } from "./test-run.ts";
import { PerCpuCounters } from "./totals.ts";

const CONTROL = STRUCTS.ayaflow_control;

/** What the kernel can be told not to push. */
export interface Shed {
  /** Packets of raw mode. */
  packets: boolean;
  /** Payload for inspection. */
  payload: boolean;
}

export interface KernelHandlers extends RingHandlers {
  /** An interface that was watched before is again, with another row: its connections are to count in that one. */
  moved?(ifindex: number, row: number): void;
  /** An interface is not watched any more. */
  unwatched?(ifindex: number): void;
}

/** The loaded programs and everything read from them. Close it to take all of it out of the kernel. */
export class Kernel {
  readonly slots: Slots;
  readonly ring: EventRing;
  readonly counters: PerCpuCounters;
  readonly clock: KernelClock;
  readonly interfaces: KernelInterfaces;
  private readonly number = new Uint32Array(1);
  private readonly control: Mapping;

  private constructor(
    private readonly object: BpfObject,
    capacity: number,
    handlers: KernelHandlers,
  ) {
    const { maps, programs } = object;
    this.clock = new KernelClock(programs.ayaflow_clock, maps.ayaflow_control);
    this.slots = new Slots(maps.ayaflow_slots, capacity);
    this.counters = new PerCpuCounters(maps.ayaflow_totals, maps.ayaflow_lost);
    this.interfaces = new KernelInterfaces({
      object,
      counters: this.counters,
      moveConnections: (ifindex, row) => handlers.moved?.(ifindex, row),
      unwatched: (ifindex) => handlers.unwatched?.(ifindex),
      now: () => performance.now(),
    });
    this.ring = new EventRing(maps.ayaflow_events, object.ringBytes, handlers);
    this.control = mapShared(maps.ayaflow_control, pageSize, 0, true);
    fillFree(programs.ayaflow_fill, this.control, capacity);
  }

  /** Loads the programs; nothing is attached yet. */
  static open(options: ObjectOptions, handlers: KernelHandlers): Kernel {
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
    this.interfaces.stop();
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
