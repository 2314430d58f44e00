/**
 * Picks the `limit` items of the highest rank from a stream of them, of equal ranks the smaller items. What is kept
 * besides is a heap of `limit` entries: the rest leaves no garbage behind.
 */
export class TopItems {
  /** The lowest entry is first, once there are `limit` of them. */
  private readonly items: number[] = [];
  private readonly ranks: number[] = [];

  constructor(private readonly limit: number) {}

  offer(item: number, rank: number): void {
    const { items, ranks, limit } = this;
    if (items.length < limit) {
      items.push(item);
      ranks.push(rank);
      if (items.length === limit) for (let place = limit >> 1; place >= 0; place--) this.sink(place);
    } else if (limit > 0 && isLower(ranks[0] ?? 0, items[0] ?? 0, rank, item)) {
      items[0] = item;
      ranks[0] = rank;
      this.sink(0);
    }
  }

  /** The picked items, highest rank first. */
  sorted(): number[] {
    const { items, ranks } = this;
    const before = (a: number, b: number) =>
      isLower(ranks[b] ?? 0, items[b] ?? 0, ranks[a] ?? 0, items[a] ?? 0) ? -1 : 1;
    return [...items.keys()].sort(before).map((index) => items[index] ?? 0);
  }

  /** Moves an entry down until no entry below it is lower. */
  private sink(place: number): void {
    const { items, ranks } = this;
    const isLowerAt = (a: number, b: number) =>
      isLower(ranks[a] ?? 0, items[a] ?? 0, ranks[b] ?? 0, items[b] ?? 0);
    for (let parent = place; ; ) {
      const left = parent * 2 + 1;
      const right = left + 1;
      let least = left < items.length && isLowerAt(left, parent) ? left : parent;
      if (right < items.length && isLowerAt(right, least)) least = right;
      if (least === parent) return;
      [items[parent], items[least]] = [items[least] ?? 0, items[parent] ?? 0];
      [ranks[parent], ranks[least]] = [ranks[least] ?? 0, ranks[parent] ?? 0];
      parent = least;
    }
  }
}

/** Whether an item belongs after another one. */
function isLower(rank: number, item: number, otherRank: number, otherItem: number): boolean {
  return rank !== otherRank ? rank < otherRank : item > otherItem;
}
