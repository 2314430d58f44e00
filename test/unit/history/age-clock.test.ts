import { expect, test } from "bun:test";
import { AgeClock } from "../../../src/history/age-clock.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function clocks() {
  const time = { wall: 1_000 * DAY, monotonic: 5 };
  const age = new AgeClock(
    () => time.wall,
    () => time.monotonic,
  );
  const pass = (ms: number) => {
    time.wall += ms;
    time.monotonic += ms;
  };
  return { age, time, pass };
}

test("a clock that runs is read as it is, also when it is slewed or set back", () => {
  const { age, time, pass } = clocks();
  for (const drift of [0, 100, -100, 20 * MINUTE, -30 * DAY]) {
    pass(MINUTE);
    time.wall += drift;
    expect(age.read()).toBe(time.wall);
  }
});

test("a step ahead is believed once it has stood", () => {
  const { age, time, pass } = clocks();
  time.wall += 30 * DAY;
  expect(age.read()).toBeNull();
  pass(9 * MINUTE);
  expect(age.read()).toBeNull();
  pass(2 * MINUTE);
  expect(age.read()).toBe(time.wall);
  pass(MINUTE);
  expect(age.read()).toBe(time.wall);
});

test("a step ahead that is taken back is forgotten", () => {
  const { age, time, pass } = clocks();
  time.wall += 30 * DAY;
  expect(age.read()).toBeNull();
  time.wall -= 30 * DAY;
  expect(age.read()).toBe(time.wall);
  pass(20 * MINUTE);
  time.wall += 30 * DAY;
  expect(age.read()).toBeNull();
});
