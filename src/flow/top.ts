/** Above this share of all the heap is no faster than sorting everything. */
const HEAP_SHARE = 1 / 8;

/**
 * The `limit` of `items` with the highest rank, highest first; of equal ones the smaller item first.
 * Few out of many are picked by a heap of `limit` entries, without sorting the rest.
 */
export function topBy(items: readonly number[], rank: (item: number) => number, limit: number): number[] {
  const ranks = items.map(rank);
  /** Whether entry `a` belongs after entry `b`. */
  const isLower = (a: number, b: number) => {
    const difference = (ranks[a] ?? 0) - (ranks[b] ?? 0);
    return difference !== 0 ? difference < 0 : (items[a] ?? 0) > (items[b] ?? 0);
  };
  const order = limit < items.length * HEAP_SHARE ? highest(items.length, isLower, limit) : [...items.keys()];
  return order
    .sort((a, b) => (isLower(b, a) ? -1 : 1))
    .slice(0, limit)
    .map((index) => items[index] ?? 0);
}

/** Indexes below `count` of the `limit` highest, in the order of a heap whose root is the lowest. */
function highest(count: number, isLower: (a: number, b: number) => boolean, limit: number): number[] {
  const heap: number[] = [];
  const at = (place: number) => heap[place] ?? 0;
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [at(b), at(a)];
  };
  for (let index = 0; index < count; index++) {
    if (heap.length < limit) {
      heap.push(index);
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!isLower(at(child), at(parent))) break;
        swap(child, parent);
        child = parent;
      }
    } else if (isLower(at(0), index)) {
      heap[0] = index;
      for (let parent = 0; ; ) {
        const left = parent * 2 + 1;
        const right = left + 1;
        let least = left < limit && isLower(at(left), at(parent)) ? left : parent;
        if (right < limit && isLower(at(right), at(least))) least = right;
        if (least === parent) break;
        swap(least, parent);
        parent = least;
      }
    }
  }
  return heap;
}
