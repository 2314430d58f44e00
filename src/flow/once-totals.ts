import type { Counters } from "./types.ts";

export interface Once {
  total: Counters;
  attributed: Counters;
  duplicates: Counters;
}

const none = (): Counters => ({ packets: 0, bytes: 0 });

/** What is left of `all` when `some` is taken away, never below 0. */
export function without(all: Counters, some: Counters): Counters {
  return { packets: Math.max(0, all.packets - some.packets), bytes: Math.max(0, all.bytes - some.bytes) };
}

function atLeast(least: Counters, now: Counters): Counters {
  return { packets: Math.max(least.packets, now.packets), bytes: Math.max(least.bytes, now.bytes) };
}

/**
 * Each packet once: what the interfaces saw without what further observation points saw again. The two are not read at
 * the same moment, so that a figure could be a few packets smaller than the one before: it stays as it was then.
 */
export class OnceTotals {
  private last: Once = { total: none(), attributed: none(), duplicates: none() };

  /** `duplicates` is read last, and so is never too small for the others. */
  update(seen: Counters, attributed: Counters, duplicates: Counters): Once {
    this.last = {
      total: atLeast(this.last.total, without(seen, duplicates)),
      attributed: atLeast(this.last.attributed, without(attributed, duplicates)),
      duplicates: atLeast(this.last.duplicates, duplicates),
    };
    return this.last;
  }
}
