/** What is kept of the packets that wait for their missing fragments. */
export interface FragmentLimits {
  maxBytes: number;
  maxPackets: number;
  /** From a packet's first fragment seen. RFC 791 and RFC 8200 allow 60 s; Linux gives IPv4 30 s. */
  timeoutMs: number;
}

export const FRAGMENT_LIMITS: FragmentLimits = {
  maxBytes: 1024 * 1024,
  maxPackets: 256,
  timeoutMs: 30_000,
};

/** The most an IP packet can carry. */
const MAX_PAYLOAD = 65_535;
const MAX_PIECES = 64;

/** One fragment. */
export interface FragmentPiece<T> {
  /** Bytes of the IP payload before `bytes`. */
  offset: number;
  /** Whether others follow. */
  more: boolean;
  bytes: Uint8Array;
  /** What the whole packet is known by, with the fragment that begins it; null with the others. */
  first: T | null;
}

interface Stored {
  offset: number;
  bytes: Uint8Array;
}

interface Packet<T> {
  startMs: number;
  /** In the order in which they came. */
  pieces: Stored[];
  byteCount: number;
  /** Bytes of the IP payload, once the last fragment was seen. */
  total: number | null;
  first: { value: T; offset: number } | null;
}

/** End of the run of bytes without a gap from `start` on. */
function contiguousEnd(pieces: readonly Stored[], start: number): number {
  let end = start;
  for (const { offset, bytes } of [...pieces].sort((a, b) => a.offset - b.offset)) {
    if (offset > end) break;
    end = Math.max(end, offset + bytes.length);
  }
  return end;
}

/** Whether `piece` adds a byte to what is there. */
function addsBytes(pieces: readonly Stored[], { offset, bytes }: Stored): boolean {
  return contiguousEnd(pieces, offset) < offset + bytes.length;
}

/** The bytes of a complete packet from `start` on. Where pieces overlap, the one that came first counts. */
function assemble(pieces: readonly Stored[], start: number, total: number): Uint8Array {
  const whole = new Uint8Array(total - start);
  for (const { offset, bytes } of pieces.toReversed()) {
    const skipped = Math.max(0, start - offset);
    if (skipped < bytes.length) whole.set(bytes.subarray(skipped), offset + skipped - start);
  }
  return whole;
}

/**
 * Puts IP packets together again from their fragments (RFC 791 section 3.2, RFC 8200 section 4.5), in bounded memory: the
 * packet not added to for longest goes first. Where fragments contradict each other, what came first holds: bytes that
 * are there are not overwritten, nor is a length that is known. Linux gives such packets up, others differ.
 */
export class FragmentStore<T> {
  /** Packets given up before they were whole, for age or for want of room. */
  evicted = 0;
  private readonly packets = new Map<string, Packet<T>>();
  private byteCount = 0;

  constructor(private readonly limits: FragmentLimits = FRAGMENT_LIMITS) {}

  /** Fragments' bytes that are held. */
  get heldBytes(): number {
    return this.byteCount;
  }

  /**
   * Takes one fragment of the packet `key`, seen at `nowMs`. Returns the whole packet's payload from the offset of its
   * first fragment on, when that is the last that was missing; else null. The piece's bytes are copied.
   */
  add(key: string, piece: FragmentPiece<T>, nowMs: number): { first: T; payload: Uint8Array } | null {
    this.expire(nowMs);
    if (piece.offset + piece.bytes.length > MAX_PAYLOAD) return null;
    const packet = this.packets.get(key) ?? this.open(key, nowMs);
    this.touch(key, packet);
    this.store(packet, piece);
    const whole = completed(packet);
    if (whole !== null) this.remove(key, packet);
    else this.makeRoom();
    return whole;
  }

  private open(key: string, nowMs: number): Packet<T> {
    const packet: Packet<T> = { startMs: nowMs, pieces: [], byteCount: 0, total: null, first: null };
    this.packets.set(key, packet);
    return packet;
  }

  /** A map goes through its keys in the order they were set: the last is the one used last. */
  private touch(key: string, packet: Packet<T>): void {
    this.packets.delete(key);
    this.packets.set(key, packet);
  }

  private store(packet: Packet<T>, { offset, more, bytes, first }: FragmentPiece<T>): void {
    const end = offset + bytes.length;
    if (packet.total !== null && end > packet.total) return;
    if (!more && packet.total === null) {
      if (packet.pieces.some((piece) => piece.offset + piece.bytes.length > end)) return;
      packet.total = end;
    }
    if (first !== null && packet.first === null) packet.first = { value: first, offset };
    if (packet.pieces.length === MAX_PIECES || !addsBytes(packet.pieces, { offset, bytes })) return;
    packet.pieces.push({ offset, bytes: bytes.slice() });
    packet.byteCount += bytes.length;
    this.byteCount += bytes.length;
  }

  private remove(key: string, packet: Packet<T>): void {
    this.packets.delete(key);
    this.byteCount -= packet.byteCount;
  }

  private evict(key: string, packet: Packet<T>): void {
    this.remove(key, packet);
    this.evicted++;
  }

  private expire(nowMs: number): void {
    for (const [key, packet] of this.packets) {
      if (nowMs - packet.startMs > this.limits.timeoutMs) this.evict(key, packet);
    }
  }

  private makeRoom(): void {
    for (const [key, packet] of this.packets) {
      if (this.byteCount <= this.limits.maxBytes && this.packets.size <= this.limits.maxPackets) return;
      this.evict(key, packet);
    }
  }
}

function completed<T>({ pieces, total, first }: Packet<T>): { first: T; payload: Uint8Array } | null {
  if (total === null || first === null || first.offset > total) return null;
  if (contiguousEnd(pieces, first.offset) < total) return null;
  return { first: first.value, payload: assemble(pieces, first.offset, total) };
}
