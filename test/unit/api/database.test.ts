import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sumsAnswerSchema, timeseriesSchema } from "../../../src/api/question-schemas.ts";
import { historyPageSchema, storySchema } from "../../../src/api/schemas.ts";
import { parseCsv } from "./csv.ts";
import { type DatabaseApi, ROWS, startDatabaseApi } from "./database.ts";
import { connection, NOW_MS } from "./fixture.ts";

const stack = new AsyncDisposableStack();
let api: DatabaseApi;
beforeAll(async () => {
  api = await startDatabaseApi(stack);
});
afterAll(() => stack.disposeAsync());

const WHOLE = "since=-1d";
const json = async (path: string): Promise<unknown> => (await api.get(path)).json();
const sums = async (path: string) => sumsAnswerSchema.parse(await json(path));
const text = async (path: string): Promise<string> => (await api.get(path)).text();
const linesOf = async (path: string): Promise<Record<string, unknown>[]> =>
  (await text(path))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** All rows as JSON pages have them, newest first. */
async function allItems(query: string) {
  const items: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = historyPageSchema.parse(
      await json(`/api/history?limit=1000${query}${cursor === "" ? "" : `&cursor=${cursor}`}`),
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/** A value of JSON as csv has it. */
function cell(value: unknown): string {
  if (Array.isArray(value)) return value.join(" ");
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface SqlSums {
  key: string | number | null;
  rows: number;
  bytes: number;
  packets: number;
  retransmits: number;
}

const sqlSums = (key: string, where = "true"): SqlSums[] =>
  api.sql
    .query<SqlSums, []>(
      `SELECT ${key} AS key, count(*) AS rows, sum(bytes_sent + bytes_received) AS bytes,
         sum(packets_sent + packets_received) AS packets, sum(retransmits) AS retransmits
       FROM rows AS r JOIN conversations AS c ON c.id = r.conversation_id
         LEFT JOIN domains AS d ON d.id = c.domain_id WHERE ${where} GROUP BY 1 ORDER BY 3 DESC`,
    )
    .all();

describe("sums", () => {
  test.each([
    ["domain", "d.name"],
    ["server_port", "c.server_port"],
  ])("by %s are those of SQL", async (by, column) => {
    const { groups, total, other } = await sums(`/api/top?by=${by}&${WHOLE}`);
    const expected = sqlSums(column);
    expect(
      groups.map(({ key, rows, bytes, packets, retransmits }) => ({
        key: Object.values(key)[0],
        rows,
        bytes,
        packets,
        retransmits,
      })),
    ).toEqual(expected);
    expect(total.rows).toBe(ROWS);
    expect(total.bytes).toBe(expected.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(other.rows).toBe(0);
  });

  test("of a filter and a plain parameter are of the rows that both let through", async () => {
    const { total } = await sums(`/api/history?group_by=client&${WHOLE}&protocol=udp&q=port%2053`);
    expect([total.rows, total.bytes]).toEqual(
      sqlSums("1", "c.protocol = 17 AND c.server_port = 53").flatMap(({ rows, bytes }) => [rows, bytes]),
    );
  });

  test("leave out what the limit leaves out in other", async () => {
    const { groups, other, total, group_count } = await sums(`/api/top?by=client,server&${WHOLE}&limit=3`);
    expect(groups).toHaveLength(3);
    expect(group_count).toBe(40);
    expect(groups.reduce((sum, { bytes }) => sum + bytes, other.bytes)).toBe(total.bytes);
  });

  test("over time add up to the sum", async () => {
    const whole = await sums(`/api/history?step=10m&group_by=protocol&${WHOLE}`);
    expect(whole.step).toBe(600);
    for (const group of [...whole.groups, whole.total]) {
      expect(group.points?.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(group.bytes);
    }
    const series = timeseriesSchema.parse(await json(`/api/timeseries?step=10m&by=protocol&${WHOLE}`));
    expect(series.step).toBe(600);
    expect(series.series.map(({ key }) => key)).toEqual(whole.groups.map(({ key }) => key));
    expect(series.total.bytes).toEqual(whole.total.points?.map(({ bytes }) => bytes) ?? []);
    expect(series.points).toEqual(whole.total.points?.map(({ time }) => time) ?? []);
    const total = timeseriesSchema.parse(await json(`/api/timeseries?${WHOLE}`));
    expect(total.series).toEqual([]);
    expect(total.total.bytes.reduce((sum, bytes) => sum + bytes, 0)).toBe(whole.total.bytes);
  });

  test("as csv and ndjson are those of JSON", async () => {
    const query = `group_by=domain,server_port&${WHOLE}`;
    const { groups, ...rest } = await sums(`/api/history?${query}`);
    const lines = await linesOf(`/api/history?${query}&format=ndjson`);
    expect(lines.slice(0, -1)).toEqual(groups);
    expect(lines.at(-1)).toMatchObject({
      other: rest.other,
      total: rest.total,
      group_count: rest.group_count,
    });
    const [header = [], ...records] = parseCsv(await text(`/api/history?${query}&format=csv`));
    expect(header.slice(0, 4)).toEqual(["domain", "server_port", "bytes", "packets"]);
    expect(records).toEqual(
      groups.map(({ key, ...values }) => [...Object.values(key), ...Object.values(values)].map(cell)),
    );
  });

  test("as csv over time have a line for each point", async () => {
    const query = `group_by=protocol&step=1h&${WHOLE}`;
    const { groups } = await sums(`/api/history?${query}`);
    const [header, ...records] = parseCsv(await text(`/api/history?${query}&format=csv`));
    expect(header?.slice(0, 3)).toEqual(["protocol", "time", "bytes"]);
    expect(records.map((record) => record.slice(0, 3))).toEqual(
      groups.flatMap(({ key, points = [] }) =>
        points.map(({ time, bytes }) => [String(Object.values(key)[0]), time, String(bytes)]),
      ),
    );
  });

  test("of many points are streamed whole", async () => {
    const { groups } = await sums(`/api/history?group_by=client&step=5m&limit=40&${WHOLE}`);
    expect(groups).toHaveLength(40);
    expect(groups.length * (groups[0]?.points?.length ?? 0)).toBeGreaterThan(5000);
    expect(groups.reduce((sum, { rows }) => sum + rows, 0)).toBe(ROWS);
  });

  test("over too many points are refused", async () => {
    const response = await api.get(`/api/history?step=1&${WHOLE}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { problems: [expect.stringMatching(/^step: /)] } });
  });

  test("by domain, as /api/domains has them, are the same", async () => {
    const { groups } = await sums(`/api/top?${WHOLE}&limit=2`);
    const named = groups.filter(({ key }) => key.domain !== null).map(({ bytes }) => bytes);
    const body = (await json(`/api/domains?${WHOLE}&limit=${named.length}`)) as {
      domains: { bytes: number }[];
    };
    expect(body.domains.map(({ bytes }) => bytes)).toEqual(named);
  });
});

describe("rows", () => {
  test("say what raw rows cover", async () => {
    const page = historyPageSchema.parse(await json("/api/history?limit=2"));
    expect(page.returned).toBe(2);
    expect(page.coverage.map(({ level }) => level)).toEqual(["raw", "minute", "hour", "day"]);
  });

  test("as ndjson are the rows of the JSON pages", async () => {
    const items = await allItems("");
    expect(items).toHaveLength(ROWS);
    expect(await linesOf("/api/history?format=ndjson")).toEqual(items as Record<string, unknown>[]);
  });

  test("as csv are the rows of the JSON pages", async () => {
    const items = (await allItems("&q=port%2053")) as Record<string, unknown>[];
    const response = await api.get("/api/history?format=csv&q=port%2053");
    expect(response.headers.get("content-type")).toStartWith("text/csv");
    const [header = [], ...records] = parseCsv(await response.text());
    expect(records).toHaveLength(items.length);
    expect(records).toEqual(items.map((item) => header.map((column) => cell(item[column]))));
    const columns = new Set(items.flatMap((item) => Object.keys(item)));
    expect([...columns].filter((column) => !header.includes(column))).toEqual([]);
  });

  test("as ndjson end with a cursor where the limit left some out", async () => {
    const all = await linesOf("/api/history?format=ndjson");
    const found: Record<string, unknown>[] = [];
    let query = "";
    for (let pages = 0; pages < 10; pages++) {
      const lines = await linesOf(`/api/history?format=ndjson&limit=700${query}`);
      const last = lines.at(-1);
      if (last === undefined || !("next_cursor" in last)) {
        found.push(...lines);
        break;
      }
      expect(lines).toHaveLength(701);
      found.push(...lines.slice(0, -1));
      query = `&cursor=${String(last["next_cursor"])}`;
    }
    expect(found).toEqual(all);
  });

  test("skip an offset once", async () => {
    const all = await linesOf("/api/history?format=ndjson");
    expect(await linesOf("/api/history?format=ndjson&offset=3")).toEqual(all.slice(3));
    expect(parseCsv(await text("/api/history?format=csv&offset=3&limit=600"))).toHaveLength(601);
  });

  test("of a bad cursor are a 400, not a broken stream", async () => {
    for (const format of ["json", "csv", "ndjson"]) {
      const response = await api.get(`/api/history?format=${format}&cursor=abc`);
      expect([format, response.status]).toEqual([format, 400]);
    }
  });

  test("stop being read when their reader goes", async () => {
    for (let turn = 0; turn < 8; turn++) {
      const reader = (await api.get("/api/history?format=ndjson")).body?.getReader();
      await reader?.read();
      await reader?.cancel();
    }
    expect(await linesOf("/api/history?format=ndjson")).toHaveLength(ROWS);
  });

  test("that a live test asks about are refused where history cannot tell", async () => {
    const response = await api.get("/api/history?q=state%20established");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { position: { parameter: "q" } } });
  });

  test("answer HEAD without being made", async () => {
    const head = await api.get("/api/history?format=csv", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-type")).toStartWith("text/csv");
    expect(await head.text()).toBe("");
  });
});

describe("one connection", () => {
  test("of history has its rows, newest first", async () => {
    api.agent.connections = [];
    const page = historyPageSchema.parse(await json("/api/history?limit=1"));
    const id = page.items[0]?.connection_id ?? "";
    const story = storySchema.parse(await json(`/api/connections/${id}`));
    expect(story).toMatchObject({ connection: null, live: false, lookups: [] });
    expect(story.history.items).toEqual(
      ((await allItems("")) as typeof page.items).filter(({ connection_id }) => connection_id === id),
    );
    expect(story.history.items.length).toBeGreaterThan(1);
    expect(story.history.has_more).toBe(false);
  });

  test("of now has what history tells of it", async () => {
    const { items } = historyPageSchema.parse(await json("/api/history?limit=1"));
    const [item] = items;
    const live = connection(9, {
      id: "9-1",
      clientAddress: item?.src_ip ?? "",
      clientPort: item?.src_port ?? 0,
      serverAddress: item?.dst_ip ?? "",
      serverPort: item?.dst_port ?? 0,
      protocol: item?.protocol === "UDP" ? 17 : 6,
      interface: item?.interface ?? "",
      firstSeenMs: NOW_MS - 3_600_000,
    });
    api.agent.connections = [live];
    const story = storySchema.parse(await json("/api/connections/9-1"));
    expect(story).toMatchObject({ live: true, connection: { id: "9-1" } });
    expect(story.history.items.length).toBeGreaterThan(1);
    for (const row of story.history.items) {
      expect(row).toMatchObject({ src_ip: item?.src_ip, src_port: item?.src_port, dst_ip: item?.dst_ip });
      expect(row.timestamp).toBeGreaterThanOrEqual(NOW_MS - 3_700_000);
    }
    const byRow = storySchema.parse(await json(`/api/connections/${item?.connection_id}`));
    expect(byRow).toMatchObject({ live: true, connection: { id: "9-1" } });
    api.agent.connections = [];
  });

  test.each(["h999999999-1", "1-2", "nothing", "h1", "..-1"])("%s is none: 404", async (id) => {
    const response = await api.get(`/api/connections/${id}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "not_found" } });
  });
});
