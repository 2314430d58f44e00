import type { Identities } from "./identities.ts";
import { DIRECTION_EGRESS, DIRECTION_INGRESS, KIND_PACKET, KIND_WINDOW } from "./schema.ts";
import type { RowValues } from "./types.ts";

/** Rows of one chunk, a power of two. */
const CHUNK_SHIFT = 11;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;
/** A row is eight doubles: seven numbers in this order, then two words. */
const NUMBERS = 8;
const TIMESTAMP = 0;
const PACKETS_SENT = 1;
const BYTES_SENT = 2;
const PACKETS_RECEIVED = 3;
const BYTES_RECEIVED = 4;
const RTT = 5;
const RETRANSMITS = 6;
const WORDS = NUMBERS * 2;
const IDENTITY = 14;
const BITS = 15;
/** Of BITS: TCP flags below these two. */
const FLAGS_MASK = 0xffff;
const PACKET_BIT = 1 << 16;
const EGRESS_BIT = 1 << 17;
const NO_RTT = -1;

/** Both views are of the same bytes. */
interface Chunk {
  numbers: Float64Array;
  words: Uint32Array;
}

/** A row as the database has it. */
export interface QueuedRow {
  identity: number;
  timestampMs: number;
  kind: number;
  direction: number;
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
  bytesReceived: number;
  tcpFlags: number;
  rttNs: number | null;
  retransmits: number;
}

export function emptyRow(): QueuedRow {
  return {
    identity: 0,
    timestampMs: 0,
    kind: KIND_WINDOW,
    direction: DIRECTION_INGRESS,
    packetsSent: 0,
    bytesSent: 0,
    packetsReceived: 0,
    bytesReceived: 0,
    tcpFlags: 0,
    rttNs: null,
    retransmits: 0,
  };
}

function newChunk(): Chunk {
  const numbers = new Float64Array(CHUNK_ROWS * NUMBERS);
  return { numbers, words: new Uint32Array(numbers.buffer) };
}

/**
 * A bounded first-in-first-out queue of rows, 64 bytes each, in chunks that are made as rows come and go when they have
 * been written. A queued row holds its identity.
 */
export class RowQueue {
  /** A circle of them; those without rows are not there. */
  private readonly chunks: (Chunk | undefined)[];
  private readonly spare: Chunk[] = [];
  private used = 0;
  /** Most chunks used at once since the queue was last empty. */
  private peak = 0;
  private head = 0;
  private count = 0;

  constructor(
    readonly capacity: number,
    private readonly identities: Identities,
  ) {
    this.chunks = Array.from({ length: Math.ceil(capacity / CHUNK_ROWS) + 1 });
  }

  get length(): number {
    return this.count;
  }

  /** Bytes that are allocated at the moment. */
  get bytes(): number {
    return (this.used + this.spare.length) * CHUNK_ROWS * NUMBERS * Float64Array.BYTES_PER_ELEMENT;
  }

  /** False, and nothing done, when full. */
  push(identity: number, row: RowValues): boolean {
    if (this.count === this.capacity) return false;
    const position = this.position(this.count);
    const { numbers, words } = this.chunks[position >> CHUNK_SHIFT] ?? this.use(position >> CHUNK_SHIFT);
    const index = position & (CHUNK_ROWS - 1);
    const at = index * NUMBERS;
    numbers[at + TIMESTAMP] = row.timestampMs;
    numbers[at + PACKETS_SENT] = row.packetsSent;
    numbers[at + BYTES_SENT] = row.bytesSent;
    numbers[at + PACKETS_RECEIVED] = row.packetsReceived;
    numbers[at + BYTES_RECEIVED] = row.bytesReceived;
    numbers[at + RTT] = row.rttNs ?? NO_RTT;
    numbers[at + RETRANSMITS] = row.retransmits;
    words[index * WORDS + IDENTITY] = identity;
    words[index * WORDS + BITS] =
      (row.tcpFlags & FLAGS_MASK) |
      (row.kind === "packet" ? PACKET_BIT : 0) |
      (row.direction === "egress" ? EGRESS_BIT : 0);
    this.identities.hold(identity);
    this.count++;
    return true;
  }

  /** Reads the row `index` places behind the head, which must be below `length`. */
  read(index: number, into: QueuedRow): void {
    const position = this.position(index);
    const chunk = this.chunks[position >> CHUNK_SHIFT];
    if (chunk === undefined) return;
    const { numbers, words } = chunk;
    const row = position & (CHUNK_ROWS - 1);
    const at = row * NUMBERS;
    const rtt = numbers[at + RTT] ?? NO_RTT;
    const bits = words[row * WORDS + BITS] ?? 0;
    into.identity = words[row * WORDS + IDENTITY] ?? 0;
    into.timestampMs = numbers[at + TIMESTAMP] ?? 0;
    into.kind = (bits & PACKET_BIT) === 0 ? KIND_WINDOW : KIND_PACKET;
    into.direction = (bits & EGRESS_BIT) === 0 ? DIRECTION_INGRESS : DIRECTION_EGRESS;
    into.packetsSent = numbers[at + PACKETS_SENT] ?? 0;
    into.bytesSent = numbers[at + BYTES_SENT] ?? 0;
    into.packetsReceived = numbers[at + PACKETS_RECEIVED] ?? 0;
    into.bytesReceived = numbers[at + BYTES_RECEIVED] ?? 0;
    into.tcpFlags = bits & FLAGS_MASK;
    into.rttNs = rtt === NO_RTT ? null : rtt;
    into.retransmits = numbers[at + RETRANSMITS] ?? 0;
  }

  /** Removes the first `n` rows, which must be there. */
  drop(n: number): void {
    for (let dropped = 0; dropped < n; ) {
      const index = this.head >> CHUNK_SHIFT;
      const first = this.head & (CHUNK_ROWS - 1);
      const rows = Math.min(n - dropped, CHUNK_ROWS - first);
      this.releaseRows(index, first, rows);
      if (first + rows === CHUNK_ROWS) this.retire(index);
      this.head = this.position(rows);
      dropped += rows;
    }
    this.count -= n;
    if (n === 0 || this.count > 0) return;
    // As many as were of use stay: a burst like the last needs no new ones, and after a small one few are left.
    this.spare.length = Math.min(this.spare.length, this.peak);
    this.peak = this.used;
  }

  private position(index: number): number {
    const position = this.head + index;
    const end = this.chunks.length * CHUNK_ROWS;
    return position < end ? position : position - end;
  }

  private releaseRows(chunk: number, first: number, rows: number): void {
    const words = this.chunks[chunk]?.words;
    for (let row = first; row < first + rows; row++) {
      this.identities.release(words?.[row * WORDS + IDENTITY] ?? 0);
    }
  }

  private use(index: number): Chunk {
    const chunk = this.spare.pop() ?? newChunk();
    this.chunks[index] = chunk;
    this.used++;
    this.peak = Math.max(this.peak, this.used);
    return chunk;
  }

  private retire(index: number): void {
    const chunk = this.chunks[index];
    if (chunk === undefined) return;
    this.chunks[index] = undefined;
    this.spare.push(chunk);
    this.used--;
  }
}
