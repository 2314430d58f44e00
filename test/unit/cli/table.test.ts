import { describe, expect, test } from "bun:test";
import { assert, boolean, nat, property, string } from "fast-check";
import { type Column, cutMiddle, formatTable, TableLayout } from "../../../src/cli/table.ts";

const WIDE = { width: Number.POSITIVE_INFINITY, ascii: false };
const COLUMNS: readonly Column[] = [
  { head: "NAME", align: "left", least: 8 },
  { head: "BYTES", align: "right" },
  { head: "PACKETS", align: "right", rank: 2 },
  { head: "SENT", align: "right", rank: 1 },
];
const ROWS = [
  ["a.very.long.name.of.a.host.example", "1.20 MB", "1,234", "0 B"],
  ["b", "3 B", "1", "3 B"],
];

describe("cutMiddle", () => {
  test.each([
    ["abcdefghij", 10, false, "abcdefghij"],
    ["abcdefghij", 7, false, "abc…hij"],
    ["abcdefghij", 7, true, "abc..ij"],
    ["日本語日本語", 7, false, "日本…語"],
    ["abc", 1, false, "…"],
    ["abc", 1, true, "."],
    ["abc", 0, true, ""],
  ])("%p in %p cells, ascii %p", (text, width, ascii, expected) => {
    expect(cutMiddle(text, width, ascii)).toBe(expected);
  });
  test("never takes more cells than it may", () => {
    assert(
      property(string({ unit: "grapheme" }), nat(40), boolean(), (text, width, ascii) => {
        expect(Bun.stringWidth(cutMiddle(text, width, ascii))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe("formatTable", () => {
  test("aligns, numbers to the right", () => {
    expect(formatTable(COLUMNS, ROWS, WIDE)).toBe(
      "NAME                                  BYTES  PACKETS  SENT\n" +
        "a.very.long.name.of.a.host.example  1.20 MB    1,234   0 B\n" +
        "b                                       3 B        1   3 B\n",
    );
  });

  test.each([
    [50, ["NAME", "BYTES", "PACKETS", "SENT"]],
    [32, ["NAME", "BYTES", "PACKETS", "SENT"]],
    [31, ["NAME", "BYTES", "SENT"]],
    [22, ["NAME", "BYTES"]],
    [17, ["NAME", "BYTES"]],
    [5, ["NAME", "BYTES"]],
  ])("in %p cells: the name shrinks, then columns go, the last ranks first", (width, heads) => {
    const lines = formatTable(COLUMNS, ROWS, { width, ascii: true }).trimEnd().split("\n");
    expect(lines[0]?.trim().split(/ +/)).toEqual(heads);
    // What must stay takes 17 cells.
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, 17));
  });

  test("counts wide characters as two cells", () => {
    const lines = formatTable(COLUMNS.slice(0, 2), [["日本語", "1"]], WIDE).split("\n");
    expect(lines.slice(0, 2)).toEqual(["NAME    BYTES", "日本語      1"]);
  });

  test("further parts keep the widths of the first", () => {
    const layout = new TableLayout(COLUMNS.slice(0, 2), [["abcdefghijkl", "1"]], { width: 19, ascii: true });
    expect(layout.rows([["abcdefghijklmnop", "2"]])).toBe("abcde..lmnop      2\n");
  });
});
