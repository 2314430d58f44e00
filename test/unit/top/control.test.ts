import { describe, expect, test } from "bun:test";
import { tableQuestion, visibleRows } from "../../../src/top/state.ts";
import { VIEWS } from "../../../src/top/views.ts";
import { pressed, shown, STORY, stateOf, tableOf } from "./fixture.ts";

const names = (count: number) => Array.from({ length: count }, (_, index) => `host${index}.example`);

describe("views and orders", () => {
  test("digits and Tab go through the views, each with a place and an order of its own", () => {
    for (const [index, view] of VIEWS.entries())
      expect(pressed(stateOf(), String(index + 1)).view).toBe(view);
    expect(pressed(stateOf(), "tab").view).toBe("names");
    expect(pressed(stateOf(), "backtab").view).toBe("dns");
    const sorted = pressed(stateOf(), "s");
    expect(tableQuestion(sorted)).toMatchObject({ sort: "bytes_sent", isAscending: false });
    expect(tableQuestion(pressed(sorted, "2"))).toMatchObject({ view: "names", sort: "bytes" });
    expect(tableQuestion(pressed(sorted, "2", "1"))).toMatchObject({ sort: "bytes_sent" });
  });

  test("s and > sort by the next column, < by the one before, r turns it round", () => {
    expect(tableQuestion(stateOf())).toMatchObject({ sort: "rate", isAscending: false });
    expect(tableQuestion(pressed(stateOf(), "<"))).toMatchObject({ sort: "protocol", isAscending: true });
    expect(tableQuestion(pressed(stateOf(), ">", "<"))).toMatchObject({ sort: "rate", isAscending: false });
    expect(tableQuestion(pressed(stateOf(), "r"))).toMatchObject({ sort: "rate", isAscending: true });
    expect(tableQuestion(pressed(stateOf(), "r", "r"))).toMatchObject({ isAscending: false });
  });

  test("what a view cannot do is said, until the next key", () => {
    expect(pressed(stateOf(), "2", "r").note).toBe("Here the largest are first.");
    expect(pressed(stateOf(), "5", "s").note).toBe("This view has one order.");
    expect(pressed(stateOf(), "4", "/").note).toBe("This view takes no filter.");
    expect(pressed(stateOf(), "4", "/", "1").note).toBeNull();
  });
});

describe("moving", () => {
  const room = visibleRows(stateOf());
  const long = () => stateOf({ table: tableOf(names(room), 0, 100) });

  test("the cursor stays on rows that exist, the window around the cursor", () => {
    expect(pressed(long(), "up").places.connections).toEqual({ top: 0, cursor: 0 });
    expect(pressed(long(), "down").places.connections).toEqual({ top: 0, cursor: 1 });
    expect(pressed(long(), "end").places.connections).toEqual({ top: 100 - room, cursor: 99 });
    expect(pressed(long(), "end", "pageup").places.connections.cursor).toBe(99 - room);
    expect(pressed(long(), "end", "home").places.connections).toEqual({ top: 0, cursor: 0 });
    expect(pressed(stateOf(), "down").places.connections).toEqual({ top: 0, cursor: 0 });
  });

  test("only the rows on the screen are asked for", () => {
    expect(tableQuestion(long())).toMatchObject({ offset: 0, limit: room });
    expect(tableQuestion(pressed(long(), "end"))).toMatchObject({ offset: 100 - room, limit: room });
    expect(tableQuestion(pressed(long(), "/"))).toMatchObject({ offset: 0, limit: room });
  });

  test("Enter opens the row under the cursor, Escape goes back", () => {
    const state = pressed(stateOf({ table: tableOf(names(3)) }), "down", "enter");
    expect(state.details?.id).toBe("1-1");
    expect(pressed(state, "escape").details).toBeNull();
    expect(pressed(stateOf(), "enter").details).toBeNull();
  });

  test("details scroll no further than their end", () => {
    const small = stateOf(
      { details: { id: "1-1", scroll: 0, story: STORY, problem: null } },
      { columns: 60, rows: 12 },
    );
    const end = pressed(small, "end");
    expect(shown(end).at(-2)).toEndWith("round trip 12.5 ms");
    expect(shown(pressed(end, "down"))).toEqual(shown(end));
    expect(shown(pressed(end, "up"))).not.toEqual(shown(end));
    expect(pressed(end, "home", "up").details?.scroll).toBe(0);
  });

  test("a name leads to its connections", () => {
    const target = { kind: "filter", text: "domain example.com" } as const;
    const table = { ...tableOf([]), view: "names" as const, rows: [{ cells: {}, target }], total: 1 };
    expect(pressed(stateOf({ view: "names", table }), "enter")).toMatchObject({
      view: "connections",
      filter: "domain example.com",
    });
  });
});

describe("a filter", () => {
  test("is applied while it is typed, where it is one", () => {
    const typed = pressed(stateOf(), "/", "port 443");
    expect(typed).toMatchObject({ filter: "port 443", problem: null });
    const wrong = pressed(typed, " and prot tcp");
    expect(wrong).toMatchObject({ filter: "port 443", problem: { position: { at: 13, length: 4 } } });
    expect(pressed(wrong, "enter").editing).not.toBeNull();
    expect(pressed(typed, "enter")).toMatchObject({ filter: "port 443", editing: null });
  });

  test("Escape undoes it, Enter keeps it, Ctrl-U empties the line", () => {
    const kept = pressed(stateOf(), "/", "port 443", "enter");
    expect(pressed(kept, "/", "^u", "port 80", "escape")).toMatchObject({
      filter: "port 443",
      editing: null,
    });
    expect(pressed(kept, "/", "^u", "enter").filter).toBe("");
  });

  test("the line is edited in the middle, whole characters at a time", () => {
    const state = pressed(
      stateOf(),
      "/",
      "a😀b",
      "left",
      "left",
      "backspace",
      "x",
      "right",
      "delete",
      "end",
      "c",
    );
    expect(state.editing?.text).toBe("x😀c");
    expect(pressed(state, "home", "delete", "delete").editing?.text).toBe("c");
    expect(pressed(state, "^w").editing?.text).toBe("");
  });

  test("Tab completes what has no choice and offers what has", () => {
    expect(pressed(stateOf(), "/", "portr", "tab").editing).toMatchObject({ text: "portrange ", cursor: 10 });
    const choice = pressed(stateOf(), "/", "po", "tab").editing;
    expect(choice).toMatchObject({ text: "port", offered: ["port", "portrange"] });
    const known = stateOf({ table: tableOf(["one.example", "two.example"]) });
    expect(pressed(known, "/", "domain tw", "tab").editing?.text).toBe("domain two.example ");
    expect(pressed(known, "/", "iface ", "tab").editing?.text).toBe("iface veth0 ");
  });

  test("letters are text there, not commands", () => {
    expect(pressed(stateOf(), "/", "qps?")).toMatchObject({
      ended: null,
      isPaused: false,
      isHelpShown: false,
    });
  });
});

test("pause, help and the two ways to quit", () => {
  expect(pressed(stateOf(), "p").isPaused).toBe(true);
  expect(pressed(stateOf(), "p", " ").isPaused).toBe(false);
  expect(pressed(stateOf(), "?").isHelpShown).toBe(true);
  expect(pressed(stateOf(), "?", "x").isHelpShown).toBe(false);
  expect(pressed(stateOf(), "q").ended).toBe(0);
  expect(pressed(stateOf(), "?", "q").ended).toBe(0);
  expect(pressed(stateOf(), "^c").ended).toBe(130);
  expect(pressed(stateOf(), "/", "^c").ended).toBe(130);
});
