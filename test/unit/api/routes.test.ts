import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { healthSchema, historyPageSchema, indexSchema, statsSchema } from "../../../src/api/schemas.ts";
import { AyaflowError, UsageError } from "../../../src/errors.ts";
import { HISTORY_ITEM, NOW_MS, startTestApi, type TestApi } from "./fixture.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const json = async (path: string): Promise<unknown> => (await api.get(path)).json();

describe("health", () => {
  test("is ok with the configuration in force", async () => {
    const body = healthSchema.parse(await json("/api/health"));
    expect(body).toEqual({
      status: "ok",
      active_connections: 2,
      total_packets: 1000,
      reasons: [],
      runtime: {
        interface: "veth0",
        port: api.port,
        db_path: "/var/lib/ayaflow/traffic.db",
        connection_timeout: 60,
        data_retention_seconds: 604_800,
        aggregation_window_seconds: 10,
        resolve_dns: false,
        deep_inspect: false,
        enable_ipv6: true,
        allowed_ips: [],
      },
    });
  });

  test("is degraded, still 200, with the agent's reasons and history's", async () => {
    api.agent.reasons = ["the connection table is full"];
    api.history.current.failing = "disk is full";
    const response = await api.get("/api/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "degraded",
      reasons: ["the connection table is full", "history: disk is full"],
    });
  });

  test("does not repeat a history reason that the agent gave", async () => {
    api.agent.reasons = ["history is failing: disk is full"];
    api.history.current.failing = "disk is full";
    expect(await json("/api/health")).toMatchObject({ reasons: ["history is failing: disk is full"] });
  });
});

test("stats has totals, classes, fill and every loss", async () => {
  const body = statsSchema.parse(await json("/api/stats"));
  expect(body).toMatchObject({
    uptime_seconds: 61,
    total_packets: 1000,
    total_bytes: 100_000,
    packets_per_second: 12.5,
    coverage: 0.9859,
    table: { used: 2, size: 65_536 },
    ring: { used_bytes: 128, size_bytes: 1_048_576 },
    history: {
      rows_written: 500,
      rows_dropped: { queue_full: 0, disk_full: 7 },
      queued: 3,
      failing: null,
      levels: [
        { level: "raw", since: "2026-02-28T12:00:00.000Z", until: null, parts: 0, bytes: 0, lost: 0 },
        { level: "minute", since: null, until: "2026-03-01T11:59:00.000Z", parts: 2, bytes: 900, lost: 4 },
        { level: "hour", since: null, until: null },
        { level: "day", since: null, until: null },
      ],
      folding_lag_seconds: 30,
    },
    losses: [
      { stage: "ring", reason: "full", count: 4 },
      { stage: "history", reason: "queue_full", count: 0 },
      { stage: "history", reason: "disk_full", count: 7 },
      { stage: "stream", reason: "slow_reader", count: 0 },
    ],
  });
  expect(body.interfaces[0]).toEqual({
    interface: "veth0",
    direction: "ingress",
    packets: 700,
    bytes: 70_000,
    attributed_packets: 690,
    attributed_bytes: 69_000,
    overflow_packets: 5,
    overflow_bytes: 500,
    not_ip_packets: 3,
    not_ip_bytes: 300,
    malformed_packets: 2,
    malformed_bytes: 200,
  });
});

test("stats does not count a history loss twice when the agent reports it", async () => {
  api.agent.current.losses = [{ stage: "history", reason: "disk_full", count: 7 }];
  const { losses } = statsSchema.parse(await json("/api/stats"));
  expect(losses.filter(({ reason }) => reason === "disk_full")).toHaveLength(1);
});

describe("history", () => {
  test("answers the page", async () => {
    const body = historyPageSchema.parse(await json("/api/history"));
    expect(body).toMatchObject({ limit: 100, returned: 1, next_cursor: null });
    expect(body.items).toMatchObject([HISTORY_ITEM]);
  });

  test("hands the whole query on, times in milliseconds, the limit clamped", async () => {
    await json(
      "/api/history?limit=5000&since=-1h&until=now&ip=192.0.2.1&src_ip=::ffff:192.0.2.2&dst_ip=::1&port=1&src_port=2" +
        "&dst_port=3&protocol=6&interface=lo&direction=ingress&domain=Example.org&row_type=raw&cursor=abc_-",
    );
    await json("/api/history?start_time=1700000000&end_time=1700000000500&offset=10&row_type=aggregated");
    expect(api.history.queries).toEqual([
      {
        limit: 1000,
        cursor: "abc_-",
        sinceMs: NOW_MS - 3_600_000,
        untilMs: NOW_MS,
        ip: "192.0.2.1",
        srcIp: "192.0.2.2",
        dstIp: "::1",
        port: 1,
        srcPort: 2,
        dstPort: 3,
        protocol: 6,
        interface: "lo",
        direction: "ingress",
        domain: "example.org",
        kind: "packet",
      },
      { limit: 100, sinceMs: 1_700_000_000_000, untilMs: 1_700_000_000_500, offset: 10, kind: "window" },
    ]);
  });

  test("a question history refuses is 400, a failing history 503", async () => {
    api.history.failure = new UsageError(["cursor: not one of ours"]);
    const refused = await api.get("/api/history?cursor=x");
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: "cursor: not one of ours" } });
    api.history.failure = new AyaflowError("database disk image is malformed");
    const failing = await api.get("/api/history");
    expect(failing.status).toBe(503);
    expect(await failing.json()).toEqual({
      error: {
        code: "history_unavailable",
        message: "history cannot be read: database disk image is malformed",
      },
    });
  });

  test("without history the route is 503, health degraded, stats null", async () => {
    const bare = await startTestApi({}, { history: null });
    try {
      expect((await bare.get("/api/history")).status).toBe(503);
      expect(await (await bare.get("/api/health")).json()).toMatchObject({ status: "degraded" });
      expect(await (await bare.get("/api/stats")).json()).toMatchObject({ history: null });
      expect(await (await bare.get("/metrics")).text()).toContain("ayaflow_history_up 0");
    } finally {
      await bare.stop();
    }
  });
});

test("the index lists the routes", async () => {
  expect(indexSchema.parse(await json("/"))).toMatchObject({ name: "ayaflow", version: "1.2.3" });
});

test("HEAD answers as GET without a body", async () => {
  const head = await api.get("/api/health", { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers.get("content-type")).toContain("application/json");
  expect(await head.text()).toBe("");
});

test("a failure inside is logged and told to nobody", async () => {
  api.agent.stats = () => {
    throw new Error("secret detail");
  };
  const response = await api.get("/api/stats");
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ error: { code: "internal_error" } });
  expect(text).not.toContain("secret");
  expect(api.logged).toContainEqual({
    level: "error",
    message: "a request failed",
    fields: { path: "/api/stats", error: "secret detail" },
  });
});
