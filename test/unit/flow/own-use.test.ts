import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openOwnUse } from "../../../src/flow/own-use.ts";

const KIB = 1024;
/** Memory moves between two readings. */
const TOLERANCE = 8 * KIB * KIB;

test("resident memory is what the kernel says of this process", () => {
  const use = openOwnUse();
  const said = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * KIB;
  expect(Math.abs(use().residentBytes - said)).toBeLessThan(TOLERANCE);
});

test("memory and time taken show in the next reading", () => {
  const use = openOwnUse();
  // What tests before this one left can go in between, some tens of megabytes: half of this is more.
  Bun.gc(true);
  const before = use();
  const taken = new Uint8Array(256 * KIB * KIB);
  for (let at = 0; at < taken.length; at += 4 * KIB) taken[at] = 1;
  const until = performance.now() + 50;
  while (performance.now() < until) Math.hypot(taken[0] ?? 0, 1);
  const after = use();
  expect(after.residentBytes - before.residentBytes).toBeGreaterThan(taken.length / 2);
  expect(after.cpuMs - before.cpuMs).toBeGreaterThan(10);
});
