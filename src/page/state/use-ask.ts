import { useEffect, useRef, useState } from "preact/hooks";
import { RequestFailure } from "../data/client.ts";
import { startPolling } from "../data/polling.ts";
import { usePage } from "./page.ts";

export interface Asked<T> {
  /** The last answer, also while the next is awaited; null before the first. */
  answer: T | null;
  /** Why the last question brought none. */
  failure: RequestFailure | null;
  /** The answer is to another question than what is asked now. */
  isOld: boolean;
}

interface State<T> {
  path: string | null;
  answer: T | null;
  failure: RequestFailure | null;
}

export interface AskOptions<T> {
  /** Milliseconds until it is asked again; Infinity for never. */
  every: number | ((answer: T) => number);
  /** Milliseconds between two questions while what is asked keeps changing. */
  distanceMs?: number;
  isProbe?: boolean;
  timeoutMs?: number;
  /** Asked once and then no more, until it is false again. */
  isHeld?: boolean;
}

function toFailure(error: unknown): RequestFailure {
  return error instanceof RequestFailure ? error : new RequestFailure("gone", String(error));
}

/** Asks the agent for a path of its API again and again; null asks nothing. */
export function useAsk<T>(path: string | null, options: AskOptions<T>): Asked<T> {
  const { client, gate, probeGate } = usePage();
  const [state, setState] = useState<State<T>>({ path: null, answer: null, failure: null });
  const { every, distanceMs = 0, isProbe = false, timeoutMs, isHeld = false } = options;
  const latestEvery = useRef(every);
  latestEvery.current = every;
  const startedAt = useRef(-Infinity);
  useEffect(() => {
    if (path === null) return undefined;
    let stop = () => {};
    const start = () => {
      startedAt.current = performance.now();
      stop = startPolling<T>({
        ask: (signal) =>
          client.get<T>(path, { signal, isProbe, ...(timeoutMs === undefined ? {} : { timeoutMs }) }),
        every: (answer) => {
          const now = latestEvery.current;
          if (isHeld) return Infinity;
          return typeof now === "function" ? now(answer) : now;
        },
        gate: isProbe ? probeGate : gate,
        onAnswer: (answer) => setState({ path, answer, failure: null }),
        onFailure: (error) => setState((before) => ({ ...before, path, failure: toFailure(error) })),
      });
    };
    const waitMs = startedAt.current + distanceMs - performance.now();
    const timer = waitMs > 0 ? setTimeout(start, waitMs) : undefined;
    if (timer === undefined) start();
    return () => {
      clearTimeout(timer);
      stop();
    };
    // Only what is asked starts anew; how often is looked at then.
  }, [path, isHeld]);
  return { answer: state.answer, failure: state.failure, isOld: state.path !== path };
}
