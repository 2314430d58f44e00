import { ENUMS, STRUCTS } from "./layout.gen.ts";
import { type Mapping, mapShared, pageSize } from "./libc.ts";
import {
  clientDirectionOf,
  clientOf,
  directionOf,
  type Handshake,
  type SideCounters,
  type SlotDetail,
} from "./slot-info.ts";
import { isSameTuple, tupleHash } from "./slot-tuple.ts";

export { type Handshake, handshakeNs, type SideCounters, type SlotDetail, splitMeta } from "./slot-info.ts";

const SLOT = STRUCTS.ayaflow_slot;
const KEY = STRUCTS.ayaflow_key;
const SIDE = STRUCTS.ayaflow_side;
const COUNTERS = STRUCTS.ayaflow_counters;
const INSPECT = ENUMS.ayaflow_inspect_mode;

/** Slots of one mapping, a power of two: a whole number of pages at every page size up to 64 KiB. */
const CHUNK_SHIFT = 12;
const CHUNK_SLOTS = 1 << CHUNK_SHIFT;
/** Slots that `Slots.sums` reads at a time: they are of one mapping. */
export const BLOCK_SLOTS = 1024;
const WORDS = SLOT.size / 4;
const U32 = 0x100000000;
const META_WORD = (SLOT.key.offset + KEY.meta.offset) / 4;
const KEY_WORD = SLOT.key.offset / 4;
const GEN_WORD = SLOT.gen.offset / 4;
const MODE_BYTE = SLOT.inspect.offset + STRUCTS.ayaflow_inspect.mode.offset;
const COUNT_WORD = SLOT.count.offset / 4;
/** From a side's packets to its bytes, and from the counters of one side to those of the other. */
const BYTES_WORDS = COUNTERS.bytes.offset / 4;
const SIDE_WORDS = COUNTERS.size / 4;

interface Chunk {
  mapping: Mapping;
  words: Uint32Array;
  bytes: Uint8Array;
}

/**
 * The connection table in the kernel's own memory, mapped chunk by chunk as slots come into use:
 * mapped pages count as resident, so what is not needed is not mapped.
 */
export class Slots {
  private readonly chunks: (Chunk | undefined)[];

  constructor(
    private readonly mapFd: number,
    readonly capacity: number,
  ) {
    this.chunks = Array.from({ length: Math.ceil(capacity / CHUNK_SLOTS) });
  }

  /** `meta` of the slot's key; 0 while the slot is free or being retired. */
  meta(slot: number): number {
    return this.chunk(slot).words[wordOf(slot) + META_WORD] ?? 0;
  }

  generation(slot: number): number {
    return this.chunk(slot).words[wordOf(slot) + GEN_WORD] ?? 0;
  }

  state(slot: number): number {
    return this.chunk(slot).bytes[byteOf(slot) + SLOT.state.offset] ?? 0;
  }

  /** Fills `into` with the counters as they stand. */
  counters(slot: number, into: SideCounters): void {
    const words = this.chunk(slot).words;
    const at = wordOf(slot) + COUNT_WORD;
    into.packetsA = counter(words, at);
    into.bytesA = counter(words, at + BYTES_WORDS);
    into.packetsB = counter(words, at + SIDE_WORDS);
    into.bytesB = counter(words, at + SIDE_WORDS + BYTES_WORDS);
  }

  /** Packets of side A (0) or B (1). */
  sidePackets(slot: number, side: 0 | 1): number {
    return counter(this.chunk(slot).words, wordOf(slot) + COUNT_WORD + side * SIDE_WORDS);
  }

  /**
   * Packets and bytes of both sides together of the slots of a block (number `block`, BLOCK_SLOTS each) for which
   * `wanted`, by slot, is not 0: into `packets` and `bytes`, by place in the block. What is not wanted stays as it was.
   */
  sums(block: number, wanted: Uint8Array, packets: Float64Array, bytes: Float64Array): void {
    const first = block * BLOCK_SLOTS;
    const count = Math.min(BLOCK_SLOTS, this.capacity - first);
    const words = this.chunks[first >>> CHUNK_SHIFT]?.words;
    if (words === undefined) return;
    let at = wordOf(first) + COUNT_WORD;
    for (let place = 0; place < count; place++, at += WORDS) {
      if (wanted[first + place] === 0) continue;
      packets[place] = counter(words, at) + counter(words, at + SIDE_WORDS);
      bytes[place] = counter(words, at + BYTES_WORDS) + counter(words, at + SIDE_WORDS + BYTES_WORDS);
    }
  }

  /** Segments that side A (0) or B (1) sent again. */
  retransmits(slot: number, side: 0 | 1): number {
    const at = wordOf(slot) + (SLOT.side.offset + side * SIDE.size + SIDE.retransmits.offset) / 4;
    return this.chunk(slot).words[at] ?? 0;
  }

  /** See `tupleHash` of slot-tuple.ts. */
  tupleHash(slot: number, factors: Int32Array): number {
    return tupleHash(this.chunk(slot).words, wordOf(slot) + KEY_WORD, factors);
  }

  /** Whether two slots have the same addresses, ports, family and protocol, on whatever interfaces. */
  isSameTuple(one: number, other: number): boolean {
    const [first, second] = [this.chunk(one).words, this.chunk(other).words];
    return isSameTuple(first, wordOf(one) + KEY_WORD, second, wordOf(other) + KEY_WORD);
  }

  /** Port of side A (0) or B (1). */
  port(slot: number, side: 0 | 1): number {
    const { bytes } = this.chunk(slot);
    const at = byteOf(slot) + (side === 0 ? KEY.port_a.offset : KEY.port_b.offset);
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  }

  /** Address of side A (0) or B (1), 16 bytes: a view, valid until the slot changes. */
  address(slot: number, side: 0 | 1): Uint8Array {
    const at = byteOf(slot) + (side === 0 ? KEY.addr_a.offset : KEY.addr_b.offset);
    return this.chunk(slot).bytes.subarray(at, at + 16);
  }

  /** Copies the last bytes of a side's address, as many as `into` takes. */
  copyAddress(slot: number, side: 0 | 1, into: Uint8Array): void {
    const { bytes } = this.chunk(slot);
    const end = byteOf(slot) + (side === 0 ? KEY.addr_a.offset : KEY.addr_b.offset) + 16;
    const at = end - into.length;
    for (let index = 0; index < into.length; index++) into[index] = bytes[at + index] ?? 0;
  }

  /** Side that is the client: 0 for A. */
  client(slot: number): 0 | 1 {
    return clientOf(this.chunk(slot).bytes[byteOf(slot) + SLOT.info.offset] ?? 0);
  }

  /** How the client's packets cross the interface: 0 ingress, 1 egress. */
  clientDirection(slot: number): number {
    return clientDirectionOf(this.chunk(slot).bytes[byteOf(slot) + SLOT.info.offset] ?? 0);
  }

  /** How the packets of side A (0) or B (1) do. */
  direction(slot: number, side: 0 | 1): number {
    return directionOf(this.chunk(slot).bytes[byteOf(slot) + SLOT.info.offset] ?? 0, side);
  }

  /** TCP flags seen from either side. */
  flags(slot: number): number {
    const { bytes } = this.chunk(slot);
    const at = byteOf(slot) + SLOT.side.offset + SIDE.flags.offset;
    return (bytes[at] ?? 0) | (bytes[at + SIDE.size] ?? 0);
  }

  handshake(slot: number): Handshake {
    const { words } = this.chunk(slot);
    const at = wordOf(slot);
    return {
      rttServerNs: words[at + SLOT.rtt_server_ns.offset / 4] ?? 0,
      rttClientNs: words[at + SLOT.rtt_client_ns.offset / 4] ?? 0,
    };
  }

  firstBootNs(slot: number): number {
    const { words } = this.chunk(slot);
    const at = wordOf(slot) + SLOT.first_ns.offset / 4;
    return (words[at + 1] ?? 0) * U32 + (words[at] ?? 0);
  }

  lastJiffies(slot: number): number {
    return this.chunk(slot).words[wordOf(slot) + SLOT.last_jiffies.offset / 4] ?? 0;
  }

  detail(slot: number): SlotDetail {
    const { bytes } = this.chunk(slot);
    const at = byteOf(slot);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, SLOT.size);
    const side = (which: number) => SLOT.side.offset + which * SIDE.size;
    const both = <T>(read: (offset: number) => T): [T, T] => [read(side(0)), read(side(1))];
    return {
      addressA: bytes.slice(at + KEY.addr_a.offset, at + KEY.addr_a.offset + 16),
      addressB: bytes.slice(at + KEY.addr_b.offset, at + KEY.addr_b.offset + 16),
      portA: view.getUint16(KEY.port_a.offset, true),
      portB: view.getUint16(KEY.port_b.offset, true),
      client: this.client(slot),
      clientDirection: this.clientDirection(slot),
      state: view.getUint8(SLOT.state.offset),
      firstBootNs: this.firstBootNs(slot),
      lastJiffies: this.lastJiffies(slot),
      rttServerNs: view.getUint32(SLOT.rtt_server_ns.offset, true),
      rttClientNs: view.getUint32(SLOT.rtt_client_ns.offset, true),
      retransmits: both((offset) => view.getUint32(offset + SIDE.retransmits.offset, true)),
      outOfOrder: both((offset) => view.getUint32(offset + SIDE.out_of_order.offset, true)),
      flags: both((offset) => view.getUint8(offset + SIDE.flags.offset)),
    };
  }

  /** The kernel hands over no more payload of the connection. */
  stopInspection(slot: number): void {
    this.setInspection(slot, INSPECT.AYAFLOW_INSPECT_DONE);
  }

  /** Whether `stopInspection` was called for the connection: payload of it can still be in the ring. */
  isInspectionStopped(slot: number): boolean {
    const { bytes } = this.chunk(slot);
    const at = byteOf(slot) + MODE_BYTE;
    // The kernel may have overwritten that of one side, finding its budget spent at the same moment.
    return [bytes[at], bytes[at + 1]].includes(INSPECT.AYAFLOW_INSPECT_DONE);
  }

  /** The kernel hands over every payload of the connection from now on. */
  inspectAlways(slot: number): void {
    this.setInspection(slot, INSPECT.AYAFLOW_INSPECT_ALWAYS);
  }

  /** A copy of the slot's key, for deleting it from the hash. */
  key(slot: number): Uint8Array {
    const at = byteOf(slot);
    return this.chunk(slot).bytes.slice(at, at + KEY.size);
  }

  /** Its packets count in this row of the totals. */
  setRow(slot: number, row: number): void {
    const at = byteOf(slot) + SLOT.interface.offset;
    this.chunk(slot).bytes.set([row & 0xff, row >>> 8], at);
  }

  /** Makes every later look-up miss the slot; the counters stay. */
  hide(slot: number): void {
    this.chunk(slot).words[wordOf(slot) + META_WORD] = 0;
  }

  /** Zeroes the slot for its next connection and raises its generation. */
  clear(slot: number): void {
    const { words } = this.chunk(slot);
    const at = wordOf(slot);
    const next = ((words[at + GEN_WORD] ?? 0) + 1) >>> 0;
    words.fill(0, at, at + WORDS);
    words[at + GEN_WORD] = next;
  }

  close(): void {
    for (const chunk of this.chunks) chunk?.mapping.unmap();
    this.chunks.fill(undefined);
  }

  private setInspection(slot: number, mode: number): void {
    const at = byteOf(slot) + MODE_BYTE;
    this.chunk(slot).bytes.fill(mode, at, at + STRUCTS.ayaflow_inspect.mode.size);
  }

  private chunk(slot: number): Chunk {
    return this.chunks[slot >>> CHUNK_SHIFT] ?? this.mapChunk(slot >>> CHUNK_SHIFT);
  }

  private mapChunk(index: number): Chunk {
    const first = index * CHUNK_SLOTS;
    const slots = Math.min(CHUNK_SLOTS, this.capacity - first);
    const length = Math.ceil((slots * SLOT.size) / pageSize) * pageSize;
    const mapping = mapShared(this.mapFd, length, first * SLOT.size, true);
    const chunk = { mapping, words: new Uint32Array(mapping.buffer), bytes: new Uint8Array(mapping.buffer) };
    this.chunks[index] = chunk;
    return chunk;
  }
}

function byteOf(slot: number): number {
  return (slot & (CHUNK_SLOTS - 1)) * SLOT.size;
}

function wordOf(slot: number): number {
  return (slot & (CHUNK_SLOTS - 1)) * WORDS;
}

/** A 64-bit counter that grows meanwhile: two 32-bit loads, again when the high half moved between. */
function counter(words: Uint32Array, at: number): number {
  for (;;) {
    const high = words[at + 1] ?? 0;
    const low = words[at] ?? 0;
    if (high === words[at + 1]) return high * U32 + low;
  }
}
