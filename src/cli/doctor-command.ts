import { probeAttach, probePrograms } from "../bpf/probe.ts";
import { readInterfaceFacts, resolveInterfaces } from "../config/interfaces.ts";
import type { Config } from "../config/types.ts";
import { errorMessage } from "../errors.ts";
import { inspectDatabase } from "../history/inspect.ts";
import { runDoctor } from "./doctor.ts";

function databaseProblem(path: string): string | null {
  try {
    inspectDatabase(path);
    return null;
  } catch (error) {
    return errorMessage(error);
  }
}

/** `ayaflow doctor` on this machine. Returns the exit code. */
export function doctor(config: Config, options: { json: boolean }): Promise<number> {
  return runDoctor(
    config,
    {
      bpf: probePrograms,
      attach: probeAttach,
      checkDatabase: databaseProblem,
      resolveInterfaces: (patterns) => resolveInterfaces(patterns, readInterfaceFacts()),
    },
    options,
    (text) => process.stdout.write(text),
  );
}
