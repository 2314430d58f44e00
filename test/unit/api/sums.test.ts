import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseFilter } from "../../../src/filter/parse.ts";
import { HistoryLimitError } from "../../../src/history/question-errors.ts";
import { errorSchema } from "../../../src/api/schemas.ts";
import { NOW_MS, startTestApi, type TestApi } from "./fixture.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const HOUR_MS = 3_600_000;

/** The questions that paths became. */
async function asked(...paths: string[]) {
  for (const path of paths) expect([path, (await api.get(path)).status]).toEqual([path, 200]);
  return api.history.questions.map((question) => {
    const { signal, ...rest } = question;
    expect(signal).toBeInstanceOf(AbortSignal);
    return rest;
  });
}

async function refusal(path: string) {
  const response = await api.get(path);
  return { status: response.status, ...errorSchema.parse(await response.json()).error };
}

describe("what is asked", () => {
  const lastHour = { sinceMs: NOW_MS - HOUR_MS, untilMs: NOW_MS };

  test("by /api/top", async () => {
    expect(
      await asked(
        "/api/top",
        "/api/top?by=client,domain,client&since=-2h&until=-1h&limit=7&order=packets_sent&q=port%20443",
        "/api/top?since=-999999999w&until=0",
      ),
    ).toEqual([
      { ...lastHour, filter: null, groupBy: ["domain"], order: "bytes", limit: 20 },
      {
        sinceMs: NOW_MS - 2 * HOUR_MS,
        untilMs: NOW_MS - HOUR_MS,
        filter: parseFilter("port 443"),
        groupBy: ["client", "domain"],
        order: "packets_sent",
        limit: 7,
      },
      { sinceMs: 0, untilMs: 0, filter: null, groupBy: ["domain"], order: "bytes", limit: 20 },
    ]);
  });

  test("by /api/timeseries, with a step for some 120 points", async () => {
    const steps = async (since: string) => {
      api.history.questions = [];
      return (await asked(`/api/timeseries?since=${since}`))[0]?.stepMs;
    };
    expect(await Promise.resolve(steps("-1m"))).toBe(10_000);
    expect(await steps("-1h")).toBe(30_000);
    expect(await steps("-24h")).toBe(900_000);
    expect(await steps("-7d")).toBe(HOUR_MS);
    expect(await steps("-30d")).toBe(6 * HOUR_MS);
    expect(await steps("-90d")).toBe(24 * HOUR_MS);
    api.history.questions = [];
    expect(await asked("/api/timeseries?by=protocol&step=5m&limit=3", "/api/timeseries?step=90")).toEqual([
      { ...lastHour, filter: null, groupBy: ["protocol"], order: "bytes", limit: 3, stepMs: 300_000 },
      { ...lastHour, filter: null, groupBy: [], order: "bytes", limit: 5, stepMs: 90_000 },
    ]);
  });

  test("by /api/history with group_by or step", async () => {
    expect(
      await asked(
        "/api/history?group_by=server_port,registered_domain",
        "/api/history?step=1h&start_time=0&end_time=1700000000&order=retransmits",
        "/api/history?group_by=client_network&limit=99999999&order=rows",
      ),
    ).toEqual([
      { ...lastHour, filter: null, groupBy: ["server_port", "registered_domain"], order: "bytes", limit: 50 },
      {
        sinceMs: 0,
        untilMs: 1_700_000_000_000,
        filter: null,
        groupBy: [],
        order: "retransmits",
        limit: 50,
        stepMs: HOUR_MS,
      },
      { ...lastHour, filter: null, groupBy: ["client_network"], order: "rows", limit: 10_000 },
    ]);
    expect(api.history.queries).toEqual([]);
  });

  test("with the plain parameters as terms of the filter", async () => {
    const [question] = await asked(
      "/api/history?group_by=domain&q=bytes%20%3E%2010&ip=10.0.0.0/8&src_ip=::1&dst_ip=192.0.2.1&port=53&src_port=1" +
        "&dst_port=2&protocol=udp&interface=eth0&direction=egress&domain=*.example.org",
    );
    const whole =
      "host 10.0.0.0/8 and port 53 and src host ::1 and src port 1 and dst host 192.0.2.1 and dst port 2 and " +
      "proto udp and iface eth0 and dir egress and domain *.example.org and bytes > 10";
    const testsOf = (filter: unknown): unknown =>
      JSON.parse(
        JSON.stringify(filter, (key, each) => (key === "at" || key === "length" ? undefined : each)),
      );
    expect(testsOf(question?.filter)).toEqual(testsOf(parseFilter(whole)));
  });
});

describe("what is refused", () => {
  test.each([
    ["/api/history?order=bytes", /order: only with group_by or step/],
    ["/api/history?group_by=domain&cursor=abc", /cursor: of rows only/],
    ["/api/history?step=60&offset=3", /offset: of rows only/],
    ["/api/history?step=60&row_type=raw", /row_type: of rows only/],
    ["/api/history?group_by=", /group_by: "" is not one of client, server,/],
    ["/api/history?group_by=domain,nope", /group_by: "nope" is not one of/],
    ["/api/history?step=0", /step: "0" is not a length of time/],
    ["/api/history?step=1.5", /step: "1\.5"/],
    ["/api/history?step=-1h", /step: "-1h"/],
    ["/api/history?format=xml", /format: "xml" is not one of json, csv, ndjson/],
    ["/api/history?group_by=domain&since=now&until=-1h", /since is later than until/],
    ["/api/top?limit=10001", /limit: "10001" is not a whole number from 1 to 10000/],
    ["/api/top?since=now&until=-1h", /since is later than until/],
    ["/api/top?format=csv", /unknown parameter "format"/],
    ["/api/timeseries?limit=51", /limit: "51"/],
    ["/api/suggest", /field: /],
    ["/api/suggest?field=token", /field: "token" is not one of/],
    ["/api/connections/1-2?x=1", /unknown parameter "x"/],
  ])("%s: 400", async (path, message) => {
    const answer = await refusal(path);
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(message);
  });

  test.each(["/api/live", "/api/history", "/api/history?group_by=domain", "/api/top", "/api/timeseries"])(
    "%s with a bad filter: where it is wrong",
    async (path) => {
      const filter = "port 443 and prot udp";
      const answer = await refusal(`${path}${path.includes("?") ? "&" : "?"}q=${encodeURIComponent(filter)}`);
      expect(answer).toMatchObject({
        status: 400,
        code: "bad_request",
        position: { parameter: "q", at: 13, length: 4 },
      });
      expect(answer.problems).toHaveLength(1);
      expect(answer.problems?.[0]).toMatch(/^q: at character 14: ./);
    },
  );

  test("a bad filter beside other problems", async () => {
    const answer = await refusal("/api/live?limit=0&q=port%20x&nope=1&limit=0");
    expect(answer.position).toMatchObject({ parameter: "q", at: 5 });
    expect(answer.problems).toHaveLength(4);
  });

  test.each([
    "(".repeat(500),
    "not ".repeat(600),
    "' OR 1=1 --",
    'domain "x"); DROP TABLE rows; --',
    "port 443 and",
    "host 10.0.0.0/99",
    "bytes > 1e999",
    "\u0000",
    "\u202edomain x",
    "ja4 *",
    "and and and",
    "domain ".padEnd(1500, "a"),
    "🦊".repeat(100),
  ])("hostile filter %#: a 400 or an answer, never a failure", async (text) => {
    for (const path of ["/api/live", "/api/history", "/api/top"]) {
      const response = await api.get(`${path}?q=${encodeURIComponent(text)}`);
      expect([200, 400]).toContain(response.status);
      if (response.status === 400) errorSchema.parse(await response.json());
    }
    expect(api.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
});

test("a question over its limit is 503, and not to be asked again as it is", async () => {
  api.history.failure = new HistoryLimitError("the question took over 10 s");
  const response = await api.get("/api/top");
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBeNull();
  expect(await response.json()).toEqual({
    error: { code: "query_limit", message: "the question took over 10 s" },
  });
});

test("without history sums are 503", async () => {
  const bare = await startTestApi({}, { history: null });
  try {
    for (const path of ["/api/top", "/api/timeseries", "/api/history?step=60", "/api/history?format=csv"]) {
      const response = await bare.get(path);
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.json()).toMatchObject({ error: { code: "history_unavailable" } });
    }
  } finally {
    await bare.stop();
  }
});

test("a client that goes ends its question, and its place comes back", async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<void>();
  api.history.ask = async ({ signal }) => {
    if (signal === undefined) throw new Error("no signal");
    begin(signal);
    signal.addEventListener("abort", () => ended.resolve());
    await ended.promise;
    throw signal.reason;
  };
  const client = new AbortController();
  const request = api.get("/api/top", { signal: client.signal }).catch(() => "gone");
  await begun;
  client.abort();
  expect(await request).toBe("gone");
  await ended.promise;
  expect(api.logged.filter(({ level }) => level !== "debug")).toEqual([]);
});

test("more than 64 questions at once: 503, and the others are answered", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: full, resolve: isFull } = Promise.withResolvers<void>();
  const answer = api.history.ask.bind(api.history);
  let waiting = 0;
  api.history.ask = async (question) => {
    waiting += 1;
    if (waiting === 64) isFull();
    await released;
    return answer(question);
  };
  const running = Array.from({ length: 64 }, () => api.get("/api/top"));
  await full;
  const refused = await refusal("/api/timeseries");
  expect(refused).toMatchObject({ status: 503, code: "overloaded" });
  release();
  expect(new Set((await Promise.all(running)).map(({ status }) => status))).toEqual(new Set([200]));
  expect((await api.get("/api/timeseries")).status).toBe(200);
});
