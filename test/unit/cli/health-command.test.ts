import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { health, readHealth } from "../../../src/cli/health-command.ts";
import { startTestApi, type TestApi } from "../api/fixture.ts";
import { recording } from "./asking.ts";
import { cli } from "./command-line.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

async function ask(url: string, { strict = false, token = null as string | null } = {}) {
  const { io, out } = recording();
  const code = await health({ strict }, { url, token }, io);
  return { code, out: out() };
}

describe("of an agent", () => {
  test("that is well", async () => {
    api.agent.reasons = [];
    expect(await ask(api.url, { strict: true })).toEqual({ code: 0, out: "ok: 2 active connections\n" });
  });
  test("that is degraded: why, and 1 only if asked for", async () => {
    api.agent.reasons = ["ring: full", "disk:\u001b[31m full"];
    const out = "degraded: ring: full; disk:\\u001b[31m full\n";
    expect(await ask(api.url)).toEqual({ code: 0, out });
    expect(await ask(api.url, { strict: true })).toEqual({ code: 1, out });
  });
});

describe("of none", () => {
  let server: Bun.Server<undefined> | undefined;
  afterEach(async () => {
    await server?.stop(true);
    server = undefined;
  });
  const serve = (answer: () => Response): string => {
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    return `http://127.0.0.1:${server.port}`;
  };

  test("nobody listens", async () => {
    const url = serve(() => new Response());
    await server?.stop(true);
    expect(ask(url)).rejects.toThrow(`no agent answers at ${url}: connection refused`);
  });
  test("it wants a token", async () => {
    const url = serve(() => new Response("{}", { status: 401 }));
    expect(ask(url)).rejects.toThrow(/wants its token: give --token-file/);
    expect(ask(url, { token: "secret" })).rejects.toThrow(/does not take this token/);
  });
  test("another program, a failing one, a redirect, a flood", async () => {
    const answers: [() => Response, RegExp][] = [
      [() => new Response("<html>"), /is no healthy agent: HTTP status 200/],
      [
        () => Response.json({ status: "ok", active_connections: 1, reasons: [] }, { status: 500 }),
        /status 500/,
      ],
      [() => Response.redirect("http://127.0.0.1:1/", 302), /no agent answers/],
      [() => new Response("x".repeat(1_000_000)), /more than an agent does/],
    ];
    for (const [answer, message] of answers) {
      const url = serve(answer);
      expect(ask(url)).rejects.toThrow(message);
      await server?.stop(true);
    }
  });
  test.each([
    "",
    "null",
    "[]",
    "3",
    '{"status":"up"}',
    '{"status":"ok","active_connections":"2","reasons":[]}',
  ])("body %p", (body) => expect(readHealth(body)).toBeNull());
});

describe("on the command line", () => {
  test("whom to ask comes from the configuration, as for stats", async () => {
    const { healths, exitCode } = await cli("health --strict", {
      AYAFLOW_PORT: "3001",
      AYAFLOW_LISTEN: "::",
    });
    expect(exitCode).toBe(0);
    expect(healths).toEqual([{ strict: true, agent: { url: "http://[::1]:3001", token: null } }]);
  });
  test("--url goes before it", async () => {
    const { healths } = await cli("health --url 10.0.0.1:8080", {
      AYAFLOW_API_TOKEN: "0123456789abcdef0123",
    });
    expect(healths[0]?.agent).toEqual({ url: "http://10.0.0.1:8080", token: "0123456789abcdef0123" });
  });
  test("a port that the system chooses cannot be known", async () => {
    const { exitCode, err } = await cli("health", { AYAFLOW_PORT: "0" });
    expect([exitCode, err]).toEqual([2, expect.stringContaining("give --url")]);
  });
});
