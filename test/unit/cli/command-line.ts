import type { AgentTarget, AskTarget } from "../../../src/cli/ask-target.ts";
import { type CliHandlers, runCli } from "../../../src/cli/cli.ts";
import type { HistoryRequest } from "../../../src/cli/history-request.ts";
import type { Config } from "../../../src/config/types.ts";
import type { TopOptions } from "../../../src/top/types.ts";

/** What a command line came to. */
export interface Outcome {
  exitCode: number;
  out: string;
  err: string;
  /** What the handlers were called with. */
  runs: { config: Config; warnings: readonly string[] }[];
  doctors: { config: Config; json: boolean }[];
  inspected: { path: string; json: boolean; dns: boolean }[];
  asked: { request: HistoryRequest; target: AskTarget }[];
  stats: { json: boolean; target: AskTarget }[];
  healths: { strict: boolean; agent: AgentTarget }[];
  tops: TopOptions[];
}

/** Runs a command line (words by blanks) with handlers that only take notes. */
export async function cli(
  args: string,
  env: Record<string, string> = {},
  handlers: Partial<CliHandlers> = {},
): Promise<Outcome> {
  const outcome: Outcome = {
    exitCode: -1,
    out: "",
    err: "",
    runs: [],
    doctors: [],
    inspected: [],
    asked: [],
    stats: [],
    healths: [],
    tops: [],
  };
  outcome.exitCode = await runCli(
    args.split(" ").filter((word) => word !== ""),
    env,
    {
      run: async ({ config, warnings }) => {
        outcome.runs.push({ config, warnings });
        return 0;
      },
      doctor: async (config, { json }) => {
        outcome.doctors.push({ config, json });
        return 1;
      },
      inspect: async (path, options) => {
        outcome.inspected.push({ path, ...options });
        return 1;
      },
      history: async (request, target) => {
        outcome.asked.push({ request, target });
        return 0;
      },
      stats: async ({ json }, target) => {
        outcome.stats.push({ json, target });
        return 0;
      },
      health: async ({ strict }, agent) => {
        outcome.healths.push({ strict, agent });
        return 0;
      },
      top: async (options) => {
        outcome.tops.push(options);
        return 0;
      },
      licenses: async () => 0,
      ...handlers,
    },
    {
      out: (text) => {
        outcome.out += text;
      },
      err: (text) => {
        outcome.err += text;
      },
      columns: 100,
    },
  );
  return outcome;
}
