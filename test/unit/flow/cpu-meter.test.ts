import { expect, test } from "bun:test";
import { CpuMeter } from "../../../src/flow/cpu-meter.ts";

/** A meter fed once a second with the percent of each second. */
function fed(...percents: number[]): CpuMeter {
  const meter = new CpuMeter();
  let cpuMs = 700;
  meter.add(0, cpuMs);
  for (const [index, percent] of percents.entries()) meter.add((index + 1) * 1000, (cpuMs += percent * 10));
  return meter;
}

test("is 0 before there is anything to tell", () => {
  expect(new CpuMeter().percent()).toBe(0);
  expect(fed().percent()).toBe(0);
});

test("is of the last five seconds, of one core", () => {
  expect(fed(10).percent()).toBe(10);
  expect(fed(10, 20).percent()).toBe(15);
  expect(fed(100, 0, 0, 0, 0).percent()).toBe(20);
  expect(fed(100, 0, 0, 0, 0, 0).percent()).toBe(0);
  expect(fed(250, 250, 250, 250, 250, 250).percent()).toBe(250);
});

test("fed every five seconds it is of the last five", () => {
  const meter = new CpuMeter();
  meter.add(0, 0);
  meter.add(4990, 499);
  meter.add(9995, 499 + 100.1);
  expect(meter.percent()).toBeCloseTo(2, 5);
});

test("after a restart it is of the time since", () => {
  const meter = fed(80, 80, 80);
  meter.restart();
  expect(meter.percent()).toBe(0);
  meter.add(4000, 700 + 2400 + 50);
  expect(meter.percent()).toBe(5);
});
