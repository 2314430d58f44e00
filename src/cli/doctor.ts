import type { Config } from "../config/types.ts";
import { EXIT_FAILURE } from "../errors.ts";
import { escapeControl } from "../log.ts";
import { type Check, evaluate } from "./doctor-evaluate.ts";
import type { DoctorProbes } from "./doctor-facts.ts";
import { readFacts } from "./doctor-read.ts";

const NAME_WIDTH = 12;
const STATUS_WIDTH = 4;

/** One line a check: status, name, what was found, and after an arrow the remedy. */
export function formatChecks(checks: readonly Check[]): string {
  return checks
    .map(({ name, status, found, remedy }) => {
      const line = `${status.padEnd(STATUS_WIDTH)}  ${name.padEnd(NAME_WIDTH)}  ${found}`;
      return `${escapeControl(remedy === undefined ? line : `${line} -> ${remedy}`)}\n`;
    })
    .join("");
}

/** Whether the agent could run: nothing failed. */
export function canRun(checks: readonly Check[]): boolean {
  return checks.every(({ status }) => status !== "fail");
}

/** Checks the system for `config` and writes the findings; the exit code is 1 if the agent could not run. */
export async function runDoctor(
  config: Config,
  probes: DoctorProbes,
  { json }: { json: boolean },
  out: (text: string) => void,
): Promise<number> {
  const checks = evaluate(await readFacts(config, probes), config);
  const isRunnable = canRun(checks);
  out(json ? `${JSON.stringify({ ok: isRunnable, checks }, null, 2)}\n` : formatChecks(checks));
  return isRunnable ? 0 : EXIT_FAILURE;
}
