/** `ayaflow history` on a real database, through a real API and without one. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AskTarget } from "../../../src/cli/ask-target.ts";
import type { HistoryFlags } from "../../../src/cli/history-request.ts";
import { type DatabaseApi, ROWS, startDatabaseApi } from "../api/database.ts";
import { NOW_MS } from "../api/fixture.ts";
import { ask, at } from "./asking.ts";

let stack: AsyncDisposableStack;
let api: DatabaseApi;
let agent: AskTarget;
let file: AskTarget;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  api = await startDatabaseApi(stack);
  agent = { kind: "agent", agent: { url: api.url, token: null } };
  file = { kind: "file", path: api.sql.filename };
  await api.fold();
});
afterAll(async () => {
  await stack.disposeAsync();
});

function total(condition = "1"): { bytes: number; rows: number } {
  const found = api.sql
    .query<{ bytes: number; rows: number }, []>(
      `SELECT sum(bytes_sent + bytes_received) AS bytes, count(*) AS rows
       FROM rows AS r JOIN conversations AS c ON c.id = r.conversation_id WHERE ${condition}`,
    )
    .get();
  if (found === null) throw new Error("no sum");
  return found;
}

describe("an agent and its database say the same", () => {
  test.each([
    [{}, ""],
    [{ by: "name" }, "port 443"],
    [{ by: "name,proto", order: "packets", json: true }, ""],
    [{ csv: true }, ""],
    [{ ndjson: true, top: "3" }, ""],
    [{ step: "30m" }, ""],
    [{ step: "30m", by: "port" }, "proto udp"],
    [{ step: "auto", json: true }, ""],
    [{ step: "1h", by: "name", csv: true }, ""],
    [{ rows: true, limit: "700" }, ""],
    [{ rows: true, json: true, limit: "3" }, "domain *.example.org"],
    [{ rows: true, csv: true }, ""],
    [{ rows: true, ndjson: true, limit: "5" }, ""],
    [{ since: "-2d", until: "-1d" }, ""],
  ] as [HistoryFlags, string][])("%p of %p", async (flags, filter) => {
    const [first, second] = await Promise.all([
      ask(agent, ...at(flags, filter)),
      ask(file, ...at(flags, filter)),
    ]);
    expect(second).toEqual(first);
    expect(first.code).toBe(0);
    expect(first.out).not.toBe("");
  });
});

describe("sums", () => {
  test("are those of SQL, to the byte", async () => {
    const { out } = await ask(file, ...at({ json: true }, "port 443"));
    expect(JSON.parse(out)).toMatchObject({ total: total("c.server_port = 443") });
  });

  test("as a table: largest first, the rest, the total, what they are of", async () => {
    const { out } = await ask(file, ...at({ by: "name", top: "2" }));
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^NAME +BYTES +SENT +RECEIVED +PACKETS +RETRANS +RTT +SHARE$/);
    expect(lines).toHaveLength(7);
    expect(lines[3]).toMatch(/^others /);
    expect(lines[4]).toMatch(/^total +114 MB .* 100%$/);
    expect(lines[5]).toMatch(/; 2 of 5 groups, most bytes first$/);
    expect(lines[6]).toMatch(/^level hour: sums by hour; at the ends /);
  });

  test("show what they are ordered by", async () => {
    const { out } = await ask(file, ...at({ by: "name", order: "rows" }));
    expect(out.split("\n")[0]).toMatch(/^NAME +ROWS +BYTES/);
    expect(out).toMatch(/^total +1,500 /m);
  });

  test("fit the terminal, without characters that it has not", async () => {
    for (const width of [60, 80, 100, 120]) {
      const { out } = await ask(file, ...at({}, "", { width, ascii: true }));
      const [head = "", ...rows] = out.split("\n").slice(0, 22);
      expect(Math.max(...[head, ...rows].map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(out).toMatch(/^[\n -~]*$/);
    }
  });
});

test("hostile names are text in a table and data in JSON", async () => {
  const { out } = await ask(file, ...at({ by: "name" }));
  expect(out).toContain("<img src=x onerror=alert(1)>.example");
  const { out: csv } = await ask(file, ...at({ by: "name", csv: true }));
  expect(csv).toContain('"comma, ""quote"".example",');
});

describe("a time series", () => {
  test("adds up to the total", async () => {
    const { out } = await ask(file, ...at({ step: "30m", json: true }));
    const { total: columns } = JSON.parse(out) as { total: { bytes: number[] } };
    expect(columns.bytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(total().bytes);
  });
  test("as a table has a line for each point, and a bar", async () => {
    const { out } = await ask(file, ...at({ step: "1h", by: "proto" }));
    expect(out).toMatch(/^TIME \(\+00:00\) +BYTES +(TCP +UDP|UDP +TCP)\n/);
    expect(out.match(/^2026-03-01 /gm)?.length).toBeGreaterThanOrEqual(5);
    expect(out).toMatch(/ #{20}$/m);
  });
});

describe("rows", () => {
  test("newest first, up to the limit, which is said", async () => {
    const { out, err } = await ask(file, ...at({ rows: true, limit: "700" }));
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^TIME +SOURCE +DESTINATION +PROTO +IFACE +NAME +BYTES +SENT +RECEIVED +PACKETS$/,
    );
    expect(lines[1]).toStartWith("2026-03-01 11:59:50");
    expect(lines).toHaveLength(701);
    expect(err).toBe("ayaflow: stopped after --limit 700 rows; there are older ones that match\n");
  });
  test("all of them, in each form", async () => {
    const { out: csv } = await ask(agent, ...at({ rows: true, csv: true }));
    expect(csv.split("\r\n")).toHaveLength(ROWS + 2);
    const { out: json, err } = await ask(agent, ...at({ rows: true, json: true }));
    expect(JSON.parse(json)).toMatchObject({ returned: ROWS, next_cursor: null });
    expect((JSON.parse(json) as { items: unknown[] }).items).toHaveLength(ROWS);
    expect(err).toBe("");
  });
  test("begin with --since and end before --until", async () => {
    const range = { since: "2026-03-01T11:59:30Z", until: "2026-03-01T11:59:50Z", rows: true, json: true };
    const { out } = await ask(file, ...at(range));
    const items = (JSON.parse(out) as { items: { timestamp: number }[] }).items;
    expect(items.map(({ timestamp }) => NOW_MS - timestamp)).toEqual([20_000, 30_000]);
  });
});

describe("nothing", () => {
  test.each([{}, { step: "1h" }, { rows: true }] as HistoryFlags[])(
    "%p says so, and what there is",
    async (flags) => {
      const { code, out } = await ask(agent, ...at(flags, "port 9"));
      expect(code).toBe(0);
      expect(out).toMatch(
        /^nothing in that time matches port 9: 2026-03-01 07:00:00 to 12:00:00 \(\+00:00\)\n/,
      );
      expect(out).toContain("history covers:\n  single rows: all");
    },
  );
  test("is an empty list in JSON", async () => {
    const { out } = await ask(file, ...at({ rows: true, json: true }, "port 9"));
    expect(JSON.parse(out)).toEqual({ items: [], returned: 0, next_cursor: null });
  });
});
