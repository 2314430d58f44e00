import { describe, expect, test } from "bun:test";
import type { Config } from "../../../src/config/types.ts";
import { load, problemsOf } from "./setup.ts";

const DEFAULTS: Config = {
  interfaces: ["auto"],
  attachMode: "auto",
  shareInterfaces: false,
  mergeInterfaces: true,
  port: 3000,
  listen: "127.0.0.1",
  dbPath: "/var/lib/ayaflow/traffic.db",
  connectionTimeoutSeconds: 60,
  dataRetentionSeconds: 63_072_000,
  levelRetentionSeconds: { raw: 86_400, minute: 604_800, hour: 7_776_000, day: 63_072_000 },
  maxDbSizeBytes: 1_073_741_824,
  aggregationWindowSeconds: 10,
  maxConnections: 65_536,
  cpuBudgetPercent: 0,
  memoryBudgetBytes: 0,
  allowedIps: [],
  apiToken: null,
  healthPublic: false,
  deepInspect: false,
  resolveDns: false,
  quiet: false,
  logLevel: "info",
  logFormat: "text",
};

test("nothing given: the documented defaults", async () => {
  const { config, warnings, sources, file } = await load({});
  expect(config).toEqual(DEFAULTS);
  expect(warnings).toEqual([]);
  expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  expect(file).toBeNull();
});

test("every option from the environment", async () => {
  const { config } = await load({
    env: {
      AYAFLOW_INTERFACE: "eth0, veth*",
      AYAFLOW_ATTACH_MODE: "CLSACT",
      AYAFLOW_MERGE_INTERFACES: "off",
      AYAFLOW_SHARE_INTERFACES: "yes",
      AYAFLOW_PORT: "8080",
      AYAFLOW_LISTEN: "[::1]",
      AYAFLOW_DB_PATH: "traffic.db",
      AYAFLOW_CONNECTION_TIMEOUT: "2m",
      AYAFLOW_DATA_RETENTION: "12h",
      AYAFLOW_RETENTION_RAW: "6h",
      AYAFLOW_RETENTION_MINUTE: "2d",
      AYAFLOW_RETENTION_HOUR: "0",
      AYAFLOW_RETENTION_DAY: "1y",
      AYAFLOW_MAX_DB_SIZE: "500MB",
      AYAFLOW_AGGREGATION_WINDOW: "0",
      AYAFLOW_MAX_CONNECTIONS: "1000",
      AYAFLOW_CPU_BUDGET: "2.5%",
      AYAFLOW_MEMORY_BUDGET: "64MiB",
      AYAFLOW_ALLOWED_IPS: "10.0.0.0/8,::1",
      AYAFLOW_API_TOKEN: "0123456789abcdef",
      AYAFLOW_HEALTH_PUBLIC: "yes",
      AYAFLOW_DEEP_INSPECT: "1",
      AYAFLOW_RESOLVE_DNS: "on",
      AYAFLOW_QUIET: "TRUE",
      AYAFLOW_LOG_LEVEL: "debug",
      AYAFLOW_LOG_FORMAT: "json",
      AYAFLOW_ENABLE_IPV6: "false",
      HOME: "/root",
    },
  });
  expect(config).toEqual({
    interfaces: ["eth0", "veth*"],
    attachMode: "clsact",
    shareInterfaces: true,
    mergeInterfaces: false,
    port: 8080,
    listen: "::1",
    dbPath: "traffic.db",
    connectionTimeoutSeconds: 120,
    dataRetentionSeconds: 43_200,
    levelRetentionSeconds: { raw: 21_600, minute: 172_800, hour: 0, day: 31_536_000 },
    maxDbSizeBytes: 500_000_000,
    aggregationWindowSeconds: 0,
    maxConnections: 1000,
    cpuBudgetPercent: 2.5,
    memoryBudgetBytes: 67_108_864,
    allowedIps: ["10.0.0.0/8", "::1"],
    apiToken: "0123456789abcdef",
    healthPublic: true,
    deepInspect: true,
    resolveDns: true,
    quiet: true,
    logLevel: "debug",
    logFormat: "json",
  });
});

test("AyaFlow's own file works as it is: null retention keeps for ever, null interface is the default", async () => {
  const { config } = await load({
    yaml: `
interface: null
port: 3000
db_path: "traffic.db"
connection_timeout: 60
quiet: false
data_retention_seconds: null
aggregation_window_seconds: 0
deep_inspect: false
enable_ipv6: true
resolve_dns: false
allowed_ips: []
`,
  });
  expect(config).toEqual({
    ...DEFAULTS,
    dbPath: "traffic.db",
    dataRetentionSeconds: 0,
    aggregationWindowSeconds: 0,
  });
});

describe("the file", () => {
  test("lists and single strings", async () => {
    const listed = await load({
      yaml: "interface: [eth0, 'veth*']\nallowed_ips:\n  - 10.0.0.0/8\n  - ::1\n",
    });
    expect(listed.config.interfaces).toEqual(["eth0", "veth*"]);
    expect(listed.config.allowedIps).toEqual(["10.0.0.0/8", "::1"]);
    const single = await load({ yaml: "interface: eth0,eth1,eth0\nallowed_ips: 192.0.2.7\n" });
    expect(single.config.interfaces).toEqual(["eth0", "eth1"]);
    expect(single.config.allowedIps).toEqual(["192.0.2.7"]);
  });

  test.each(["", "# only a comment\n", "---\n", "port: ~\n"])("%p says nothing", async (yaml) => {
    expect((await load({ yaml })).config).toEqual(DEFAULTS);
  });
});

describe("precedence", () => {
  const yaml = "port: 1\nlisten: ::1\nlog_level: debug\n";
  const env = { AYAFLOW_PORT: "2", AYAFLOW_LISTEN: "0.0.0.0" };

  test("flags over environment over file over defaults, each value told with its source", async () => {
    const { config, sources, file, path } = await load({ flags: { port: "3" }, env, yaml });
    expect(config.port).toBe(3);
    expect(config.listen).toBe("0.0.0.0");
    expect(config.logLevel).toBe("debug");
    expect(config.logFormat).toBe("text");
    expect(sources).toMatchObject({ port: "flag", listen: "env", log_level: "file", log_format: "default" });
    expect(file).toBe(path);
  });

  test("a flag can turn off what lower sources turned on", async () => {
    const { config } = await load({ flags: { deep_inspect: false }, env: { AYAFLOW_DEEP_INSPECT: "1" } });
    expect(config.deepInspect).toBe(false);
  });

  test("lists replace, they do not add up", async () => {
    const { config } = await load({ flags: { interface: ["eth1"] }, yaml: "interface: [eth0]" });
    expect(config.interfaces).toEqual(["eth1"]);
  });

  test("an empty variable is one not set", async () => {
    const { config, sources } = await load({ env: { AYAFLOW_PORT: "", AYAFLOW_CONFIG: "" }, yaml });
    expect(config.port).toBe(1);
    expect(sources.port).toBe("file");
  });

  test("--config goes over AYAFLOW_CONFIG", async () => {
    const { config } = await load({ env: { AYAFLOW_CONFIG: "/nonexistent/a.yaml" }, yaml });
    expect(config.port).toBe(1);
  });
});

test("all problems of all sources at once, also the hidden ones, each with its place and what is allowed", async () => {
  const problems = await problemsOf({
    flags: { port: "70000", interface: ["eth0", "a/b"], listen: "" },
    env: { AYAFLOW_PORT: "http", AYAFLOW_ALLOWED_IPS: "10.0.0.0/40", AYAFLOW_PROT: "1" },
    yaml: "port: [1]\nconection_timeout: 5\nmax_db_size: 1\nlog_level: loud\n",
  });
  const number = "is not allowed; give a whole number from 0 to 65535";
  expect(problems).toEqual([
    "AYAFLOW_PROT: unknown environment variable; did you mean AYAFLOW_PORT?",
    "FILE: conection_timeout: unknown key; did you mean connection_timeout?",
    '--interface: "a/b" is not allowed; give auto, an interface name (at most 15 bytes, no blank, slash, colon or comma) or a glob such as veth*, or several',
    '--listen: "" is not allowed; give an IPv4 or IPv6 address, for example 127.0.0.1, 0.0.0.0 or ::1',
    `--port: "70000" ${number}`,
    `AYAFLOW_PORT: "http" ${number}`,
    'AYAFLOW_ALLOWED_IPS: "10.0.0.0/40" is not allowed; give an IPv4 or IPv6 address or CIDR, for example 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, or several',
    "FILE: max_db_size: 1 is not allowed; give bytes or a size such as 500MB, 512MiB, 1GiB, at least 1MiB",
    `FILE: port: [1] ${number}`,
    'FILE: log_level: "loud" is not allowed; give one of error, warn, info, debug',
  ]);
});

test("levels of history are kept as each says, and what is hardly meant is a warning", async () => {
  const { config, warnings } = await load({
    flags: { retention_raw: "2w", retention_hour: "0" },
    env: { AYAFLOW_RETENTION_DAY: "5y" },
    yaml: "retention_minute: 3d\n",
  });
  expect(config.levelRetentionSeconds).toEqual({
    raw: 1_209_600,
    minute: 259_200,
    hour: 0,
    day: 157_680_000,
  });
  expect(warnings).toEqual([
    "--retention-raw (14d) is longer than --retention-minute (3d): the finer level takes more space",
    "--retention-day (5y) is cut to --data-retention (2y)",
  ]);
  expect((await load({ flags: { data_retention_seconds: "7d" } })).warnings).toEqual([]);
  expect((await load({ flags: { data_retention_seconds: "0", retention_hour: 0 } })).warnings).toEqual([
    "--retention-hour (as long as there is space) is longer than --retention-day (2y): the finer level takes more space",
  ]);
});

describe("ranges", () => {
  const cases: [key: string, right: unknown[], wrong: unknown[]][] = [
    ["port", ["0", "65535", 3000], ["-1", "65536", "3000.5", 3000.5, "", true, {}, "1e3"]],
    ["connection_timeout", ["1", "86400", "24h"], ["0", "86401", "2d", "60 sec"]],
    ["aggregation_window_seconds", ["0", "3600", "1h"], ["3601", "-1", "2h"]],
    ["data_retention_seconds", ["0", "1", "7d", "5200w"], ["-1", "for ever", "5300w", 1.5]],
    ["retention_raw", ["0", "1", "36h", "2y"], ["-1", "1.5h", "101y", null]],
    ["max_connections", ["64", "4194304"], ["63", "4194305", "64k"]],
    [
      "cpu_budget",
      ["0", "0%", "5", "5%", " 0.1 %", 12.5, "6400"],
      ["0.05", "6401", "-5", "5%%", "%", "five", true],
    ],
    ["memory_budget", ["0", "32MiB", 33_554_432, "1GiB"], ["1", "31MiB", "-64MiB", "64 percent", 5e7 + 0.5]],
    ["max_db_size", ["1MiB", 1_048_576, "1TiB"], ["0", "1048575", "2000TiB", "big"]],
    ["attach_mode", ["auto", "tcx", "clsact"], ["xdp", "", 1]],
    ["deep_inspect", ["true", "0", 1, false], ["maybe", "", 2, []]],
    ["db_path", ["traffic.db", "/a/b.db"], ["", " ", "/a/", ":memory:", "file:a.db", 7, "a\0b"]],
    ["interface", ["auto", "eth0", ["a", "b,c"]], ["", ",", [], ["eth0", 7], { a: 1 }]],
    ["allowed_ips", ["::1", [], ["10.0.0.0/8"]], ["", [""], ["x"], [7]]],
    ["api_token_file", [], ["", 7, "/run/"]],
  ];

  test.each(cases)("%s", async (key, right, wrong) => {
    for (const value of right) expect(await problemsOf({ flags: { [key]: value } })).toEqual([]);
    for (const value of wrong) expect(await problemsOf({ flags: { [key]: value } })).toHaveLength(1);
  });
});

test("a message stays one bounded line whatever the value", async () => {
  const [problem = ""] = await problemsOf({ flags: { listen: `\u001b[31m\n${"x".repeat(500)}` } });
  expect(problem).toStartWith(String.raw`--listen: "\u001b[31m\nxxx`);
  expect(problem.length).toBeLessThan(220);
});
