import { OPTION_KEYS, type OptionKey, type Settings } from "./options.ts";
import type { LoadedConfig } from "./load.ts";
import type { Config } from "./types.ts";

/** Whether a running agent takes another value of the option; the others need a restart. */
const IS_LIVE: Readonly<Record<OptionKey, boolean>> = {
  interface: true,
  max_connections: false,
  connection_timeout: true,
  attach_mode: false,
  share_interfaces: false,
  merge_interfaces: false,
  db_path: false,
  aggregation_window_seconds: false,
  data_retention_seconds: true,
  retention_raw: true,
  retention_minute: true,
  retention_hour: true,
  retention_day: true,
  max_db_size: true,
  listen: false,
  port: false,
  allowed_ips: true,
  api_token_file: true,
  health_public: true,
  deep_inspect: false,
  resolve_dns: false,
  cpu_budget: true,
  memory_budget: true,
  quiet: true,
  log_level: true,
  log_format: true,
  enable_ipv6: false,
};

/** How a configuration that was read again differs from the one in force, by YAML key; never a value, some are secret. */
export interface ConfigChange {
  /** Options that are taken, and `api_token` where the token itself is another. */
  live: string[];
  /** Options that stay as they are until a restart. */
  restart: OptionKey[];
}

/** A configuration in force: read it at use, as `takeLive` changes `config` in place. */
export type RunningConfig = Pick<LoadedConfig, "config" | "settings">;

function differ(a: Settings, b: Settings, key: OptionKey): boolean {
  return JSON.stringify(a[key]) !== JSON.stringify(b[key]);
}

export function compareConfig(running: RunningConfig, next: RunningConfig): ConfigChange {
  const changed = OPTION_KEYS.filter((key) => differ(running.settings, next.settings, key));
  const live: string[] = changed.filter((key) => IS_LIVE[key]);
  if (running.config.apiToken !== next.config.apiToken) live.push("api_token");
  return { live, restart: changed.filter((key) => !IS_LIVE[key]) };
}

/** The part of a configuration that a running agent takes. */
function livePart(config: Config): Partial<Config> {
  return {
    interfaces: config.interfaces,
    connectionTimeoutSeconds: config.connectionTimeoutSeconds,
    dataRetentionSeconds: config.dataRetentionSeconds,
    levelRetentionSeconds: config.levelRetentionSeconds,
    maxDbSizeBytes: config.maxDbSizeBytes,
    allowedIps: config.allowedIps,
    apiToken: config.apiToken,
    healthPublic: config.healthPublic,
    cpuBudgetPercent: config.cpuBudgetPercent,
    memoryBudgetBytes: config.memoryBudgetBytes,
    quiet: config.quiet,
    logLevel: config.logLevel,
    logFormat: config.logFormat,
  };
}

/** Puts what of `next` may change into `running`, in place, so that all who read it at use obey it from now on. */
export function takeLive(running: RunningConfig, next: RunningConfig): void {
  Object.assign(running.config, livePart(next.config));
  const settings = OPTION_KEYS.filter((key) => IS_LIVE[key]).map((key) => [key, next.settings[key]] as const);
  Object.assign(running.settings, Object.fromEntries(settings));
}
