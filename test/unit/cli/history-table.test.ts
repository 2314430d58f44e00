import { describe, expect, test } from "bun:test";
import type { GroupsAnswer, SumsAnswer } from "../../../src/cli/history-answers.ts";
import { formatPercent, groupTable } from "../../../src/cli/history-table.ts";

const WIDE = { width: Number.POSITIVE_INFINITY, ascii: false, hasErrors: false };

function sums(bytes: number): SumsAnswer {
  return {
    bytes,
    packets: 1,
    bytes_sent: bytes,
    bytes_received: 0,
    packets_sent: 1,
    packets_received: 0,
    retransmits: 0,
    rtt_ms: null,
    rows: 1,
  };
}

function answer(names: readonly (string | null)[]): GroupsAnswer {
  return {
    groups: names.map((domain) => ({ key: { domain }, ...sums(10) })),
    other: sums(0),
    total: sums(10 * names.length),
    group_count: names.length,
    pruned: false,
    since: 0,
    until: 1,
    level: "raw",
    parts: [],
    coverage: [],
    notes: [],
  };
}

const names = (given: readonly (string | null)[], ascii = false) =>
  groupTable(answer(given), { groupBy: ["domain"], order: "bytes" }, { ...WIDE, ascii })
    .split("\n")
    .slice(1, 1 + given.length)
    .map((line) => line.split(/ {2,}/)[0]);

describe("names from the wire", () => {
  test("cannot move the cursor or turn the text around", () => {
    expect(names(["\u001b[2Jx", "a\u202eb", "a\nb", "\u009b31m", "a\u200bb"])).toEqual([
      "\\u{1b}[2Jx",
      "a\\u{202e}b",
      "a\\u{a}b",
      "\\u{9b}31m",
      "a\\u{200b}b",
    ]);
  });
  test("are shown as they are where the terminal can", () => {
    expect(names(["b\u00fccher.example"])).toEqual(["b\u00fccher.example"]);
    expect(names(["b\u00fccher.example"], true)).toEqual(["b\\u{fc}cher.example"]);
  });
  test("that are none are a dash", () => expect(names([null, ""])).toEqual(["-", "-"]));
});

test("a group by interface shows the way that its connections take", () => {
  const group = { key: { interface: "veth1/br0/eth0" }, ...sums(10) };
  const table = (ascii: boolean) =>
    groupTable(
      { ...answer([]), groups: [group] },
      { groupBy: ["interface"], order: "bytes" },
      { ...WIDE, ascii },
    );
  expect(table(false)).toContain("\nveth1 › br0 › eth0 ");
  expect(table(true)).toContain("\nveth1 > br0 > eth0 ");
});

describe("shares", () => {
  test.each([
    [0, 100, "0%"],
    [0, 0, "0%"],
    [100, 100, "100%"],
    [99_999, 100_000, "99.9%"],
    [1, 100_000, "<0.1%"],
    [125, 1000, "12.5%"],
  ])("%p of %p", (part, whole, expected) => expect(formatPercent(part, whole)).toBe(expected));
});
