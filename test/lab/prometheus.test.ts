import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { toolPath } from "../support/tools.ts";
import { startAgent } from "./support/agent.ts";
import { metricSum, type StatsAnswer } from "./support/answers.ts";
import { createLab } from "./support/lab.ts";
import { waitFor } from "./support/wait.ts";

const PROMETHEUS_PORT = 9090;
const TIMEOUT_MS = 60_000;

interface QueryAnswer {
  status: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

test(
  "a real Prometheus scrapes the agent and answers queries",
  async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder);
    await lab.client.exec(["ping", "-c", "5", "-i", "0.05", lab.server.ipv4]);
    await writeFile(
      lab.path("prometheus.yml"),
      `global: {scrape_interval: 500ms}
scrape_configs: [{job_name: ayaflow, static_configs: [{targets: ["127.0.0.1:3000"]}]}]
`,
    );
    const prometheus = lab.server.spawn([
      toolPath("prometheus"),
      `--config.file=${lab.path("prometheus.yml")}`,
      `--storage.tsdb.path=${lab.path("tsdb")}`,
      `--web.listen-address=127.0.0.1:${PROMETHEUS_PORT}`,
    ]);
    await prometheus.listening("tcp", PROMETHEUS_PORT);
    const query = async (expression: string): Promise<QueryAnswer["data"]["result"]> => {
      const url = `http://127.0.0.1:${PROMETHEUS_PORT}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { stdout } = await lab.server.exec(["curl", "-sS", "-g", url]);
      return (JSON.parse(stdout) as QueryAnswer).data.result;
    };
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
