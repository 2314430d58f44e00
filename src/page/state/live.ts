import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { HealthAnswer, StatsAnswer } from "../data/answers.ts";

/** What the whole page watches: the agent's figures of this second and what it says of itself. */
export interface Live {
  stats: StatsAnswer | null;
  health: HealthAnswer | null;
  /** Bytes per second of the last minutes, oldest first, while the page was open. */
  rates: readonly number[];
}

const LiveContext = createContext<Live>({ stats: null, health: null, rates: [] });
export const LiveProvider = LiveContext.Provider;

export function useLive(): Live {
  return useContext(LiveContext);
}

/** Seconds of rates that are kept. */
export const RATES_KEPT = 120;
