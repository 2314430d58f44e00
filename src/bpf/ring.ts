import { JSCallback, type Pointer, read } from "bun:ffi";
import { AyaflowError } from "../errors.ts";
import { STRUCTS } from "./layout.gen.ts";
import { type Mapping, errno, errnoName, mapShared, pageSize } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

const EVENT = STRUCTS.ayaflow_event;
/** Any negative value stops ring_buffer__consume after the record at hand. */
const STOP = -1;
const U32 = 0x100000000;

/** One event, valid during the call only: the object is used again for the next. */
export interface KernelEvent {
  type: number;
  /** 0 ingress, 1 egress. */
  direction: number;
  /** Sender: 0 for side A. */
  side: number;
  tcpFlags: number;
  slot: number;
  gen: number;
  bytes: number;
  packets: number;
  bootNs: number;
}

/** The event ring, drained by libbpf. */
export class EventRing {
  private readonly ring: Pointer;
  private readonly callback: JSCallback;
  private readonly consumer: Mapping;
  private readonly producer: Mapping;
  private readonly event: KernelEvent = {
    type: 0,
    direction: 0,
    side: 0,
    tcpFlags: 0,
    slot: 0,
    gen: 0,
    bytes: 0,
    packets: 0,
    bootNs: 0,
  };
  private budget = 0;
  private drained = 0;

  constructor(
    mapFd: number,
    readonly sizeBytes: number,
    private readonly handle: (event: KernelEvent) => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.callback = new JSCallback(
      (_context: null, data: Pointer, size: number) => this.receive(data, size),
      {
        args: ["ptr", "ptr", "usize"],
        returns: "i32",
      },
    );
    const ring = libbpf().ring_buffer__new(mapFd, this.callback.ptr, null, null);
    if (ring === null) throw new AyaflowError(`cannot open the event ring: ${errnoName(errno())}`);
    this.ring = ring as Pointer;
    this.consumer = mapShared(mapFd, pageSize, 0, false);
    this.producer = mapShared(mapFd, pageSize, pageSize, false);
  }

  /** Handles at most `limit` events. Returns how many there were. */
  drain(limit: number): number {
    this.budget = limit;
    this.drained = 0;
    libbpf().ring_buffer__consume(this.ring);
    return this.drained;
  }

  /** Bytes that wait to be drained. */
  usedBytes(): number {
    const used = position(this.producer) - position(this.consumer);
    return Math.min(Math.max(used, 0), this.sizeBytes);
  }

  close(): void {
    libbpf().ring_buffer__free(this.ring);
    this.consumer.unmap();
    this.producer.unmap();
    this.callback.close();
  }

  private receive(data: Pointer, size: number): number {
    if (size >= EVENT.size) {
      const { event } = this;
      event.type = read.u8(data, EVENT.type.offset);
      event.direction = read.u8(data, EVENT.direction.offset);
      event.side = read.u8(data, EVENT.side.offset);
      event.tcpFlags = read.u8(data, EVENT.tcp_flags.offset);
      event.slot = read.u32(data, EVENT.slot.offset);
      event.gen = read.u32(data, EVENT.gen.offset);
      event.bytes = read.u32(data, EVENT.bytes.offset);
      event.packets = read.u32(data, EVENT.packets.offset);
      event.bootNs = read.u32(data, EVENT.time_ns.offset + 4) * U32 + read.u32(data, EVENT.time_ns.offset);
      try {
        this.handle(event);
      } catch (error) {
        // An exception must not cross into C.
        this.failed(error);
      }
    }
    this.drained++;
    return this.drained < this.budget ? 0 : STOP;
  }
}

function position(mapping: Mapping): number {
  const words = new Uint32Array(mapping.buffer, 0, 2);
  return (words[1] ?? 0) * U32 + (words[0] ?? 0);
}
