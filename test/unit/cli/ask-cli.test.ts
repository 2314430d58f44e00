import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AskTarget } from "../../../src/cli/ask-target.ts";
import { cli } from "./command-line.ts";

describe("history", () => {
  test("takes a filter as words before and between its options, which may begin with a dash", async () => {
    const { exitCode, asked, err } = await cli(
      "history host 10.0.0.7 --since -2h and port 443 --top 5 --by name,port",
    );
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(asked.map(({ request }) => request)).toEqual([
      expect.objectContaining({
        text: "host 10.0.0.7 and port 443",
        kind: "sums",
        limit: 5,
        groupBy: ["domain", "server_port"],
      }) as never,
    ]);
  });

  test.each([
    [
      "history",
      {
        kind: "either",
        agent: { url: "http://127.0.0.1:3000", token: null },
        path: "/var/lib/ayaflow/traffic.db",
      },
    ],
    [
      "history -p 8080 --db-path /tmp/a.db",
      { kind: "either", agent: { url: "http://127.0.0.1:8080", token: null }, path: "/tmp/a.db" },
    ],
    [
      "history --listen 0.0.0.0",
      {
        kind: "either",
        agent: { url: "http://127.0.0.1:3000", token: null },
        path: "/var/lib/ayaflow/traffic.db",
      },
    ],
    [
      "history --listen ::",
      {
        kind: "either",
        agent: { url: "http://[::1]:3000", token: null },
        path: "/var/lib/ayaflow/traffic.db",
      },
    ],
    ["history -p 0", { kind: "either", agent: null, path: "/var/lib/ayaflow/traffic.db" }],
    ["history --db a.db", { kind: "file", path: "a.db" }],
    ["history --url 192.0.2.1:3000", { kind: "agent", agent: { url: "http://192.0.2.1:3000", token: null } }],
    [
      "history --url https://a.example/x/",
      { kind: "agent", agent: { url: "https://a.example/x", token: null } },
    ],
  ] as [string, AskTarget][])("%p asks the right one", async (args, target) => {
    const { asked } = await cli(args);
    expect(asked.map((one) => one.target)).toEqual([target]);
  });

  test("sends the configuration's token to its own agent only, that of the environment to any", async () => {
    const folder = mkdtempSync("/tmp/ayaflow-cli-");
    try {
      writeFileSync(`${folder}/token`, "geheim-geheim-geheim\n");
      writeFileSync(`${folder}/other`, "another-token-another\n");
      const tokens = async (args: string, env: Record<string, string> = {}) =>
        (await cli(args, env)).asked.map(({ target }) => "agent" in target && target.agent?.token);
      const configured = `history --api-token-file ${folder}/token`;
      expect(await tokens(configured)).toEqual(["geheim-geheim-geheim"]);
      expect(await tokens(`${configured} --url http://a`)).toEqual([null]);
      expect(await tokens(`${configured} --token-file ${folder}/other`)).toEqual(["another-token-another"]);
      const env = { AYAFLOW_API_TOKEN: "token-of-environment" };
      expect(await tokens("history --url http://a", env)).toEqual(["token-of-environment"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ["history foo", "filter: at character 1"],
    ["history --since 25:00", '--since: "25:00" is no time'],
    ["history --url a --db b", "--url and --db: give one"],
    ["history --url ftp://a", '--url: "ftp://a" is no address of an agent'],
    ["history --token-file /nonexistent", "--token-file: cannot read"],
    ["history --order size", "argument 'size' is invalid. Allowed choices are bytes, packets"],
    ["history --sinse -1h", "--sinse: unknown option; did you mean --since?"],
    ["history --since", "option '--since <time>' argument missing"],
  ])("%p is wrong: exit 2, nothing asked", async (args, message) => {
    const { exitCode, err, asked, out } = await cli(args);
    expect({ exitCode, asked, out }).toEqual({ exitCode: 2, asked: [], out: "" });
    expect(err).toContain(message);
  });
});

test("stats gets the target and whether JSON is wanted", async () => {
  const { exitCode, stats } = await cli("stats --json --db a.db");
  expect(exitCode).toBe(0);
  expect(stats).toEqual([{ json: true, target: { kind: "file", path: "a.db" } }]);
});

describe("top", () => {
  test("gets its options", async () => {
    const plain = await cli("top");
    expect(plain.tops).toEqual([
      { url: "http://127.0.0.1:3000", token: null, filter: "", intervalMs: 1000, ascii: false, color: true },
    ]);
    const { tops } = await cli("top port 443 --url http://a:1 --interval 0.5 --ascii --no-color", {
      AYAFLOW_API_TOKEN: "geheim-geheim-geheim",
    });
    expect(tops).toEqual([
      {
        url: "http://a:1",
        token: "geheim-geheim-geheim",
        filter: "port 443",
        intervalMs: 500,
        ascii: true,
        color: false,
      },
    ]);
  });

  test.each([
    ["top --interval 0", "Give seconds from 0.1 to 3600"],
    ["top --interval soon", "Give seconds from 0.1 to 3600"],
    ["top -p 0", "give --url"],
  ])("%p is wrong", async (args, message) => {
    const { exitCode, err, tops } = await cli(args);
    expect({ exitCode, tops }).toEqual({ exitCode: 2, tops: [] });
    expect(err).toContain(message);
  });
});

describe("completion", () => {
  test.each(["bash", "zsh", "fish"])("%s gets a script", async (shell) => {
    const { exitCode, out } = await cli(`completion ${shell}`);
    expect(exitCode).toBe(0);
    expect(out).toContain(`${shell} completion of ayaflow`);
  });

  test("of another shell is wrong", async () => {
    const { exitCode, err } = await cli("completion csh");
    expect(exitCode).toBe(2);
    expect(err).toContain("Allowed choices are bash, zsh, fish");
  });
});
