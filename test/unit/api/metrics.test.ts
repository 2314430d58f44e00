import { afterEach, beforeEach, expect, test } from "bun:test";
import { createMetrics } from "../../../src/api/metrics.ts";
import type { InspectionCounts } from "../../../src/api/types.ts";
import { NOW_MS, startTestApi, type TestApi } from "./fixture.ts";
import { toolPath } from "../../support/tools.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const scrape = async (path = "/metrics"): Promise<string> => (await api.get(path)).text();

/** The samples of a scrape as `name{labels}` to value. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

test("promtool finds nothing to say", async () => {
  await api.get("/api/live");
  const text = await scrape();
  const promtool = Bun.spawnSync([toolPath("promtool"), "check", "metrics"], { stdin: Buffer.from(text) });
  expect(promtool.stderr.toString() + promtool.stdout.toString()).toBe("");
  expect(promtool.exitCode).toBe(0);
});

test("totals are the agent's own, at every scrape", async () => {
  const first = samples(await scrape());
  expect(first.get('ayaflow_packets_total{interface="veth0",direction="ingress"}')).toBe(700);
  expect(first.get('ayaflow_bytes_total{interface="veth0",direction="egress"}')).toBe(30_000);
  expect(first.get('ayaflow_overflow_packets_total{interface="veth0",direction="ingress"}')).toBe(5);
  expect(first.get('ayaflow_lost_total{stage="ring",reason="full"}')).toBe(4);
  expect(first.get('ayaflow_lost_total{stage="history",reason="disk_full"}')).toBe(7);
  expect(first.get('ayaflow_history_rows_dropped_total{reason="disk_full"}')).toBe(7);
  expect(first.get("ayaflow_history_rows_written_total")).toBe(500);
  expect(first.get("ayaflow_history_database_bytes")).toBe(40_960);
  expect(first.get("ayaflow_active_connections")).toBe(2);
  expect(first.get("ayaflow_coverage_ratio")).toBe(0.9859);
  expect(first.get("ayaflow_table_size_connections")).toBe(65_536);
  expect(first.get("ayaflow_ring_used_bytes")).toBe(128);
  expect(first.get("ayaflow_domains_resolved_total")).toBe(0);
  const [ingress] = api.agent.current.interfaces;
  if (ingress !== undefined) ingress.seen = { packets: 9_007_199_254_740_991, bytes: 1 };
  api.history.current.rowsWritten = 501;
  const second = samples(await scrape());
  expect(second.get('ayaflow_packets_total{interface="veth0",direction="ingress"}')).toBe(
    9_007_199_254_740_991,
  );
  expect(second.get("ayaflow_history_rows_written_total")).toBe(501);
});

test("what is shed, the use by its budget, and the steps taken are shown", async () => {
  const found = samples(await scrape());
  expect(found.get('ayaflow_shed{what="raw_rows"}')).toBe(0);
  expect(found.get('ayaflow_shed{what="inspection"}')).toBe(1);
  expect(found.get('ayaflow_shed{what="history_detail"}')).toBe(1);
  expect(found.get('ayaflow_shed{what="sweep_rate"}')).toBe(0);
  expect(found.get('ayaflow_budget_ratio{resource="cpu"}')).toBe(1.25);
  // No budget for memory.
  expect(found.get('ayaflow_budget_ratio{resource="memory"}')).toBe(0);
  expect(found.get("ayaflow_shed_steps_total")).toBe(3);
});

test("what history covers is shown by level, what is not known left out", async () => {
  const found = samples(await scrape());
  const since = (level: string) =>
    found.get(`ayaflow_history_covered_since_timestamp_seconds{level="${level}"}`);
  const until = (level: string) =>
    found.get(`ayaflow_history_folded_until_timestamp_seconds{level="${level}"}`);
  expect(since("raw")).toBe(NOW_MS / 1000 - 86_400);
  expect(since("minute")).toBeUndefined();
  expect(until("raw")).toBeUndefined();
  expect(until("minute")).toBe(NOW_MS / 1000 - 60);
  expect(until("day")).toBeUndefined();
  expect(found.get('ayaflow_history_sums_bytes{level="minute"}')).toBe(900);
  expect(found.get('ayaflow_history_sums_bytes{level="raw"}')).toBeUndefined();
  expect(found.get('ayaflow_history_unfolded_lost_total{level="minute"}')).toBe(4);
  expect(found.get("ayaflow_history_folding_lag_seconds")).toBe(30);
});

test("an interface that is gone disappears", async () => {
  await scrape();
  api.agent.current.interfaces = [];
  expect(await scrape()).not.toContain("veth0");
});

test("what deep inspection counts is shown, by fixed labels", async () => {
  const inspection: InspectionCounts = {
    packets: 8,
    domainsResolved: 3,
    dnsResponses: (rcode) => (rcode === "NXDOMAIN" ? 4 : 0),
    dnsUnanswered: 2,
    inspections: (protocol, outcome) => (protocol === "quic" && outcome === "budget" ? 5 : 0),
    connections: 6,
    memoryBytes: 7000,
    memoryLimitBytes: 9000,
    addressNames: 10,
    ptrQueries: (outcome) => (outcome === "limited" ? 11 : 0),
  };
  const inspecting = await startTestApi({}, { inspection });
  const found = samples(await (await inspecting.get("/metrics")).text());
  await inspecting.stop();
  expect(found.get("ayaflow_domains_resolved_total")).toBe(3);
  expect(found.get("ayaflow_deep_inspect_packets_total")).toBe(8);
  expect(found.get('ayaflow_dns_responses_total{rcode="NXDOMAIN"}')).toBe(4);
  expect(found.get("ayaflow_dns_unanswered_total")).toBe(2);
  expect(found.get('ayaflow_inspections_total{protocol="quic",outcome="budget"}')).toBe(5);
  expect(found.get("ayaflow_inspect_connections")).toBe(6);
  expect(found.get("ayaflow_inspect_memory_bytes")).toBe(7000);
  expect(found.get("ayaflow_inspect_memory_limit_bytes")).toBe(9000);
  expect(found.get("ayaflow_address_names")).toBe(10);
  expect(found.get('ayaflow_ptr_queries_total{outcome="limited"}')).toBe(11);
});

test("without deep inspection its counters are all there, at 0", async () => {
  const found = [...samples(await scrape())].filter(([name]) =>
    /^ayaflow_(dns_responses|dns_unanswered|inspections|ptr_queries|inspect_|address_names)/.test(name),
  );
  // 13 codes, 6 protocols by 5 outcomes, 4 outcomes of PTR, 5 single figures.
  expect(found).toHaveLength(13 + 30 + 4 + 5);
  expect(found.every(([, value]) => value === 0)).toBe(true);
});

test("requests are counted by fixed labels only", async () => {
  await api.get("/api/health");
  await api.get("/api/health");
  await api.get("/api/live?limit=x");
  for (const path of ["/a", "/b", "/api/health/x"]) await api.get(path);
  await api.get("/c", { method: "PURGE" });
  await api.get("/api/stats", { method: "DELETE" });
  const requests = [...samples(await scrape())].filter(([name]) =>
    name.startsWith("ayaflow_http_requests_total"),
  );
  expect(Object.fromEntries(requests)).toEqual({
    'ayaflow_http_requests_total{route="/api/health",method="GET",status="200"}': 2,
    'ayaflow_http_requests_total{route="/api/live",method="GET",status="400"}': 1,
    'ayaflow_http_requests_total{route="other",method="GET",status="404"}': 3,
    'ayaflow_http_requests_total{route="other",method="other",status="404"}': 1,
    'ayaflow_http_requests_total{route="/api/stats",method="other",status="405"}': 1,
  });
});

test("sweep, drain, loop delay and DNS times are histograms", async () => {
  const own = createMetrics();
  own.observeSweep(0.003);
  own.observeDrain(0.00002);
  own.observeLoopDelay(0);
  own.observeLoopDelay(0.0009);
  own.observeLoopDelay(0.03);
  own.observeDnsLatency(0.02);
  const found = samples(await own.registry.metrics());
  expect(found.get('ayaflow_sweep_duration_seconds_bucket{le="0.0025"}')).toBe(0);
  expect(found.get('ayaflow_sweep_duration_seconds_bucket{le="0.005"}')).toBe(1);
  expect(found.get("ayaflow_sweep_duration_seconds_sum")).toBe(0.003);
  expect(found.get('ayaflow_ring_drain_duration_seconds_bucket{le="0.00005"}')).toBe(1);
  expect(found.get('ayaflow_event_loop_delay_seconds_bucket{le="0.001"}')).toBe(2);
  expect(found.get('ayaflow_event_loop_delay_seconds_bucket{le="0.02"}')).toBe(2);
  expect(found.get('ayaflow_event_loop_delay_seconds_bucket{le="0.05"}')).toBe(3);
  expect(found.get('ayaflow_dns_latency_seconds_bucket{le="0.01"}')).toBe(0);
  expect(found.get('ayaflow_dns_latency_seconds_bucket{le="0.025"}')).toBe(1);
});

test("every observation of a histogram is in the next scrape, however many there were", async () => {
  const own = createMetrics();
  const count = async () =>
    samples(await own.registry.metrics()).get("ayaflow_event_loop_delay_seconds_count");
  expect(await count()).toBe(0);
  for (let seen = 0; seen < 200; seen++) own.observeLoopDelay(0.001);
  expect(await count()).toBe(200);
  own.observeLoopDelay(0.001);
  expect([await count(), await count()]).toEqual([201, 201]);
});

test("the process and the build are described", async () => {
  const found = samples(await scrape());
  const build = `ayaflow_build_info{version="1.2.3",commit="abc1234",bun_version="${Bun.version}"}`;
  expect(found.get(build)).toBe(1);
  for (const name of [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
  ]) {
    expect([name, (found.get(name) ?? 0) > 0]).toEqual([name, true]);
  }
});
