import { escapeControl } from "../log.ts";
import { askAgent, readAnswer } from "./ask-agent.ts";
import { Progress } from "./ask-progress.ts";
import { findSource } from "./ask-source.ts";
import type { AgentTarget, AskTarget } from "./ask-target.ts";
import type { Terminal } from "./ask-terminal.ts";
import type { CommandIo } from "./command-io.ts";
import { healthSchema, statsSchema } from "./stats-answers.ts";
import { fileReport, statsReport } from "./stats-report.ts";

async function agentStats(agent: AgentTarget, json: boolean, terminal: Terminal): Promise<string> {
  const response = await askAgent(agent, "/api/stats", {});
  if (json) return `${await response.text()}\n`;
  const answer = await readAnswer(response, statsSchema, agent.url);
  const health = await readAnswer(await askAgent(agent, "/api/health", {}), healthSchema, agent.url);
  return statsReport(agent.url, answer, health, terminal);
}

async function fileStats(path: string, json: boolean, terminal: Terminal): Promise<string> {
  const { readFileStats } = await import("./stats-file.ts");
  const { stats: found, notes } = readFileStats(path);
  if (json) return `${JSON.stringify(found)}\n`;
  return fileReport(found, terminal) + notes.map((note) => `note: ${escapeControl(note)}\n`).join("");
}

/** `ayaflow stats`: of the agent, or of a database. Returns the exit code. @throws UsageError, AyaflowError. */
export async function stats(
  { json }: { json: boolean },
  target: AskTarget,
  io: CommandIo,
  terminal: Terminal,
): Promise<number> {
  using progress = new Progress("stats", terminal.hasErrors, (text) => io.err(text));
  const found = await findSource(target);
  const text =
    found.kind === "agent"
      ? await agentStats(found.agent, json, terminal)
      : await fileStats(found.path, json, terminal);
  progress.erase();
  io.out(text);
  await io.flush();
  return 0;
}
