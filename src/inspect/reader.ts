const EMPTY = new Uint8Array();

/**
 * Reads big-endian numbers and ranges of a byte array. Never throws: past the end it gives zeros and empty ranges,
 * and `ok` is false from then on.
 */
export class Reader {
  ok = true;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end: number = bytes.length,
  ) {}

  /** Bytes not read yet. */
  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.number(1);
  }

  u16(): number {
    return this.number(2);
  }

  u24(): number {
    return this.number(3);
  }

  u32(): number {
    return this.number(4);
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    if (!this.has(length)) return EMPTY;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skip(length: number): void {
    if (this.has(length)) this.at += length;
  }

  /** A reader of the next `length` bytes alone; this one goes on behind them. */
  sub(length: number): Reader {
    if (!this.has(length)) {
      const none = new Reader(this.bytes, this.end, this.end);
      none.ok = false;
      return none;
    }
    this.at += length;
    return new Reader(this.bytes, this.at - length, this.at);
  }

  private has(length: number): boolean {
    if (this.ok && length >= 0 && length <= this.end - this.at) return true;
    this.ok = false;
    this.at = this.end;
    return false;
  }

  private number(length: number): number {
    if (!this.has(length)) return 0;
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + (this.bytes[this.at++] ?? 0);
    return value;
  }
}
