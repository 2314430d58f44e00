import type { Range } from "./range.ts";

const FASTEST_MS = 5000;
const SLOWEST_MS = 60_000;
/** What one row costs the agent, and the share of a core that one list of one reader may take. */
const ROW_MS = 0.0005;
const SHARE = 0.001;
/** History is complete so long after it happened. */
const SETTLED_MS = 60_000;

/**
 * Milliseconds until a question to history is asked again: seldom when its answer was a lot of work, so that an open
 * page costs the agent little; never when nothing will change. `now` is the agent's clock, read at each answer: a time
 * that has just passed settles while it is shown.
 */
export function questionEvery(range: Range, now: () => number): (answer: { scanned?: number }) => number {
  return ({ scanned = 0 }) => {
    if (range.kind === "past" && now() - range.untilMs > SETTLED_MS) return Infinity;
    return Math.min(Math.max((scanned * ROW_MS) / SHARE, FASTEST_MS), SLOWEST_MS);
  };
}
