import { UsageError } from "../errors.ts";
import { CONFIG_VARIABLE, type Environment, readEnvironment, TOKEN_VARIABLE } from "./environment.ts";
import { type Files, systemFiles } from "./files.ts";
import { checkLayer, type Layer, placeOf, type Source } from "./layer.ts";
import { OPTION_KEYS, OPTIONS, type OptionKey, type Settings } from "./options.ts";
import { retentionWarnings } from "./retention.ts";
import { serviceFile } from "./service-file.ts";
import { readToken, type TokenOrigin } from "./token.ts";
import type { Config } from "./types.ts";
import { readConfigFile } from "./yaml.ts";

export interface ConfigInput {
  /** Flags given on the command line, by YAML key; `config` is the path of the file. */
  flags: Readonly<Record<string, unknown>>;
  env: Environment;
  files?: Files;
}

export interface LoadedConfig {
  config: Config;
  warnings: string[];
  /** By YAML key, and `api_token` where a token is set. */
  sources: Record<string, Source>;
  /** The checked values by YAML key, as `config check` shows them. */
  settings: Settings;
  /** Path of the configuration file, if one was read. */
  file: string | null;
}

const DEFAULTS = Object.fromEntries(OPTION_KEYS.map((key) => [key, OPTIONS[key].default])) as Settings;

function toConfig(settings: Settings, apiToken: string | null): Config {
  return {
    interfaces: settings.interface,
    attachMode: settings.attach_mode,
    shareInterfaces: settings.share_interfaces,
    mergeInterfaces: settings.merge_interfaces,
    port: settings.port,
    listen: settings.listen,
    dbPath: settings.db_path,
    connectionTimeoutSeconds: settings.connection_timeout,
    dataRetentionSeconds: settings.data_retention_seconds,
    levelRetentionSeconds: {
      raw: settings.retention_raw,
      minute: settings.retention_minute,
      hour: settings.retention_hour,
      day: settings.retention_day,
    },
    maxDbSizeBytes: settings.max_db_size,
    aggregationWindowSeconds: settings.aggregation_window_seconds,
    maxConnections: settings.max_connections,
    cpuBudgetPercent: settings.cpu_budget,
    memoryBudgetBytes: settings.memory_budget,
    allowedIps: settings.allowed_ips,
    apiToken,
    healthPublic: settings.health_public,
    deepInspect: settings.deep_inspect,
    resolveDns: settings.resolve_dns,
    quiet: settings.quiet,
    logLevel: settings.log_level,
    logFormat: settings.log_format,
  };
}

interface Checked {
  layer: Layer;
  settings: Partial<Settings>;
}

/** `layers` in order, the first that has `key`. */
function topLayer(checked: readonly Checked[], key: OptionKey): Checked | undefined {
  return checked.find(({ settings }) => Object.hasOwn(settings, key));
}

/** Flags over environment over file; the environment can name the file or hold the token, not both. */
function tokenOrigin(
  checked: readonly Checked[],
  token: string | undefined,
): { origin: TokenOrigin | undefined; source: Source; problems: string[] } {
  const top = topLayer(checked, "api_token_file");
  const path = top?.settings.api_token_file;
  const fromFile =
    top !== undefined && typeof path === "string"
      ? { place: placeOf(top.layer, "api_token_file"), path }
      : undefined;
  const source = top?.layer.source ?? "default";
  if (token === undefined || source === "flag") return { origin: fromFile, source, problems: [] };
  const problems =
    source === "env" ? [`${TOKEN_VARIABLE}: AYAFLOW_API_TOKEN_FILE is set as well; keep one of the two`] : [];
  return { origin: { place: TOKEN_VARIABLE, text: token }, source: "env", problems };
}

/**
 * The whole configuration: flags over environment over file over defaults. Throws UsageError with a line for every
 * problem of every source, also where a higher source hides the value.
 */
export async function loadConfig({ flags, env, files = systemFiles }: ConfigInput): Promise<LoadedConfig> {
  const { config: flagPath, ...flagValues } = flags;
  const environment = readEnvironment(env);
  const path = typeof flagPath === "string" ? flagPath : (environment.config ?? serviceFile(env));
  const file =
    path === undefined
      ? undefined
      : await readConfigFile(path, flagPath === undefined ? CONFIG_VARIABLE : "--config", files);

  const layers: Layer[] = [{ source: "flag", file: null, values: flagValues }, environment.layer];
  if (file !== undefined) layers.push(file.layer);
  const results = layers.map((layer) => ({ layer, ...checkLayer(layer) }));
  const { origin, source: tokenSource, problems: tokenProblems } = tokenOrigin(results, environment.token);
  const token = readToken(origin, files);

  const problems = [
    ...environment.problems,
    ...(file?.problems ?? []),
    ...results.flatMap((result) => result.problems),
    ...tokenProblems,
    ...token.problems,
  ];
  if (problems.length > 0) throw new UsageError(problems);

  const [flagged, fromEnv, fromFile] = results;
  const settings: Settings = {
    ...DEFAULTS,
    ...fromFile?.settings,
    ...fromEnv?.settings,
    ...flagged?.settings,
  };
  const sources: Record<string, Source> = Object.fromEntries(
    OPTION_KEYS.map((key) => [key, topLayer(results, key)?.layer.source ?? "default"]),
  );
  if (token.token !== null) sources.api_token = tokenSource;
  return {
    config: toConfig(settings, token.token),
    warnings: [...environment.warnings, ...token.warnings, ...retentionWarnings(settings, sources)],
    sources,
    settings,
    file: path ?? null,
  };
}
