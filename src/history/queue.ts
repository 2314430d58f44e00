/** A bounded first-in-first-out queue over a circular array. */
export class BoundedQueue<T> {
  private readonly items: (T | undefined)[];
  private head = 0;
  private count = 0;

  constructor(readonly capacity: number) {
    this.items = Array.from({ length: capacity });
  }

  get length(): number {
    return this.count;
  }

  /** False, and nothing done, when full. */
  push(item: T): boolean {
    if (this.count === this.capacity) return false;
    this.items[(this.head + this.count) % this.capacity] = item;
    this.count++;
    return true;
  }

  /** The item `index` places behind the head; `index` must be below `length`. */
  peek(index: number): T {
    return this.items[(this.head + index) % this.capacity] as T;
  }

  /** Removes the first `n` items. */
  drop(n: number): void {
    for (let index = 0; index < n; index++) {
      this.items[this.head] = undefined;
      this.head = (this.head + 1) % this.capacity;
    }
    this.count -= n;
  }
}
