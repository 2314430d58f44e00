import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import manifest from "../../../package.json" with { type: "json" };
import { envName, longFlag, OPTION_KEYS } from "../../../src/config/options.ts";
import { AyaflowError } from "../../../src/errors.ts";
import { cli } from "./command-line.ts";

describe("run", () => {
  test.each(["", "run"])("%p runs with the defaults", async (args) => {
    const { exitCode, runs, out, err } = await cli(args);
    expect(exitCode).toBe(0);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.config.port).toBe(3000);
    expect(out + err).toBe("");
  });

  test.each(["-p 1 -i a -i b,c run", "run -p 1 -i a -i b,c", "-p1 --interface=a --interface b,c"])(
    "%p: flags before, after and without the command",
    async (args) => {
      const { runs } = await cli(args);
      expect(runs[0]?.config.port).toBe(1);
      expect(runs[0]?.config.interfaces).toEqual(["a", "b", "c"]);
    },
  );

  test("AyaFlow's whole command line", async () => {
    const { exitCode, runs } = await cli(
      "-i eth0 -p 8080 --db-path a.db --connection-timeout 30 -q --data-retention 3600 --aggregation-window 5 " +
        "--resolve-dns --deep-inspect --enable-ipv6 --allowed-ips 10.0.0.0/8 --allowed-ips 192.168.0.0/16",
    );
    expect(exitCode).toBe(0);
    expect(runs[0]?.config).toMatchObject({
      interfaces: ["eth0"],
      port: 8080,
      dbPath: "a.db",
      connectionTimeoutSeconds: 30,
      quiet: true,
      dataRetentionSeconds: 3600,
      aggregationWindowSeconds: 5,
      resolveDns: true,
      deepInspect: true,
      allowedIps: ["10.0.0.0/8", "192.168.0.0/16"],
    });
  });

  test("--no-… turns off what the environment turned on; a flag not given leaves it", async () => {
    const env = { AYAFLOW_DEEP_INSPECT: "1", AYAFLOW_RESOLVE_DNS: "1" };
    const { runs } = await cli("--no-deep-inspect", env);
    expect(runs[0]?.config.deepInspect).toBe(false);
    expect(runs[0]?.config.resolveDns).toBe(true);
  });

  test("gets the warnings and gives the exit code", async () => {
    const { exitCode, err } = await cli(
      "",
      { AYAFLOW_SERVICE_HOST: "10.0.0.1" },
      {
        run: async ({ warnings }) => {
          expect(warnings).toHaveLength(1);
          return 7;
        },
      },
    );
    expect(exitCode).toBe(7);
    expect(err).toBe("");
  });
});

describe("what goes wrong in a handler", () => {
  const failing = (error: Error) =>
    cli(
      "",
      {},
      {
        run: async () => {
          throw error;
        },
      },
    );

  test("an AyaflowError is one line and its own exit code", async () => {
    const { exitCode, err } = await failing(new AyaflowError("port 3000 is in use", { exitCode: 3 }));
    expect(exitCode).toBe(3);
    expect(err).toBe("ayaflow: port 3000 is in use\n");
  });

  test("anything else is a bug: with its stack, exit 1", async () => {
    const { exitCode, err } = await failing(new TypeError("x is not a function"));
    expect(exitCode).toBe(1);
    expect(err).toStartWith("ayaflow: internal error: ");
    expect(err).toContain("x is not a function");
    expect(err).toContain("cli.test.ts");
  });
});

describe("usage errors: exit 2, nothing runs, nothing on stdout", () => {
  test.each([
    ["docter", 'unknown command "docter"; did you mean doctor?'],
    [
      "-p 1 nonsense",
      'unknown command "nonsense"; commands are run, top, history, stats, health, completion, doctor, version, inspect, config',
    ],
    ["--prot 1", "--prot: unknown option; did you mean --port?"],
    ["--foo 1 -p zz", '--port: "zz" is not allowed'],
    ["run --nonsense", "--nonsense: unknown option"],
    ["run eth0", "too many arguments for 'run'"],
    ["--port", "option '-p, --port <number>' argument missing"],
    ["config chek", "unknown command 'chek'\n(Did you mean check?)"],
    ["config", "Usage: ayaflow config"],
    ["version --yaml", "--yaml: unknown option"],
    ["doctor -p x", '--port: "x" is not allowed'],
    ["config check -p x", '--port: "x" is not allowed'],
  ])("%p", async (args, message) => {
    const { exitCode, out, err, runs, doctors } = await cli(args);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
    expect(out).toBe("");
    expect([...runs, ...doctors]).toEqual([]);
  });

  test("a hint says where help is", async () => {
    expect((await cli("--nonsense")).err).toContain('run "ayaflow --help" for usage');
    expect((await cli("nonsense")).err).toContain('run "ayaflow --help" for usage');
  });
});

describe("help", () => {
  test.each(["-h", "--help", "help", "run -h", "doctor --help", "help doctor", "config check -h"])(
    "%p shows every option with its variable, in groups",
    async (args) => {
      const { exitCode, out, err } = await cli(args);
      expect(exitCode).toBe(0);
      expect(err).toBe("");
      for (const key of OPTION_KEYS) {
        expect(out).toContain(longFlag(key));
        expect(out).toContain(envName(key));
      }
      for (const group of ["Capture:", "History:", "API:", "Names:", "Restraint:", "Logging:"])
        expect(out).toContain(group);
      expect(out).toContain("/var/lib/ayaflow/traffic.db");
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    },
  );

  test("the program's help has commands and examples", async () => {
    const { out } = await cli("-h");
    for (const word of ["run", "doctor", "version", "config", "Examples:"]) expect(out).toContain(word);
  });

  test("help reads neither environment nor file", async () => {
    expect((await cli("-h", { AYAFLOW_PORT: "x", AYAFLOW_CONFIG: "/nonexistent" })).exitCode).toBe(0);
  });
});

describe("version", () => {
  test.each(["version", "-V", "--version"])("%p is one line", async (args) => {
    const { exitCode, out } = await cli(args, { AYAFLOW_PORT: "x" });
    expect(exitCode).toBe(0);
    expect(out).toBe(`ayaflow ${manifest.version} (Bun ${Bun.version}, linux ${process.arch})\n`);
  });

  test("as JSON", async () => {
    const { out } = await cli("version --json");
    expect(JSON.parse(out)).toEqual({
      version: manifest.version,
      commit: null,
      bun: Bun.version,
      platform: "linux",
      arch: process.arch,
      libraries: {},
    });
  });
});

test("doctor gets the configuration and gives the exit code; warnings go to stderr", async () => {
  const { exitCode, doctors, err } = await cli("doctor --json -p 1", { AYAFLOW_SERVICE_HOST: "10.0.0.1" });
  expect(exitCode).toBe(1);
  expect(doctors.map(({ config, json }) => [config.port, json])).toEqual([[1, true]]);
  expect(err).toStartWith("ayaflow: warning: ignored AYAFLOW_SERVICE_HOST");
});

describe("config check", () => {
  test("is a YAML file that gives the same configuration, with the source of every value", async () => {
    const folder = mkdtempSync("/tmp/ayaflow-cli-");
    try {
      const path = `${folder}/a.yaml`;
      writeFileSync(
        path,
        "port: 1\ninterface: [eth0, 'veth*']\nmax_db_size: 500MB\ndb_path: '/tmp/a b.db'\n",
      );
      const first = await cli(`config check -c ${path} --listen ::1`, { AYAFLOW_QUIET: "1" });
      expect(first.exitCode).toBe(0);
      expect(first.out).toMatch(/^listen: "::1" +# flag, --listen$/m);
      expect(first.out).toMatch(/^quiet: true +# env, AYAFLOW_QUIET$/m);
      expect(first.out).toMatch(new RegExp(`^port: 1 +# file, ${path}: port$`, "m"));
      expect(first.out).toMatch(/^log_level: info +# default$/m);

      const second = `${folder}/b.yaml`;
      writeFileSync(second, first.out);
      const [original, again] = await Promise.all([
        cli(`-c ${path} --listen ::1`, { AYAFLOW_QUIET: "1" }),
        cli(`-c ${second}`),
      ]);
      expect(again.runs).toEqual(original.runs);
      expect(again.runs).toHaveLength(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("never shows the token", async () => {
    const { out } = await cli("config check", { AYAFLOW_API_TOKEN: "geheim-geheim-geheim" });
    expect(out).toMatch(/^# api_token: \(set, not shown\) +# env, AYAFLOW_API_TOKEN$/m);
    expect(out).not.toContain("geheim");
  });
});

test.each([
  ["inspect a.pcap", { path: "a.pcap", json: false, dns: false }],
  ["inspect --json --dns -", { path: "-", json: true, dns: true }],
])("%s gets the path and the options, and gives the exit code", async (args, expected) => {
  const { exitCode, inspected } = await cli(args);
  expect(exitCode).toBe(1);
  expect(inspected).toEqual([expected]);
});

test.each(["inspect", "inspect --jsn a.pcap", "inspect a.pcap b.pcap"])("%s is wrong", async (args) => {
  const { exitCode, inspected, err } = await cli(args);
  expect(exitCode).toBe(2);
  expect(inspected).toEqual([]);
  expect(err).not.toBe("");
});
