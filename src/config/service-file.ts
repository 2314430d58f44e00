import { statSync } from "node:fs";
import { join } from "node:path";

/** Set by systemd for a unit with ConfigurationDirectory=. */
const DIRECTORY_VARIABLE = "CONFIGURATION_DIRECTORY";
const FILE = "ayaflow.yaml";

/** The configuration file of the systemd service, where there is one. One that cannot be looked at counts as there. */
export function serviceFile(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const [directory] = (env[DIRECTORY_VARIABLE] ?? "").split(":");
  if (directory === undefined || directory === "") return undefined;
  const path = join(directory, FILE);
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : path;
  } catch {
    // Not "no configuration": it may be what guards the API. Reading it will say what is wrong.
    return path;
  }
}
