import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Gauge } from "prom-client";
import { errorSchema } from "../../../src/api/schemas.ts";
import { createMetrics } from "../../../src/api/metrics.ts";
import { LIVE_SORTS } from "../../../src/flow/types.ts";
import { startTestApi, type TestApi } from "./fixture.ts";
import { rawRequest } from "./raw.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

async function refusal(response: Response) {
  return { status: response.status, ...errorSchema.parse(await response.json()).error };
}

describe("what is refused", () => {
  test("an unknown path: 404 naming the routes", async () => {
    for (const path of ["/api", "/api/health/", "/API/health", "/api//health", "/favicon.ico"]) {
      const { status, code, message } = await refusal(await api.get(path));
      expect([path, status, code]).toEqual([path, 404, "not_found"]);
      expect(message).toContain("/api/health");
    }
  });

  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s: 405 with Allow", async (method) => {
    const response = await api.get("/api/stats", { method });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await refusal(response)).toMatchObject({ status: 405, code: "method_not_allowed" });
  });

  test("a large body: 413, at once and unread", async () => {
    const head = `POST /api/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n`;
    const answer = await rawRequest(api.port, `${head}Content-Length: 99999999\r\n\r\nabc`);
    expect(answer).toStartWith("HTTP/1.1 413 ");
    expect(answer).toContain('"code":"body_too_large"');
    expect(
      await refusal(await api.get("/api/stats", { method: "POST", body: "x".repeat(65_537) })),
    ).toMatchObject({
      status: 413,
    });
    expect((await api.get("/api/stats", { method: "POST", body: "x".repeat(65_536) })).status).toBe(405);
  });

  test("a chunked body: 411", async () => {
    const answer = await rawRequest(
      api.port,
      "GET /api/stats HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    );
    expect(answer).toStartWith("HTTP/1.1 411 ");
  });

  test("a long URL or query: 414", async () => {
    expect(await refusal(await api.get(`/${"a".repeat(8192)}`))).toMatchObject({ status: 414 });
    expect(await refusal(await api.get(`/api/live?ip=${"1".repeat(4094)}`))).toMatchObject({
      status: 414,
      code: "uri_too_long",
    });
    expect((await api.get(`/api/live?ip=${"1".repeat(4093)}`)).status).toBe(400);
  });

  test("a request without a WebSocket handshake for the stream: 426", async () => {
    const response = await api.get("/api/stream");
    expect(response.headers.get("upgrade")).toBe("websocket");
    expect(await refusal(response)).toMatchObject({ status: 426, code: "upgrade_required" });
  });

  test("every problem of a query at once, with what is allowed", async () => {
    const { status, problems } = await refusal(
      await api.get(
        "/api/live?limit=0&sort=best&ip=1.2.3&port=65536&protocol=foo&state=open&nope=1&x=&limit=0",
      ),
    );
    expect(status).toBe(400);
    expect(problems).toEqual([
      "limit: given more than once",
      'limit: "0" is not a whole number from 1 to 1000000',
      `sort: "best" is not one of ${LIVE_SORTS.join(", ")}`,
      'ip: "1.2.3" is not an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8',
      'port: "65536" is not a whole number from 0 to 65535',
      'protocol: "foo" is not a protocol name (TCP, UDP, ICMP, ICMPv6, SCTP, ...) or number from 0 to 255',
      'state: "open" is not one of none, syn_sent, syn_received, established, closing, closed, reset',
      'unknown parameter "nope": allowed are limit, sort, order, offset, q, ip, port, protocol, interface, state, domain',
      'unknown parameter "x": allowed are limit, sort, order, offset, q, ip, port, protocol, interface, state, domain',
    ]);
  });

  test.each([
    ["/api/history?since=yesterday", /since: "yesterday" is not a time: RFC 3339/],
    ["/api/history?since=now&until=-1h", /since is later than until/],
    ["/api/history?since=1&start_time=1", /since and start_time are the same/],
    ["/api/history?cursor=a&offset=1", /cursor and offset/],
    ["/api/history?ip=[::1]", /ip: "\[::1\]" is not/],
    ["/api/live?limit=1e3", /limit: "1e3"/],
    ["/api/live?domain=*.", /domain: "\*\." is not a domain name, or one after \*\. for it/],
    ["/api/history?domain=a*.example", /domain: "a\*\.example" is not/],
    ["/api/domains?order=connections", /order: "connections" is not one of bytes, packets/],
    ["/api/domains?limit=1001", /limit: "1001" is not a whole number from 1 to 1000/],
    ["/api/domains?fold=yes", /fold: "yes" is not one of registered/],
    ["/api/domains?since=now&until=-1h", /since is later than until/],
    ["/api/dns?type=A%20A", /type: "A A" is not a record type/],
    ["/api/dns?ip=host", /ip: "host" is not/],
    ["/api/live?limit=", /limit: "" is not/],
    ["/api/live?__proto__=1", /unknown parameter "__proto__"/],
    ["/api/live?ip=%ff%zz", /ip: /],
    ["/api/stream?topics=stats,all", /topics: "all" is not one of stats, connections/],
    ["/metrics?name=x", /unknown parameter "name": this route takes none/],
  ])("%s: 400", async (path, message) => {
    const answer = await refusal(await api.get(path));
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(message);
  });
});

test("every answer has the security headers and no CORS", async () => {
  for (const path of ["/api/health", "/metrics", "/nowhere", "/api/live?x=1"]) {
    const { headers } = await api.get(path, { headers: { origin: "https://evil.example" } });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("HTTP/1.0 without a Host header is answered", async () => {
  const answer = await rawRequest(api.port, "GET /api/health?x=1 HTTP/1.0\r\n\r\n");
  expect(answer).toStartWith("HTTP/1.1 400 ");
  expect(await rawRequest(api.port, "GET /api/health HTTP/1.0\r\n\r\n")).toStartWith("HTTP/1.1 200 ");
});

test("more than 256 requests in flight: 503", async () => {
  const metrics = createMetrics();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: full, resolve: isFull } = Promise.withResolvers<void>();
  let waiting = 0;
  const wait = (): Promise<void> => {
    waiting += 1;
    if (waiting === 256) isFull();
    return released;
  };
  const gate = { name: "test_gate", help: "Holds a scrape", collect: wait };
  metrics.registry.registerMetric(new Gauge({ ...gate, registers: [] }));
  const busy = await startTestApi({}, { metrics });
  try {
    const running = Array.from({ length: 256 }, () => busy.get("/metrics"));
    await full;
    // Bun's fetch has at most 256 requests running itself.
    const refused = await rawRequest(
      busy.port,
      "GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    );
    expect(refused).toStartWith("HTTP/1.1 503 ");
    expect(refused.toLowerCase()).toContain("retry-after: 1");
    expect(refused).toContain('"code":"overloaded"');
    release();
    const statuses = (await Promise.all(running)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await busy.get("/api/health")).status).toBe(200);
  } finally {
    release();
    await busy.stop();
  }
});
