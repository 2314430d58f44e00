import { afterEach, expect, test } from "bun:test";
import { AgentLoop, type AgentParts } from "../../../src/flow/agent.ts";

const EVERY_MS = 40;

let running: AgentLoop | undefined;
afterEach(async () => {
  await running?.stop(() => Promise.resolve(false));
});

/** A running loop over parts that only note what is asked of them, until `done` is noted. */
async function notes(
  done: string,
  parts: { table?: object; recorder?: object } = {},
): Promise<{ noted: string[]; errors: string[] }> {
  const noted: string[] = [];
  const errors: string[] = [];
  const reached = Promise.withResolvers<void>();
  const note = (what: string) => {
    if (noted.at(-1) !== what) noted.push(what);
    if (what === done) reached.resolve();
  };
  const times = (count: number, what: string) => {
    let left = count;
    return () => {
      note(what);
      // Whatever else waits in the event loop comes between.
      setImmediate(() => note("other"));
      left = left === 0 ? count : left - 1;
      return left > 0;
    };
  };
  const fake = {
    ring: { drain: () => 0, usedBytes: () => 0 },
    clock: { refresh: () => 0 },
    table: { sweep: times(3, "read"), tidy: times(2, "tidy"), ...parts.table },
    monitor: { watched: false, lostOpens: () => 0, swept: () => note("told") },
    recorder: {
      drained() {},
      swept(then: () => void) {
        note("recorded");
        then();
      },
      ...parts.recorder,
    },
    swept: () => {},
    observeSweep: () => note("observed"),
    observeDrain: () => {},
    observeLoopDelay: () => {},
    log: { error: (_message: string, fields: { error: string }) => void errors.push(fields.error) },
    now: () => performance.now(),
  };
  running = new AgentLoop(fake as unknown as AgentParts);
  running.sweepEvery(EVERY_MS);
  running.start();
  await reached.promise;
  return { noted, errors };
}

test("the parts of a sweep come in order, each in a turn of its own", async () => {
  const { noted } = await notes("tidy");
  expect(noted.slice(0, 9)).toEqual([
    "read",
    "other",
    "read",
    "other",
    "read",
    "observed",
    "other",
    "told",
    "recorded",
  ]);
  expect(noted.at(-1)).toBe("tidy");
});

test("nothing is retired while history makes its rows", async () => {
  let sweeps = 0;
  const recorder = {
    swept(then: () => void) {
      // The slices of the first sweep take until the third.
      if (sweeps++ === 0) setTimeout(then, 4 * EVERY_MS);
    },
  };
  const { noted } = await notes("tidy", { recorder });
  expect(sweeps).toBeGreaterThan(1);
  expect(noted.filter((what) => what === "told").length).toBeGreaterThan(1);
});

test("a sweep that fails is logged, and the next one comes", async () => {
  let sweeps = 0;
  const table = {
    sweep() {
      if (sweeps++ === 0) throw new Error("no memory");
      return false;
    },
  };
  const { errors } = await notes("tidy", { table });
  expect(errors).toEqual(["no memory"]);
});
