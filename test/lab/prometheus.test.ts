import { expect, test } from "bun:test";
import { toolPath } from "../support/tools.ts";
import { startAgent } from "./support/agent.ts";
import { metricSum, type StatsAnswer } from "./support/answers.ts";
import { createLab } from "./support/lab.ts";
import { startPrometheus } from "./support/prometheus.ts";
import { waitFor } from "./support/wait.ts";

const TIMEOUT_MS = 60_000;

test(
  "a real Prometheus scrapes the agent and answers queries",
  async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder);
    await lab.client.exec(["ping", "-c", "5", "-i", "0.05", lab.server.ipv4]);
    const { query } = await startPrometheus(lab);
    const [up] = await waitFor(async () => {
      const result = await query("up");
      return result[0]?.value[1] === "1" ? result : null;
    }, "Prometheus never scraped the agent");
    expect(up?.metric.job).toBe("ayaflow");
    // A late ARP may come between two readings; without it all three agree.
    const packets = await waitFor(async () => {
      const [sample] = await query("sum(ayaflow_packets_total)");
      const exposed = metricSum(await agent.text("/metrics"), "ayaflow_packets_total");
      const stats = await agent.get<StatsAnswer>("/api/stats");
      const stored = Number(sample?.value[1]);
      return stored === exposed && stored === stats.total_packets ? stored : null;
    }, "Prometheus, /metrics and /api/stats never agreed");
    expect(packets).toBeGreaterThanOrEqual(10);
    const [coverage] = await query("ayaflow_coverage_ratio");
    expect(coverage?.value[1]).toBe("1");
  },
  TIMEOUT_MS,
);

test("promtool finds nothing to complain about in a running agent's metrics", async () => {
  await using lab = await createLab();
  await using agent = await startAgent(lab.server, lab.folder);
  await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
  const metrics = await agent.text("/metrics");
  const { stdout, stderr } = await lab.server.exec([toolPath("promtool"), "check", "metrics"], {
    stdin: metrics,
  });
  expect(stdout + stderr).toBe("");
});
