import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { healthWords } from "../../../src/top/header.ts";
import { createPaint } from "../../../src/top/paint.ts";
import { screenLines } from "../../../src/top/screen.ts";
import { paintLine, textOf } from "../../../src/top/spans.ts";
import type { TopState } from "../../../src/top/state.ts";
import { placeColumns } from "../../../src/top/columns.ts";
import { widthOf } from "../../../src/top/text.ts";
import { DEFINITIONS, VIEWS } from "../../../src/top/views.ts";
import { CONNECTION, hostile, NOW, pressed, shown, STATS, STORY, stateOf, tableOf } from "./fixture.ts";

const details = { id: "1-1", scroll: 0, story: STORY, problem: null };

function expectFits(state: TopState): void {
  const lines = screenLines(state, NOW);
  expect(lines.length).toBe(state.size.rows);
  for (const line of lines) expect(widthOf(textOf(line))).toBe(state.size.columns);
}

describe("the screen", () => {
  test("is as large as the terminal, whatever it shows and whatever names are in it", () => {
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 200 }),
      rows: fc.integer({ min: 1, max: 60 }),
    });
    const change = fc.record({
      view: fc.constantFrom(...VIEWS),
      looks: fc.record({ ascii: fc.boolean(), color: fc.boolean() }),
      isPaused: fc.boolean(),
      isHelpShown: fc.boolean(),
      filter: hostile,
      note: fc.option(hostile),
      trouble: fc.option(fc.record({ sinceMs: fc.constant(NOW), reason: hostile })),
      url: hostile,
      editing: fc.option(
        hostile.map((text) => ({ text, cursor: text.length, before: "", offered: [text, "port"] })),
      ),
      problem: fc.option(
        fc.record({ message: hostile, position: fc.record({ at: fc.nat(20), length: fc.nat(20) }) }),
      ),
      names: fc.array(hostile, { maxLength: 70 }),
      isOpen: fc.boolean(),
    });
    fc.assert(
      fc.property(size, change, (at, { names, isOpen, ...rest }) => {
        const connection = {
          ...CONNECTION,
          domain: names[0] ?? null,
          interface: names[1] ?? "",
          alpn: names,
        };
        const open = { ...details, story: { ...STORY, connection } };
        const table = { ...tableOf(names), view: rest.view };
        expectFits(stateOf({ ...rest, table, details: isOpen ? open : null }, at));
      }),
      { numRuns: 300 },
    );
  });

  test("has nothing beyond ASCII without Unicode, and no colour without colours", () => {
    const table = tableOf(["世界.example", "a\u001b[31mb"]);
    const state = stateOf({ looks: { ascii: true, color: false }, table, throughput: [0, 1, 5, 9] });
    const states = [state, pressed(state, "?"), pressed(state, "/", "port"), { ...state, details }];
    for (const each of states) {
      const painted = screenLines(each, NOW).map((line) => paintLine(line, createPaint(each.looks.color)));
      const text = painted.join("\n").replaceAll("\u001b[", "\u2190");
      expect(text).toMatch(/^[\n -~\u2190]*$/);
      // What is left are bold (1, 22), underline (4, 24) and inverse (7, 27).
      for (const code of text.match(/\u2190[^m]*m/g) ?? [])
        expect(code).toMatch(/^\u2190(?:1|22|4|24|7|27)m$/);
    }
  });

  test("says so where the terminal is too small", () => {
    expect(shown(stateOf({}, { columns: 59, rows: 24 }))[0]).toBe("59x24 is too small:");
    expect(shown(stateOf({}, { columns: 60, rows: 9 }))[0]).toBe("60x9 is too small:");
    expect(shown(stateOf({}, { columns: 60, rows: 10 }))[0]).toStartWith("ayaflow top");
  });
});

describe("header", () => {
  test("rates both ways, connections, sparkline, coverage, the agent", () => {
    const [title, rates, health, tabs] = shown(stateOf());
    expect(title).toBe("ayaflow top  http://127.0.0.1:3000  up 3 min 2 s");
    expect(rates).toStartWith("In 1.20 kB/s  Out 34.0 kB/s  2 active connections ");
    expect(rates).toEndWith("▃▅█");
    expect(health).toBe("Counts 100% of IP packets on connections; nothing lost.");
    expect(tabs).toBe("[1 Connections] 2 Names  3 Talkers  4 Interfaces  5 DNS");
  });

  test("one rate, of each packet once, where several interfaces are watched", () => {
    const [first] = STATS.interfaces;
    if (first === undefined) throw new Error("no interface");
    const stats = { ...STATS, bytes_per_second: 5000, interfaces: [first, { ...first, interface: "br0" }] };
    const figures = { stats, reasons: [], bytesInPerSecond: 5000, bytesOutPerSecond: 5000 };
    expect(shown(stateOf({ figures }))[1]).toStartWith("Traffic 5.00 kB/s  2 active connections ");
  });

  test("losses in words", () => {
    const losses = [
      { stage: "table", reason: "full", count: 1200 },
      { stage: "ring", reason: "open_event", count: 3 },
      { stage: "ring", reason: "packet_event", count: 4 },
    ];
    expect(healthWords({ ...STATS, coverage: 0.98765, losses })).toEqual({
      text:
        "Counts 98.7% of IP packets on connections. Lost since start: 1,200 packets that found no room for " +
        "their connection, 7 events that came too fast.",
      isWell: false,
    });
  });

  test("an agent that does not answer, a degraded one, a pause", () => {
    const trouble = { sinceMs: new Date(2026, 0, 2, 3, 4, 5).getTime(), reason: "connection refused" };
    expect(shown(stateOf({ trouble }))[2]).toBe(
      "No answer since 03:04:05: connection refused; still trying.",
    );
    const figures = {
      stats: STATS,
      reasons: ["the table is full"],
      bytesInPerSecond: 0,
      bytesOutPerSecond: 0,
    };
    expect(shown(stateOf({ figures }))[2]).toBe("Attention: the table is full");
    expect(shown(pressed(stateOf(), "p"))[0]).toEndWith(" PAUSED");
  });
});

describe("table", () => {
  test("columns that have no room go, the least important first; the others take all there is", () => {
    for (const view of VIEWS) {
      const { columns } = DEFINITIONS[view];
      for (let width = 60; width <= 200; width++) {
        const placed = placeColumns(columns, width);
        const used = placed.reduce((sum, one) => sum + one.width + 1, 0);
        expect(used).toBeLessThanOrEqual(width);
        for (const { column, width: own } of placed) expect(own).toBeGreaterThanOrEqual(column.width);
        const kept = placed.map(({ column }) => column);
        const least = Math.min(...kept.map(({ priority }) => priority));
        for (const column of columns) {
          if (!kept.includes(column)) expect(column.priority).toBeLessThanOrEqual(least);
        }
      }
    }
  });

  test("at 80 columns there are the ends, the rate, the bytes and the round trip", () => {
    const head = shown(stateOf())[4];
    expect(head?.trim().split(/\s+/)).toEqual([
      "CLIENT",
      "SERVER",
      "PROTO",
      "▼RATE",
      "SENT",
      "RECEIVED",
      "RTT",
    ]);
  });

  test("the row of the cursor is marked without colours, too", () => {
    const lines = shown(pressed(stateOf({ table: tableOf(["one.example", "two.example"]) }), "down"));
    expect(lines[5]).toStartWith(" 10.77.0.1:40000");
    expect(lines[6]).toStartWith("›10.77.0.1:40000");
    expect(lines.at(-1)).toEndWith("2/2");
  });

  test("no rows: why", () => {
    expect(shown(stateOf({ table: tableOf([]) }))[5]).toBe("No connections.");
    expect(shown(stateOf({ table: tableOf([]), filter: "port 1" }))[5]).toBe(
      "No connections that the filter lets through.",
    );
    expect(shown(stateOf({ table: { ...tableOf([]), note: "history: disk full" } }))[5]).toBe(
      "history: disk full",
    );
  });
});

describe("footer", () => {
  test("the carets stand under what is wrong", () => {
    const [input, carets, message] = shown(pressed(stateOf(), "/", "port 443 and prot tcp")).slice(-3);
    expect(input).toBe("Filter: port 443 and prot tcp");
    expect(carets?.indexOf("^")).toBe(input?.indexOf("prot"));
    expect(carets?.trim()).toBe("^^^^");
    expect(message).toContain('"prot"');
  });

  test("Tab shows what there is to choose from", () => {
    const [input, words, keys] = shown(pressed(stateOf(), "/", "po", "tab")).slice(-3);
    expect(input).toBe("Filter: port");
    expect(words).toBe("port  portrange");
    expect(keys).toBe("Enter:keep  Esc:undo  Tab:complete");
  });

  test("a long filter is shown around the cursor, the carets move with it", () => {
    const long = `${"port 1 or ".repeat(12)}prot tcp`;
    const [input, carets] = shown(pressed(stateOf(), "/", long)).slice(-3);
    expect(input).toEndWith("or prot tcp");
    expect(carets?.indexOf("^")).toBe(input?.lastIndexOf("prot"));
    const [start] = shown(pressed(stateOf(), "/", long, "home")).slice(-3);
    expect(start).toStartWith("Filter: port 1 or port 1");
  });
});

test("details tell all there is", () => {
  const text = shown(stateOf({ details }, { columns: 120, rows: 40 })).join("\n");
  for (const part of [
    "Client      10.77.0.1:40000",
    "Name        example.com, asked for in the TLS handshake",
    "Handshake   TLS 1.3; offers h2, http/1.1",
    "JA4         t13d1516h2_8daaf6152771_b186095e22b6",
    "Protocol    TCP, established",
    "Interface   veth0; the client's packets come in",
    "Also on     br0 (in), up0 (out)",
    "1 min 5 s ago",
    "1.23 kB (1,234 bytes) in 20 packets; 1 retransmitted, 0 out of order; flags SYN ACK",
    "1.23 MB (1,234,567 bytes) in 900 packets; 2 retransmitted, 3 out of order; flags ACK",
    "Round trip  12.5 ms (0.50 ms to the client, 12.0 ms to the server), at the handshake",
    "A example.com: NOERROR 10.77.0.2 (1.50 ms)",
    "sent 600 B, received 700 kB, 510 packets, 1 retransmitted, round trip 12.5 ms",
  ]) {
    expect(text).toContain(part);
  }
});
