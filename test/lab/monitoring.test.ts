/** The dashboard's and the alerts' expressions, asked of a real Prometheus that scrapes a real agent. */
import { describe, expect, test } from "bun:test";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import dashboard from "../../monitoring/grafana/ayaflow.json" with { type: "json" };
import { ROOT } from "../support/command.ts";
import { toolPath } from "../support/tools.ts";
import { startAgent } from "./support/agent.ts";
import { createLab } from "./support/lab.ts";
import { exec } from "./support/process.ts";
import { startPrometheus } from "./support/prometheus.ts";
import { waitFor } from "./support/wait.ts";

const TIMEOUT_MS = 60_000;
const RULES = join(ROOT, "monitoring", "prometheus", "ayaflow.rules.yml");
const RULES_TEST = join(ROOT, "monitoring", "prometheus", "ayaflow.rules.test.yml");
/** Expressions that are empty while all is well. */
const IS_QUIET = /> 0$/;

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const panels: Panel[] = dashboard.panels;
const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** With Grafana's variables filled in, as for "all". */
const filled = (expr: string) =>
  expr
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("$instance", ".*")
    .replaceAll("$interface", ".*")
    .replaceAll("$job", "ayaflow");

interface Rule {
  alert: string;
  expr: string;
  annotations: { runbook_url: string };
}

async function rules(): Promise<Rule[]> {
  const { groups } = Bun.YAML.parse(await Bun.file(RULES).text()) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

describe("the alerts", () => {
  test("are what promtool calls right, and each fires and does not, as its test says", async () => {
    const promtool = toolPath("promtool");
    await exec([promtool, "check", "rules", RULES]);
    expect((await exec([promtool, "test", "rules", RULES_TEST])).stdout).toContain("SUCCESS");
    const tests = await Bun.file(RULES_TEST).text();
    for (const { alert } of await rules()) {
      // In health; before it is due; when it is due.
      expect(tests.split(`alertname: ${alert}`).length - 1).toBe(3);
    }
  });

  test("have a paragraph each that says what to do", async () => {
    const text = await Bun.file(join(ROOT, "docs", "monitoring.md")).text();
    for (const { alert, annotations } of await rules()) {
      expect(text).toContain(`### ${alert}\n`);
      expect(annotations.runbook_url).toEndWith(`docs/monitoring.md#${alert.toLowerCase()}`);
    }
  });
});

test(
  "every panel and every alert asks for what the agent has",
  async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder, { args: ["--deep-inspect"] });
    await copyFile(RULES, lab.path("rules.yml"));
    const { ask, query } = await startPrometheus(lab, "rules.yml");
    // Traffic between two scrapes: before the first, a rate would not tell it.
    await waitFor(async () => {
      await lab.client.exec(["ping", "-c", "3", "-i", "0.05", lab.server.ipv4]);
      return (await query("rate(ayaflow_packets_total[10s]) > 0")).length > 0;
    }, "no traffic is seen");

    expect(expressions.length).toBeGreaterThan(40);
    const empty: string[] = [];
    for (const { title, expr } of expressions) {
      const found = await query(filled(expr));
      if (found.length === 0 && !IS_QUIET.test(expr)) empty.push(`${title}: ${expr}`);
    }
    expect(empty).toEqual([]);

    // Whatever an alert names, the agent has: one that asks for a metric that is not there can never fire.
    const metrics = await agent.text("/metrics");
    for (const { alert, expr } of await rules()) {
      for (const name of expr.match(/\bayaflow_\w+/g) ?? [])
        expect(`${alert} ${metrics}`).toContain(`\n${name}`);
    }
    const loaded = JSON.parse(await ask("rules")) as {
      data: { groups: { rules: { name: string; health: string; state: string }[] }[] };
    };
    const states = loaded.data.groups.flatMap((group) => group.rules);
    expect(states).toHaveLength((await rules()).length);
    expect(states.filter(({ state }) => state === "firing")).toEqual([]);
  },
  TIMEOUT_MS,
);
