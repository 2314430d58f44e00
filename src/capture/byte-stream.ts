import { AyaflowError } from "../errors.ts";

const EMPTY = new Uint8Array();

/**
 * Reads a stream of chunks by the number of bytes wanted. Holds what was asked for and the rest of one chunk.
 * `has` answers at once, so that a reader need not wait for what is there already.
 */
export class ByteStream {
  /** Position in the stream of the next byte. */
  offset = 0;
  private chunk: Uint8Array = EMPTY;
  private readonly source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  has(length: number): boolean {
    return this.chunk.length >= length;
  }

  /** Waits for `length` bytes; false when the stream ends before. */
  async fill(length: number): Promise<boolean> {
    const parts = [this.chunk];
    let held = this.chunk.length;
    while (held < length) {
      const next = await this.source.next();
      if (next.done === true) break;
      parts.push(next.value);
      held += next.value.length;
    }
    if (parts.length > 1) this.chunk = join(parts, held);
    return held >= length;
  }

  /** Waits for the `length` bytes of `what`. @throws AyaflowError when the stream ends before. */
  async need(length: number, what: string): Promise<void> {
    if (this.has(length) || (await this.fill(length))) return;
    const left = this.chunk.length;
    throw new AyaflowError(
      `the capture is cut short at byte ${this.offset}: ${left} bytes left of ${what}, which takes ${length}`,
    );
  }

  /** The next `length` bytes, or as many as there are, as a view; they stay unread. */
  peek(length: number): Uint8Array {
    return this.chunk.subarray(0, length);
  }

  /** The next `length` bytes, which must be there, as a view. */
  take(length: number): Uint8Array {
    const taken = this.chunk.subarray(0, length);
    this.chunk = this.chunk.subarray(length);
    this.offset += taken.length;
    return taken;
  }

  /** Passes over the `length` bytes of `what` without holding them. @throws AyaflowError when the stream ends before. */
  async skip(length: number, what: string): Promise<void> {
    let left = length;
    while (left > 0) {
      if (!this.has(1) && !(await this.fill(1))) {
        throw new AyaflowError(
          `the capture is cut short at byte ${this.offset}: ${left} bytes of ${what} are missing`,
        );
      }
      left -= this.take(left).length;
    }
  }

  /** Lets go of the source, read to its end or not. */
  async close(): Promise<void> {
    await this.source.return?.();
  }
}

/** One array of `parts`, which have `length` bytes together. A single part with bytes is given back as it is. */
export function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length <= 1) return filled[0] ?? EMPTY;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of filled) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
