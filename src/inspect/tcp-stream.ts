import { CryptoStream } from "./crypto-stream.ts";

/** Bytes kept of one side at a time; what lies further ahead is not kept. */
export const WINDOW_BYTES = 16_384;
/** A hole is filled within a few segments, or by a retransmission that was not lost on its way to us. */
const MAX_WAITING = 16;

/**
 * The bytes that one side of a TCP connection sends, put in order (RFC 9293 section 3.4): segments may come late,
 * twice, overlapping or cut anywhere. Of bytes that come twice the first copy counts. Memory is bounded.
 */
export class TcpStream {
  private readonly buffer = new CryptoStream(WINDOW_BYTES);
  /** Segments behind missing bytes since the last that was not, and where the latest of them ends. */
  private waiting = 0;
  private latestEnd = 0;

  /** `start` is the sequence number of the first byte. */
  constructor(private start: number) {}

  /** The bytes in order that were not dropped: a view, valid until the next call of another method. */
  get bytes(): Uint8Array {
    return this.buffer.prefix;
  }

  /** Bytes allocated. */
  get memory(): number {
    return this.buffer.memory;
  }

  /** Bytes are missing, and so many segments came behind them that they will not come any more. */
  get isStuck(): boolean {
    return this.waiting >= MAX_WAITING;
  }

  /** Takes a segment that begins at `sequence`. Returns whether there are more bytes in order now. */
  add(sequence: number, segment: Uint8Array): boolean {
    const before = this.bytes.length;
    const at = (sequence - this.start) | 0;
    if (at >= 0) this.buffer.add(at, segment);
    else if (segment.length + at > 0) this.buffer.add(0, segment.subarray(-at));
    const hasGrown = this.bytes.length > before;
    if (hasGrown) this.waiting = 0;
    else if (at > before) {
      this.waiting++;
      this.latestEnd = (sequence + segment.length) >>> 0;
    }
    return hasGrown;
  }

  /** Lets the stream start at `sequence`, which lies before its start. */
  precede(sequence: number): void {
    this.buffer.precede((this.start - sequence) >>> 0);
    this.start = sequence;
  }

  /** Moves the window on by `count` bytes, whether they have come or not. */
  drop(count: number): void {
    this.buffer.drop(count);
    this.start = (this.start + count) >>> 0;
  }

  /** Gives up on bytes that are missing: goes on with the first that came behind them, else with those to come. */
  skipGap(): void {
    const next = this.buffer.firstBehindGap;
    this.waiting = 0;
    if (next !== null) this.drop(next);
    else {
      this.buffer.clear();
      this.start = this.latestEnd;
    }
  }
}
