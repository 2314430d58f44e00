import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type LoadedConfig, loadConfig } from "../../../src/config/load.ts";
import { UsageError } from "../../../src/errors.ts";

/** A folder for one test's files; disposed of with `using`. */
export class Folder implements Disposable {
  readonly path = mkdtempSync("/tmp/ayaflow-config-");

  write(name: string, text: string, mode = 0o600): string {
    const path = `${this.path}/${name}`;
    writeFileSync(path, text, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

export interface Given {
  flags?: Record<string, unknown>;
  env?: Record<string, string>;
  /** Text of the configuration file. */
  yaml?: string;
}

/** The configuration that these sources give, and the path of the file made for `yaml`. */
export async function load({ flags = {}, env = {}, yaml }: Given): Promise<LoadedConfig & { path: string }> {
  using folder = new Folder();
  const path = yaml === undefined ? "" : folder.write("ayaflow.yaml", yaml);
  const config = yaml === undefined ? {} : { config: path };
  return { ...(await loadConfig({ flags: { ...config, ...flags }, env })), path };
}

/** Every problem that these sources have; the path of the file is `FILE` in them. */
export async function problemsOf(given: Given): Promise<string[]> {
  try {
    await load(given);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return error.problems.map((problem) =>
      problem.replaceAll(/\/tmp\/ayaflow-config-\w+\/ayaflow\.yaml/g, "FILE"),
    );
  }
  return [];
}
