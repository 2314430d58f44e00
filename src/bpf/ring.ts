import { JSCallback, type Pointer, read } from "bun:ffi";
import { AyaflowError } from "../errors.ts";
import { ENUMS, STRUCTS } from "./layout.gen.ts";
import { copyFrom, type Mapping, errno, errnoName, mapShared, pageSize } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

const OPEN = STRUCTS.ayaflow_open;
const EVENT = STRUCTS.ayaflow_event;
const PAYLOAD = STRUCTS.ayaflow_payload;
const TYPE_OPEN = ENUMS.ayaflow_event_type.AYAFLOW_EVENT_OPEN;
const TYPE_PACKET = ENUMS.ayaflow_event_type.AYAFLOW_EVENT_PACKET;
const TYPE_PAYLOAD = ENUMS.ayaflow_event_type.AYAFLOW_EVENT_PAYLOAD;
/** Looking into a payload takes as long as so many other events. */
const PAYLOAD_WORK = 16;
/** Any negative value stops ring_buffer__consume after the record at hand. */
const STOP = -1;
const SLOT_SHIFT = ENUMS.ayaflow_limit.AYAFLOW_OPEN_SLOT_SHIFT;
const U32 = 0x100000000;

/**
 * One event, valid during the call only: the object is used again for the next.
 * Of a connection that was opened only `type`, `slot` and `gen` are set.
 */
export interface KernelEvent {
  type: number;
  /** 0 ingress, 1 egress. */
  direction: number;
  /** Sender: 0 for side A. */
  side: 0 | 1;
  tcpFlags: number;
  slot: number;
  gen: number;
  bytes: number;
  packets: number;
  bootNs: number;
}

/** Payload of one packet, valid during the call only, `bytes` too. */
export interface KernelPayload {
  /** 0 ingress, 1 egress. */
  direction: number;
  /** Sender: 0 for side A. */
  side: 0 | 1;
  tcpFlags: number;
  slot: number;
  gen: number;
  bootNs: number;
  /** IP protocol number. */
  protocol: number;
  /** TCP sequence number of the first byte, and of the first that its sender ever sent (0 where not seen). */
  sequence: number;
  startSequence: number;
  /** Size of the datagrams that a UDP GSO packet is made of; 0 for one datagram. */
  segment: number;
  /** As enum ayaflow_fragment; where the payload lies in that of the whole IP packet, and the packet's identification. */
  fragment: number;
  fragmentOffset: number;
  fragmentId: number;
  /** Payload bytes of the packet; `bytes` may be fewer. */
  length: number;
  bytes: Uint8Array;
}

export interface RingHandlers {
  event: (event: KernelEvent) => void;
  payload: (payload: KernelPayload) => void;
  /** Something thrown while an event was handled. */
  failed: (error: unknown) => void;
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
  private readonly payload: KernelPayload = {
    direction: 0,
    side: 0,
    tcpFlags: 0,
    slot: 0,
    gen: 0,
    bootNs: 0,
    protocol: 0,
    sequence: 0,
    startSequence: 0,
    segment: 0,
    fragment: 0,
    fragmentOffset: 0,
    fragmentId: 0,
    length: 0,
    bytes: new Uint8Array(),
  };
  /** Copied here, as libbpf moves on behind the record when the call returns. */
  private readonly copied = new Uint8Array(ENUMS.ayaflow_limit.AYAFLOW_INSPECT_BYTES);
  private budget = 0;
  private drained = 0;

  constructor(
    mapFd: number,
    readonly sizeBytes: number,
    private readonly handlers: RingHandlers,
  ) {
    this.callback = new JSCallback(
      (_context: null, data: Pointer, size: number) => this.receive(data, size),
      {
        // A record is below 4 GiB: as usize it would come as a bigint, which is slow.
        args: ["ptr", "ptr", "u32"],
        returns: "i32",
      },
    );
    const ring = libbpf().ring_buffer__new(mapFd, this.callback.ptr, null, null);
    if (ring === null) throw new AyaflowError(`cannot open the event ring: ${errnoName(errno())}`);
    this.ring = ring as Pointer;
    this.consumer = mapShared(mapFd, pageSize, 0, false);
    this.producer = mapShared(mapFd, pageSize, pageSize, false);
  }

  /** Handles events worth `work` at most, a payload counting as several. Returns how much there was. */
  drain(work: number): number {
    this.budget = work;
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
    try {
      const type = read.u8(data, EVENT.type.offset);
      if (type === TYPE_PACKET && size >= EVENT.size) this.receivePacket(data);
      else if (type === TYPE_PAYLOAD && size > PAYLOAD.size) this.receivePayload(data, size);
      else if (type === TYPE_OPEN && size >= OPEN.size) this.receiveOpen(data);
    } catch (error) {
      // An exception must not cross into C.
      this.handlers.failed(error);
    }
    this.drained++;
    return this.drained < this.budget ? 0 : STOP;
  }

  private receiveOpen(data: Pointer): void {
    const { event } = this;
    event.type = TYPE_OPEN;
    event.slot = read.u32(data, OPEN.type_and_slot.offset) >>> SLOT_SHIFT;
    event.gen = read.u32(data, OPEN.gen.offset);
    this.handlers.event(event);
  }

  private receivePacket(data: Pointer): void {
    const { event } = this;
    event.type = TYPE_PACKET;
    event.direction = read.u8(data, EVENT.direction.offset);
    event.side = read.u8(data, EVENT.side.offset) === 0 ? 0 : 1;
    event.tcpFlags = read.u8(data, EVENT.tcp_flags.offset);
    event.slot = read.u32(data, EVENT.slot.offset);
    event.gen = read.u32(data, EVENT.gen.offset);
    event.bytes = read.u32(data, EVENT.bytes.offset);
    event.packets = read.u32(data, EVENT.packets.offset);
    event.bootNs = read64(data, EVENT.time_ns.offset);
    this.handlers.event(event);
  }

  private receivePayload(data: Pointer, size: number): void {
    const { payload, copied } = this;
    this.drained += PAYLOAD_WORK - 1;
    const length = Math.min(size - PAYLOAD.size, copied.length);
    payload.direction = read.u8(data, PAYLOAD.direction.offset);
    payload.side = read.u8(data, PAYLOAD.side.offset) === 0 ? 0 : 1;
    payload.tcpFlags = read.u8(data, PAYLOAD.tcp_flags.offset);
    payload.slot = read.u32(data, PAYLOAD.slot.offset);
    payload.gen = read.u32(data, PAYLOAD.gen.offset);
    payload.bootNs = read64(data, PAYLOAD.time_ns.offset);
    payload.protocol = read.u8(data, PAYLOAD.protocol.offset);
    payload.sequence = read.u32(data, PAYLOAD.seq.offset);
    payload.startSequence = read.u32(data, PAYLOAD.start_seq.offset);
    payload.segment = read.u16(data, PAYLOAD.segment.offset);
    payload.fragment = read.u8(data, PAYLOAD.fragment.offset);
    payload.fragmentOffset = read.u16(data, PAYLOAD.fragment_offset.offset);
    payload.fragmentId = read.u32(data, PAYLOAD.fragment_id.offset);
    payload.length = read.u32(data, PAYLOAD.length.offset);
    copyFrom((data + PAYLOAD.size) as Pointer, length, copied);
    payload.bytes = copied.subarray(0, length);
    this.handlers.payload(payload);
  }
}

function read64(data: Pointer, offset: number): number {
  return read.u32(data, offset + 4) * U32 + read.u32(data, offset);
}

function position(mapping: Mapping): number {
  const words = new Uint32Array(mapping.buffer, 0, 2);
  return (words[1] ?? 0) * U32 + (words[0] ?? 0);
}
