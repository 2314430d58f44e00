import { TOKEN_VARIABLE } from "../config/environment.ts";
import { placeOf, type Source } from "../config/layer.ts";
import type { LoadedConfig } from "../config/load.ts";
import { OPTION_KEYS, type OptionKey } from "../config/options.ts";
import { formatSize } from "../config/values.ts";

const SIZES: ReadonlySet<OptionKey> = new Set(["max_db_size", "memory_budget"]);

/** A value as YAML. JSON is YAML: text that could be read as something else is quoted. */
export function toYaml(key: OptionKey, value: unknown): string {
  if (SIZES.has(key) && typeof value === "number") return formatSize(value);
  if (
    typeof value === "string" &&
    /^[a-z/][\w./-]*$/i.test(value) &&
    !/^(?:true|false|null|y|n|yes|no|on|off)$/i.test(value)
  ) {
    return value;
  }
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  return JSON.stringify(value);
}

/**
 * The merged configuration as a YAML file that gives the same one, every value with its source as a comment. The token
 * itself is never in it.
 */
export function formatConfig({ config, settings, sources, file }: LoadedConfig): string {
  const where = (key: OptionKey): string => {
    const source: Source = sources[key] ?? "default";
    return source === "default" ? source : `${source}, ${placeOf({ source, file }, key)}`;
  };
  const rows: [string, string][] = OPTION_KEYS.map((key) => [
    `${key}: ${toYaml(key, settings[key])}`,
    where(key),
  ]);
  if (config.apiToken !== null && sources.api_token === "env" && sources.api_token_file !== "env") {
    rows.push(["# api_token: (set, not shown)", `env, ${TOKEN_VARIABLE}`]);
  }
  const width = Math.max(...rows.map(([text]) => text.length));
  return rows.map(([text, source]) => `${text.padEnd(width)}  # ${source}\n`).join("");
}
