import { describe, expect, test } from "bun:test";
import { fuzz, StuckError } from "./fuzzing.ts";
import { TARGETS } from "./targets.ts";

const INPUTS = 2000;
const TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;
const SLOW_MS = 250;
/** Tables with a life of their own go on filling for a while. */
const MAX_GROWTH = 2 * MEBIBYTE;
const faulty = new URL("faulty-targets.ts", import.meta.url).href;

function growth(heap: readonly number[]): number {
  return (heap[2] ?? 0) - (heap[1] ?? 0);
}

test(
  "nothing throws, hangs or grows on random input",
  async () => {
    const targets = TARGETS.map(({ name }) => name);
    const reports = await fuzz({ targets, inputs: INPUTS });
    expect(reports.map(({ target, inputs }) => [target, inputs])).toEqual(
      targets.map((name) => [name, INPUTS]),
    );
    expect(
      reports.flatMap(({ target, failures }) => failures.map((failure) => ({ target, ...failure }))),
    ).toEqual([]);
    expect(reports.filter(({ slowest }) => slowest.ms > SLOW_MS)).toEqual([]);
    expect(reports.filter(({ heap }) => growth(heap) > MAX_GROWTH)).toEqual([]);
  },
  TIMEOUT_MS,
);

describe("fuzzing", () => {
  test("finds an exception, and makes the same input again", async () => {
    const [report] = await fuzz({ module: faulty, targets: ["throws"], inputs: 2000, seed: 3 });
    const [failure] = report?.failures ?? [];
    expect(failure).toMatchObject({ message: "RangeError: stumbled", hex: ["ab"] });
    expect(report?.failureCount).toBeGreaterThan(0);
    const again = await fuzz({
      module: faulty,
      targets: ["throws"],
      inputs: 1,
      seed: 3,
      first: failure?.index ?? 0,
    });
    expect(again[0]).toMatchObject({ inputs: 1, failures: [failure] });
  });

  test("finds an endless loop", async () => {
    const endless = fuzz({ module: faulty, targets: ["hangs"], inputs: 100, stuckMs: 500 });
    expect(endless).rejects.toThrow(new StuckError("hangs is stuck in input 5 of seed 1"));
    await endless.catch(() => undefined);
  });

  test("finds growth", async () => {
    const [report] = await fuzz({ module: faulty, targets: ["grows"], inputs: 640 });
    expect(growth(report?.heap ?? [])).toBeGreaterThan(MAX_GROWTH);
  });
});
