/** Resolves when asking makes sense: the page is seen, the agent answers. Rejects when `signal` is aborted. */
export type Gate = (signal: AbortSignal) => Promise<void>;

export interface Polling<T> {
  ask(signal: AbortSignal): Promise<T>;
  /** Milliseconds until the next question; Infinity for none. */
  every(answer: T): number;
  gate: Gate;
  onAnswer: (answer: T) => void;
  onFailure: (error: unknown) => void;
}

const BACK_OFF_MS = [1000, 1500, 2000, 3000];

/** Resolves after `ms`, at once when already aborted; never for Infinity until aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = ms === Infinity ? undefined : setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

async function poll<T>(polling: Polling<T>, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await polling.gate(signal);
    try {
      const answer = await polling.ask(signal);
      if (signal.aborted) return;
      failures = 0;
      polling.onAnswer(answer);
      await pause(polling.every(answer), signal);
    } catch (error) {
      if (signal.aborted) return;
      polling.onFailure(error);
      await pause(BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)] ?? 0, signal);
    }
  }
}

/** Asks again and again, one question at a time, until the function returned is called. */
export function startPolling<T>(polling: Polling<T>): () => void {
  const stop = new AbortController();
  // Only the gate rejects here, when polling has been stopped.
  poll(polling, stop.signal).catch(() => undefined);
  return () => stop.abort();
}

/** A gate that is open while `isOpen`; `watch` tells of changes. */
export function createGate(isOpen: () => boolean, watch: (listener: () => void) => () => void): Gate {
  return (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (isOpen()) return resolve();
      const forget = watch(() => {
        if (isOpen()) finish();
      });
      const finish = () => {
        forget();
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        forget();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
    });
}
