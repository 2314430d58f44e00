import { probeAttach, probePrograms } from "../bpf/probe.ts";
import { readInterfaceFacts, resolveInterfaces } from "../config/interfaces.ts";
import type { Config } from "../config/types.ts";
import { checkDatabaseFile } from "../history/check.ts";
import { runDoctor } from "./doctor.ts";

/** `ayaflow doctor` on this machine. Returns the exit code. */
export function doctor(config: Config, options: { json: boolean }): Promise<number> {
  return runDoctor(
    config,
    {
      bpf: probePrograms,
      attach: probeAttach,
      checkDatabase: checkDatabaseFile,
      resolveInterfaces: (patterns) => resolveInterfaces(patterns, readInterfaceFacts()),
    },
    options,
    (text) => process.stdout.write(text),
  );
}
