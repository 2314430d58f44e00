import * as z from "zod/mini";
import { LOG_FORMATS, LOG_LEVELS } from "../log.ts";
import {
  bytes,
  bytesLimit,
  choice,
  cidrs,
  databasePath,
  flag,
  interfacePatterns,
  type Kind,
  listenAddress,
  optionalFilePath,
  percentLimit,
  seconds,
  wholeNumber,
} from "./kinds.ts";
import { ATTACH_MODES } from "./types.ts";
import { formatDuration, formatSize } from "./values.ts";

export type OptionGroup = "Capture" | "History" | "API" | "Names" | "Restraint" | "Logging" | "Compatibility";

/** One option: its flag, its default and its words. The key in OPTIONS is its YAML key. */
export interface Option<T> extends Kind<T> {
  /** As commander takes it: `-p, --port <number>`. */
  flags: string;
  default: T;
  help: string;
  group: OptionGroup;
  /** How help shows the default. */
  defaultText?: string;
  /** What `key: null` in the file means, where that is not the default. */
  yamlNull?: T;
  /** Guards the API: an empty environment variable is then an error, not "not set". */
  protects?: true;
}

const option = <T>(kind: Kind<T>, rest: Omit<Option<NoInfer<T>>, keyof Kind<T>>): Option<T> => ({
  ...kind,
  ...rest,
});

const DAY = 86_400;
const YEAR = 365 * DAY;
const MIB = 1024 ** 2;
const DEFAULT_DB_SIZE = 1024 * MIB;

/** How long one level of history is kept. */
function levelRetention(level: string, length: number, what: string): Option<number> {
  return option(seconds(0, 100 * YEAR), {
    flags: `--retention-${level} <time>`,
    default: length,
    defaultText: formatDuration(length),
    help: `how long ${what}; 0: as long as there is space`,
    group: "History",
  });
}

/** Every option, once. Flags, environment, file, help and `config check` are made from this table. */
export const OPTIONS = {
  interface: option(interfacePatterns, {
    flags: "-i, --interface <names>",
    default: ["auto"],
    defaultText: "auto",
    help: "interfaces to watch: names, globs, auto = those with a default route, or all; repeatable or a comma list",
    group: "Capture",
  }),
  max_connections: option(wholeNumber(64, 4_194_304), {
    flags: "--max-connections <number>",
    default: 65_536,
    help: "connections tracked at a time; more are counted in the totals as overflow",
    group: "Capture",
  }),
  connection_timeout: option(seconds(1, 86_400), {
    flags: "--connection-timeout <seconds>",
    default: 60,
    help: "idle time after which a connection is retired",
    group: "Capture",
  }),
  attach_mode: option(choice(ATTACH_MODES), {
    flags: "--attach-mode <mode>",
    default: "auto",
    help: "how programs are attached: tcx (Linux 6.6), clsact, or auto = tcx where the kernel has it",
    group: "Capture",
  }),
  share_interfaces: option(flag, {
    flags: "--share-interfaces",
    default: false,
    help: "count also on interfaces where another agent is attached; both then count the same packets",
    group: "Capture",
  }),
  merge_interfaces: option(flag, {
    flags: "--merge-interfaces",
    default: true,
    help: "show a connection that crosses several watched interfaces once; off: one for each, for overlapping addresses",
    group: "Capture",
  }),
  db_path: option(databasePath, {
    flags: "--db-path <file>",
    default: "/var/lib/ayaflow/traffic.db",
    help: "SQLite database of the history",
    group: "History",
  }),
  aggregation_window_seconds: option(seconds(0, 3600), {
    flags: "--aggregation-window <seconds>",
    default: 10,
    help: "time one row of history covers; 0 stores every packet",
    group: "History",
  }),
  data_retention_seconds: option(seconds(0, 100 * YEAR), {
    flags: "--data-retention <time>",
    default: 2 * YEAR,
    defaultText: formatDuration(2 * YEAR),
    help: "nothing of history is kept longer, in seconds or as 45s, 30m, 12h, 7d, 2w, 2y; 0 for no such bound",
    group: "History",
    // AyaFlow's files write null for "keep for ever".
    yamlNull: 0,
  }),
  retention_raw: levelRetention("raw", DAY, "rows of history, one a connection and window, are kept"),
  retention_minute: levelRetention("minute", 7 * DAY, "their sums by minute are kept"),
  retention_hour: levelRetention("hour", 90 * DAY, "their sums by hour are kept"),
  retention_day: levelRetention("day", 2 * YEAR, "their sums by day are kept"),
  max_db_size: option(bytes(MIB, 2 ** 50, "at least 1MiB"), {
    flags: "--max-db-size <size>",
    default: DEFAULT_DB_SIZE,
    defaultText: formatSize(DEFAULT_DB_SIZE),
    help: "largest size of the database; the oldest of the finest level goes first",
    group: "History",
  }),
  listen: option(listenAddress, {
    flags: "--listen <address>",
    default: "127.0.0.1",
    help: "IPv4 or IPv6 address of the API; 0.0.0.0 or :: for all",
    group: "API",
  }),
  port: option(wholeNumber(0, 65_535), {
    flags: "-p, --port <number>",
    default: 3000,
    help: "port of the API; 0 lets the system choose",
    group: "API",
  }),
  allowed_ips: option(cidrs, {
    flags: "--allowed-ips <cidrs>",
    default: [],
    defaultText: "all",
    help: "addresses or CIDRs that may use the API; repeatable or a comma list",
    group: "API",
    protects: true,
  }),
  api_token_file: option(optionalFilePath, {
    flags: "--api-token-file <file>",
    default: null,
    defaultText: "none",
    help: "file with the token that clients must send; AYAFLOW_API_TOKEN gives the token itself",
    group: "API",
    protects: true,
  }),
  health_public: option(flag, {
    flags: "--health-public",
    default: false,
    help: "let /api/health answer without a token and from any address",
    group: "API",
  }),
  deep_inspect: option(flag, {
    flags: "--deep-inspect",
    default: false,
    help: "name connections by what DNS, TLS, QUIC and HTTP say in their first packets; off: no payload leaves the kernel",
    group: "Names",
  }),
  resolve_dns: option(flag, {
    flags: "--resolve-dns",
    default: false,
    help: "ask the name server for the names of servers that have none otherwise (PTR)",
    group: "Names",
  }),
  cpu_budget: option(percentLimit(0.1, 6400), {
    flags: "--cpu-budget <percent>",
    default: 0,
    defaultText: "none",
    help: "percent of one core the agent's process may use; above that it sheds raw rows, inspection, history detail, sweep rate, in this order; what its programs cost in the kernel is not in it",
    group: "Restraint",
  }),
  memory_budget: option(bytesLimit(32 * MIB, 2 ** 50, "at least 32MiB"), {
    flags: "--memory-budget <size>",
    default: 0,
    defaultText: "none",
    help: "resident memory the agent's process may use; above that it sheds the same",
    group: "Restraint",
  }),
  quiet: option(flag, {
    flags: "-q, --quiet",
    default: false,
    help: "log errors only",
    group: "Logging",
  }),
  log_level: option(choice(LOG_LEVELS), {
    flags: "--log-level <level>",
    default: "info",
    help: `least grave records that are logged: ${LOG_LEVELS.join(", ")}`,
    group: "Logging",
  }),
  log_format: option(choice(LOG_FORMATS), {
    flags: "--log-format <format>",
    default: "text",
    help: LOG_FORMATS.join(" or "),
    group: "Logging",
  }),
  enable_ipv6: option(flag, {
    flags: "--enable-ipv6",
    default: true,
    defaultText: "always on",
    help: "accepted for older set-ups, without effect",
    group: "Compatibility",
  }),
} as const;

export type OptionKey = keyof typeof OPTIONS;
/** The value of every option, by YAML key. */
export type Settings = { [K in OptionKey]: (typeof OPTIONS)[K] extends Option<infer T> ? T : never };

export const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];

/** An option by its key, whatever its type. */
export function optionOf(key: OptionKey): Option<unknown> {
  return OPTIONS[key];
}

export function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(OPTIONS, key);
}

/** `--port` of `-p, --port <number>`. */
export function longFlag(key: OptionKey): string {
  return /--[a-z0-9-]+/.exec(OPTIONS[key].flags)?.[0] ?? "";
}

/** The environment variable follows the flag: `--db-path` is `AYAFLOW_DB_PATH`. */
export function envName(key: OptionKey): string {
  return `AYAFLOW_${longFlag(key).slice(2).replaceAll("-", "_").toUpperCase()}`;
}

export function defaultText(key: OptionKey): string {
  const { default: value, defaultText: words } = optionOf(key);
  return words ?? (typeof value === "boolean" ? (value ? "on" : "off") : String(value));
}

/** The one schema: what flags, environment and file may each say. Unknown keys are issues. */
export const settingsSchema = z.partial(
  z.strictObject(
    Object.fromEntries(OPTION_KEYS.map((key) => [key, OPTIONS[key].schema])) as {
      [K in OptionKey]: z.ZodMiniType<Settings[K]>;
    },
  ),
);
