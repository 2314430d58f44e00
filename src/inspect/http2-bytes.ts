const FIRST_CAPACITY = 512;

/** Bytes gathered piece by piece. Room doubles, so that many small pieces cost no more than their sum. */
export class ByteQueue {
  length = 0;
  private room: Uint8Array = new Uint8Array(0);

  /** Bytes allocated. */
  get memory(): number {
    return this.room.length;
  }

  append(part: Uint8Array): void {
    const needed = this.length + part.length;
    if (needed > this.room.length) {
      const room = new Uint8Array(Math.max(needed, this.room.length * 2, FIRST_CAPACITY));
      room.set(this.bytes());
      this.room = room;
    }
    this.room.set(part, this.length);
    this.length = needed;
  }

  /** All bytes so far, as a view. */
  bytes(): Uint8Array {
    return this.room.subarray(0, this.length);
  }
}
