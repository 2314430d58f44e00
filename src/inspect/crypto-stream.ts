/** How many ranges with gaps between them are kept: senders scatter a ClientHello over some tens of pieces. */
const MAX_RANGES = 64;
/** Memory grows by this much at a time. */
const GROWTH = 1024;
/** What a range takes, measured. */
const RANGE_BYTES = 48;

interface Range {
  start: number;
  end: number;
}

/**
 * Puts the pieces of a byte stream in order, whatever order they arrive in: at most `limit` bytes from its start and 64
 * separate ranges; what is beyond is dropped. Bytes that arrive again change nothing.
 */
export class CryptoStream {
  private bytes = new Uint8Array();
  /** In order, with gaps between them. */
  private ranges: Range[] = [];

  constructor(private readonly limit: number) {}

  /** Takes a copy of `piece`, which starts `offset` bytes into the stream. */
  add(offset: number, piece: Uint8Array): void {
    const end = Math.min(offset + piece.length, this.limit);
    if (offset >= end) return;
    const { ranges } = this;
    let from = 0;
    while (from < ranges.length && (ranges[from]?.end ?? 0) < offset) from++;
    let to = from;
    while (to < ranges.length && (ranges[to]?.start ?? 0) <= end) to++;
    const touching = ranges.slice(from, to);
    if (touching.length === 0 && ranges.length >= MAX_RANGES) return;
    this.grow(end);
    let at = offset;
    for (const range of touching) {
      if (at < range.start) this.bytes.set(piece.subarray(at - offset, range.start - offset), at);
      at = Math.max(at, range.end);
    }
    if (at < end) this.bytes.set(piece.subarray(at - offset, end - offset), at);
    const start = Math.min(offset, touching[0]?.start ?? offset);
    ranges.splice(from, touching.length, { start, end: Math.max(end, at) });
  }

  /** The bytes from the start of the stream up to the first gap, as a view. */
  get prefix(): Uint8Array {
    const [first] = this.ranges;
    return this.bytes.subarray(0, first?.start === 0 ? first.end : 0);
  }

  /** Where the first byte behind a gap lies, from the start of the stream; null without one. */
  get firstBehindGap(): number | null {
    return this.ranges.find((range) => range.start > 0)?.start ?? null;
  }

  /** Bytes allocated. */
  get memory(): number {
    return this.bytes.length + this.ranges.length * RANGE_BYTES;
  }

  /** Moves the start of the stream back by `count` bytes, which are still to come. */
  precede(count: number): void {
    const old = this.bytes;
    const moved = this.ranges.map(({ start, end }) => ({
      start: start + count,
      end: Math.min(end + count, this.limit),
    }));
    this.ranges = moved.filter(({ start, end }) => start < end);
    this.bytes = new Uint8Array();
    const end = this.ranges.at(-1)?.end ?? 0;
    if (end === 0) return;
    this.grow(end);
    this.bytes.set(old.subarray(0, this.bytes.length - count), count);
  }

  /** Moves the start of the stream on by `count` bytes, whether they have come or not. */
  drop(count: number): void {
    const moved = this.ranges.map(({ start, end }) => ({
      start: Math.max(0, start - count),
      end: end - count,
    }));
    this.ranges = moved.filter((range) => range.end > 0);
    this.bytes = this.bytes.slice(count, count + (this.ranges.at(-1)?.end ?? 0));
  }

  /** Forgets all bytes. */
  clear(): void {
    this.bytes = new Uint8Array();
    this.ranges = [];
  }

  private grow(length: number): void {
    if (length <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.min(this.limit, Math.ceil(length / GROWTH) * GROWTH));
    bytes.set(this.bytes);
    this.bytes = bytes;
  }
}
