import { expect, test } from "bun:test";
import { planWatch, type PresentLink, type WatchFacts } from "../../../src/flow/watch.ts";
import { WatchState } from "../../../src/flow/watch-state.ts";

const CAN = 280;
const link = (name: string, ifindex: number, hardwareType = 1): PresentLink => ({
  name,
  ifindex,
  hardwareType,
});

function plan(patterns: readonly string[], facts: Partial<WatchFacts<PresentLink>>) {
  return planWatch(patterns, {
    links: [],
    defaultRoute: [],
    gone: new Set(),
    watched: [],
    isSupported: (hardwareType) => hardwareType !== CAN,
    ...facts,
  });
}

const names = (links: readonly { name: string }[]) => links.map(({ name }) => name);

test("what appears is attached, in the order of the patterns; what is watched is left alone", () => {
  const links = [link("lo", 1, 772), link("veth2", 4), link("veth1", 3), link("eth0", 2)];
  const made = plan(["eth0", "veth*"], { links, watched: [link("veth1", 3)] });
  expect(names(made.attach)).toEqual(["eth0", "veth2"]);
  expect(made.detach).toEqual([]);
  expect(names(plan(["all"], { links }).attach)).toEqual(["lo", "veth2", "veth1", "eth0"]);
  expect(names(plan(["auto"], { links, defaultRoute: ["eth0"] }).attach)).toEqual(["eth0"]);
});

test("what is gone is detached", () => {
  const made = plan(["veth*", "eth0"], {
    links: [link("eth0", 2)],
    watched: [link("veth1", 3), link("eth0", 2)],
  });
  expect(made.detach).toEqual([{ name: "veth1", ifindex: 3, isGone: true }]);
  expect(made.attach).toEqual([]);
  expect(made.waiting).toEqual(["no interface matches veth*"]);
});

test("another interface of the same name is another one", () => {
  const made = plan(["eth0"], { links: [link("eth0", 9)], watched: [link("eth0", 2)] });
  expect(made.detach).toEqual([{ name: "eth0", ifindex: 2, isGone: true }]);
  expect(made.attach).toEqual([link("eth0", 9)]);
});

test("another interface of the same name and index is another one when the kernel said that the first went", () => {
  const facts = { links: [link("eth0", 2)], watched: [link("eth0", 2)] };
  expect(plan(["eth0"], facts)).toMatchObject({ detach: [], attach: [] });
  const made = plan(["eth0"], { ...facts, gone: new Set([2]) });
  expect(names(made.detach)).toEqual(["eth0"]);
  expect(names(made.attach)).toEqual(["eth0"]);
});

test("a new name counts on where a pattern matches it, and ends where none does", () => {
  const links = [link("veth9", 3), link("br0", 4)];
  const made = plan(["veth*"], { links, watched: [link("veth1", 3), link("veth2", 4)] });
  expect(made.rename).toEqual([{ ifindex: 3, from: "veth1", to: "veth9" }]);
  expect(made.detach).toEqual([{ name: "veth2", ifindex: 4, isGone: false }]);
});

test("two that exchange their names", () => {
  const made = plan(["a", "b"], {
    links: [link("b", 1), link("a", 2)],
    watched: [link("a", 1), link("b", 2)],
  });
  expect(made.rename).toEqual([
    { ifindex: 1, from: "a", to: "b" },
    { ifindex: 2, from: "b", to: "a" },
  ]);
  expect(made).toMatchObject({ attach: [], detach: [] });
});

test("what cannot be read is left out of globs, and attached, to say why, by its name", () => {
  const links = [link("can0", 5, CAN), link("eth0", 2)];
  const made = plan(["*"], { links });
  expect(names(made.attach)).toEqual(["eth0"]);
  expect(names(made.skipped)).toEqual(["can0"]);
  expect(names(plan(["can0"], { links }).attach)).toEqual(["can0"]);
});

test("names that are not there are waited for", () => {
  expect(plan(["eth0", "auto"], {}).waiting).toEqual([
    "interface eth0 does not exist",
    "no interface has a default route",
  ]);
});

test("health: failures until mended, programs taken away for a minute, no list without end", () => {
  let now = 0;
  const state = new WatchState(() => now);
  expect(state.reasons()).toEqual([]);
  state.reattached("eth0");
  for (let ifindex = 1; ifindex <= 7; ifindex++) state.failed(ifindex, `failure ${ifindex}`);
  state.unwatched = ["a", "b", "c", "d", "e", "f", "g"];
  const reasons = state.reasons();
  expect(reasons.slice(0, 6)).toEqual([
    "failure 1",
    "failure 2",
    "failure 3",
    "failure 4",
    "failure 5",
    "2 more interfaces cannot be watched; the log says why",
  ]);
  expect(reasons[6]).toEndWith("not a, b, c, d, e and 2 more");
  expect(reasons[7]).toContain("off eth0: attached again");
  for (let ifindex = 1; ifindex <= 7; ifindex++) state.mended(ifindex);
  state.unwatched = [];
  now = 60_000;
  expect(state.reasons()).toEqual([]);
  expect(state.changes).toMatchObject({ reattached: 1, failed: 7 });
});
