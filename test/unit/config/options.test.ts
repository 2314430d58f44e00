import { expect, test } from "bun:test";
import { envName, longFlag, OPTION_KEYS, OPTIONS, settingsSchema } from "../../../src/config/options.ts";

test("flags, variables and keys are the documented ones", () => {
  const names = OPTION_KEYS.map((key) => [longFlag(key), envName(key), key]);
  expect(names.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))).toEqual([
    ["--aggregation-window", "AYAFLOW_AGGREGATION_WINDOW", "aggregation_window_seconds"],
    ["--allowed-ips", "AYAFLOW_ALLOWED_IPS", "allowed_ips"],
    ["--api-token-file", "AYAFLOW_API_TOKEN_FILE", "api_token_file"],
    ["--attach-mode", "AYAFLOW_ATTACH_MODE", "attach_mode"],
    ["--connection-timeout", "AYAFLOW_CONNECTION_TIMEOUT", "connection_timeout"],
    ["--cpu-budget", "AYAFLOW_CPU_BUDGET", "cpu_budget"],
    ["--data-retention", "AYAFLOW_DATA_RETENTION", "data_retention_seconds"],
    ["--db-path", "AYAFLOW_DB_PATH", "db_path"],
    ["--deep-inspect", "AYAFLOW_DEEP_INSPECT", "deep_inspect"],
    ["--enable-ipv6", "AYAFLOW_ENABLE_IPV6", "enable_ipv6"],
    ["--health-public", "AYAFLOW_HEALTH_PUBLIC", "health_public"],
    ["--interface", "AYAFLOW_INTERFACE", "interface"],
    ["--listen", "AYAFLOW_LISTEN", "listen"],
    ["--log-format", "AYAFLOW_LOG_FORMAT", "log_format"],
    ["--log-level", "AYAFLOW_LOG_LEVEL", "log_level"],
    ["--max-connections", "AYAFLOW_MAX_CONNECTIONS", "max_connections"],
    ["--max-db-size", "AYAFLOW_MAX_DB_SIZE", "max_db_size"],
    ["--memory-budget", "AYAFLOW_MEMORY_BUDGET", "memory_budget"],
    ["--merge-interfaces", "AYAFLOW_MERGE_INTERFACES", "merge_interfaces"],
    ["--port", "AYAFLOW_PORT", "port"],
    ["--quiet", "AYAFLOW_QUIET", "quiet"],
    ["--resolve-dns", "AYAFLOW_RESOLVE_DNS", "resolve_dns"],
    ["--retention-day", "AYAFLOW_RETENTION_DAY", "retention_day"],
    ["--retention-hour", "AYAFLOW_RETENTION_HOUR", "retention_hour"],
    ["--retention-minute", "AYAFLOW_RETENTION_MINUTE", "retention_minute"],
    ["--retention-raw", "AYAFLOW_RETENTION_RAW", "retention_raw"],
    ["--share-interfaces", "AYAFLOW_SHARE_INTERFACES", "share_interfaces"],
  ]);
});

test("every default passes its own check, unchanged", () => {
  const defaults = Object.fromEntries(OPTION_KEYS.map((key) => [key, OPTIONS[key].default]));
  expect(settingsSchema.parse(defaults) as Record<string, unknown>).toEqual(defaults);
});
