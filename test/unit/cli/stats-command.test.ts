import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AskTarget } from "../../../src/cli/ask-target.ts";
import { stats } from "../../../src/cli/stats-command.ts";
import { startTestApi, stats as agentStats, type TestApi } from "../api/fixture.ts";
import { PIPE, recording } from "./asking.ts";

let api: TestApi;
let target: AskTarget;
beforeAll(async () => {
  api = await startTestApi();
  target = { kind: "agent", agent: { url: api.url, token: null } };
});
afterAll(() => api.stop());

async function report(json = false): Promise<string> {
  const { io, out, err } = recording();
  expect(await stats({ json }, target, io, PIPE)).toBe(0);
  expect(err()).toBe("");
  return out();
}

/** The text behind a label. */
const said = (text: string, label: string) =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${label}:`))
    ?.slice(label.length + 1)
    .trim();

describe("stats of an agent", () => {
  test("in words", async () => {
    api.agent.reasons = [];
    const text = await report();
    expect(said(text, "agent")).toBe(`${api.url}, running for 1 min 1 s`);
    expect(said(text, "state")).toBe("all is well");
    expect(said(text, "now")).toBe("1.25 kB/s, 13 packets/s");
    expect(said(text, "connections")).toBe("2 active; room for 65,536");
    expect(said(text, "since start")).toBe(
      "100 kB in 1,000 packets, each once; 40 times one was seen at a further interface",
    );
    // 1000 packets, 6 of them not IP, 980 in connections.
    expect(said(text, "coverage")).toBe("98.59%: 14 packets are counted, but not by connection");
    expect(said(text, "history")).toBe("500 rows written, 3 waiting; the database has 41.0 kB");
    expect(text).toMatch(
      /^ +single rows: from 2026-02-28 12:00:00\n +sums by minute: all until 2026-03-01 11:59:00, 900 B; 4 were deleted/m,
    );
    expect(text).toMatch(
      /\nIFACE +DIRECTION +BYTES +PACKETS .*\nveth0 +in +70\.0 kB +700 +690 +5 +3 +2\nveth0 +out /,
    );
  });

  test("every loss is named, with what it means", async () => {
    const text = await report();
    expect(said(text, "lost")).toBe("4  ring/full: ring loses data: full");
    expect(text).toContain("7  history/disk_full: the disk was full: rows were not stored");
  });

  test("nothing is lost, all is shown: says so", async () => {
    const losses = api.history.current.rowsDropped;
    api.history.current.rowsDropped = {};
    api.agent.current = agentStats({ losses: [], coverage: 1, attributed: { packets: 994, bytes: 99_000 } });
    const text = await report();
    expect(said(text, "lost")).toBe("nothing");
    expect(said(text, "coverage")).toBe("100%: every packet belongs to a connection that is shown");
    api.agent.current = agentStats({ total: { packets: 0, bytes: 0 }, interfaces: [] });
    expect(said(await report(), "coverage")).toBe("nothing was seen yet");
    api.agent.current = agentStats();
    api.history.current.rowsDropped = losses;
  });

  test("degraded, and hostile text in it stays text", async () => {
    api.agent.reasons = ["interface \u001b[31mred\u202e is gone"];
    const text = await report();
    expect(said(text, "state")).toBe("degraded: interface \\u{1b}[31mred\\u{202e} is gone");
    api.agent.reasons = [];
  });

  test("as JSON is the API's", async () => {
    const [text, response] = await Promise.all([report(true), api.get("/api/stats")]);
    expect(JSON.parse(text)).toEqual(await response.json());
  });
});
