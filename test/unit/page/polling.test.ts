import { describe, expect, test } from "bun:test";
import { createGate, startPolling } from "../../../src/page/data/polling.ts";
import { Store } from "../../../src/page/state/store.ts";

const open = () => Promise.resolve();

describe("polling", () => {
  test("asks again after each answer, never twice at a time, until stopped", async () => {
    let asking = 0;
    let most = 0;
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = startPolling<number>({
      ask: async () => {
        most = Math.max(most, ++asking);
        await Bun.sleep(1);
        asking--;
        return ++count;
      },
      every: () => 0,
      gate: open,
      onAnswer: (answer) => answer === 5 && resolve(),
      onFailure: () => undefined,
    });
    await promise;
    stop();
    const after = count;
    await Bun.sleep(20);
    expect(most).toBe(1);
    expect(count).toBeLessThanOrEqual(after + 1);
  });

  test("asks once where the next question is never", async () => {
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = startPolling<void>({
      ask: async () => void count++,
      every: () => Infinity,
      gate: open,
      onAnswer: () => resolve(),
      onFailure: () => undefined,
    });
    await promise;
    await Bun.sleep(20);
    stop();
    expect(count).toBe(1);
  });

  test("goes on after a failure", async () => {
    const failures: unknown[] = [];
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<number>();
    const stop = startPolling<number>({
      ask: async () => {
        if (count++ === 0) throw new Error("once");
        return count;
      },
      every: () => Infinity,
      gate: open,
      onAnswer: resolve,
      onFailure: (error) => failures.push(error),
    });
    expect(await promise).toBe(2);
    stop();
    expect(failures).toHaveLength(1);
  });

  test("an answer that comes after the stop is not told", async () => {
    const answers: number[] = [];
    const { promise, resolve } = Promise.withResolvers<number>();
    const stop = startPolling<number>({
      ask: () => promise,
      every: () => Infinity,
      gate: open,
      onAnswer: (answer) => answers.push(answer),
      onFailure: (error) => answers.push(Number(error)),
    });
    await Bun.sleep(1);
    stop();
    resolve(1);
    await Bun.sleep(1);
    expect(answers).toEqual([]);
  });
});

describe("a gate", () => {
  test("lets through once it is open, and forgets who waits when that is stopped", async () => {
    const isOpen = new Store(false);
    let watching = 0;
    const gate = createGate(
      () => isOpen.get(),
      (listener) => {
        watching++;
        const end = isOpen.watch(listener);
        return () => {
          watching--;
          end();
        };
      },
    );
    const stop = new AbortController();
    const stopped = gate(stop.signal).catch(() => "stopped");
    const waiting = gate(new AbortController().signal).then(() => "open");
    expect(watching).toBe(2);
    stop.abort();
    expect(await stopped).toBe("stopped");
    isOpen.set(true);
    expect(await waiting).toBe("open");
    expect(watching).toBe(0);
    await gate(new AbortController().signal);
  });
});
