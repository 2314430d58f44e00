import { writeFile } from "node:fs/promises";
import { toolPath } from "../../support/tools.ts";
import type { Lab } from "./lab.ts";
import { waitFor } from "./wait.ts";

const PORT = 9090;

export interface Sample {
  metric: Record<string, string>;
  value: [time: number, value: string];
}

export interface Prometheus {
  /** The body of an answer of its API, below /api/v1/. */
  ask: (path: string) => Promise<string>;
  /** Evaluates an expression now. @throws Error with Prometheus' words. */
  query: (expression: string) => Promise<Sample[]>;
}

/** A real Prometheus at the lab's server, which scrapes the agent there as job `ayaflow`. `rules`: a file in the lab's folder. */
export async function startPrometheus(lab: Lab, rules?: string): Promise<Prometheus> {
  await writeFile(
    lab.path("prometheus.yml"),
    `global: {scrape_interval: 250ms, evaluation_interval: 250ms}
rule_files: [${rules ?? ""}]
scrape_configs: [{job_name: ayaflow, static_configs: [{targets: ["127.0.0.1:3000"]}]}]
`,
  );
  const program = lab.server.spawn([
    toolPath("prometheus"),
    `--config.file=${lab.path("prometheus.yml")}`,
    `--storage.tsdb.path=${lab.path("tsdb")}`,
    `--web.listen-address=127.0.0.1:${PORT}`,
  ]);
  await program.listening("tcp", PORT);
  const get = async (path: string) =>
    await lab.server.exec(["curl", "-sS", "-g", "-w", "\n%{http_code}", `http://127.0.0.1:${PORT}${path}`]);
  // It listens before it can answer.
  await waitFor(async () => (await get("/-/ready")).stdout.endsWith("\n200"), "Prometheus is not ready");
  const ask = async (path: string) => (await get(`/api/v1/${path}`)).stdout.replace(/\n\d+$/, "");
  return {
    ask,
    async query(expression) {
      const answer = JSON.parse(await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        error?: string;
        data?: { result: Sample[] };
      };
      if (answer.data === undefined) throw new Error(`${expression}: ${answer.error}`);
      return answer.data.result;
    },
  };
}
