/** Whom `ayaflow history` asks, and what it says when that goes wrong. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AskTarget } from "../../../src/cli/ask-target.ts";
import type { HistoryFlags } from "../../../src/cli/history-request.ts";
import { AyaflowError } from "../../../src/errors.ts";
import { type DatabaseApi, startDatabaseApi } from "../api/database.ts";
import { startTestApi } from "../api/fixture.ts";
import { ask, at } from "./asking.ts";

let stack: AsyncDisposableStack;
let api: DatabaseApi;
let file: AskTarget;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  api = await startDatabaseApi(stack);
  file = { kind: "file", path: api.sql.filename };
  await api.fold();
});
afterAll(async () => {
  await stack.disposeAsync();
});

describe("where answers come from", () => {
  const failure = async (target: AskTarget, flags: HistoryFlags = {}): Promise<AyaflowError> => {
    try {
      await ask(target, ...at(flags));
    } catch (error) {
      if (error instanceof AyaflowError) return error;
      throw error;
    }
    throw new Error("it was answered");
  };

  test("the agent where one runs, else its database; said to who watches", async () => {
    const either = (url: string): AskTarget => ({
      kind: "either",
      agent: { url, token: null },
      path: api.sql.filename,
    });
    const watched = at({}, "", { hasErrors: true });
    expect((await ask(either(api.url), ...watched)).err).toBe(`history: from the agent at ${api.url}\n`);
    const { err, out } = await ask(either("http://127.0.0.1:9"), ...watched);
    expect(err).toBe(`history: from the database ${api.sql.filename}\n`);
    expect(out).toBe((await ask(file, ...watched)).out);
    using other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
    expect((await ask(either(other.url.origin), ...watched)).err).toBe(err);
    expect((await ask(either("http://127.0.0.1:9"), ...at({}))).err).toBe("");
  });

  test("neither: says what was tried and what to do", async () => {
    const error = await failure({
      kind: "either",
      agent: { url: "http://127.0.0.1:9", token: null },
      path: "/nonexistent/traffic.db",
    });
    expect(error.exitCode).toBe(1);
    expect(error.message).toBe(
      "no agent at http://127.0.0.1:9 (connection refused) and no database /nonexistent/traffic.db: " +
        "start the agent, or name one with --url, or its database with --db",
    );
  });

  test("an agent with a token: how to give it, also where its database could be read", async () => {
    await using guarded = {
      ...(await startTestApi({ apiToken: "geheim-geheim-geheim" })),
      [Symbol.asyncDispose]: async () => {},
    };
    stack.defer(() => guarded.stop());
    const without = { url: guarded.url, token: null };
    for (const target of [
      { kind: "agent", agent: without },
      { kind: "either", agent: without, path: api.sql.filename },
    ] as AskTarget[]) {
      const error = await failure(target);
      expect([error.exitCode, error.message]).toEqual([
        1,
        `the agent at ${guarded.url} wants its token: give the file with it as --token-file, or the token itself in AYAFLOW_API_TOKEN`,
      ]);
    }
    const wrong = await failure({ kind: "agent", agent: { ...without, token: "wrong-wrong-wrong-wrong" } });
    expect(wrong.message).toContain("does not take this token");
    const right: AskTarget = { kind: "agent", agent: { ...without, token: "geheim-geheim-geheim" } };
    expect((await ask(right, ...at({}))).code).toBe(0);
  });

  test.each([
    [
      "no agent",
      () => new Response("hello"),
      /^the agent at .* gave an answer that this version does not know/,
    ],
    [
      "an error",
      () => new Response("hello", { status: 500 }),
      /is no AyaFlow agent: it answers with status 500$/,
    ],
    ["a redirect", () => Response.redirect("http://192.0.2.1/"), /^no agent answers at /],
    [
      "a limit",
      () =>
        Response.json(
          { error: { code: "query_limit", message: "the question took over 10 s" } },
          { status: 503 },
        ),
      /^the agent at .*: the question took over 10 s$/,
    ],
  ])("%s", async (_, answer, expected) => {
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
    const error = await failure({ kind: "agent", agent: { url: server.url.origin, token: null } });
    expect(error.exitCode).toBe(1);
    expect(error.message).toMatch(expected);
  });

  test("an answer that breaks off is no answer", async () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    using server = Bun.listen({
      port: 0,
      hostname: "127.0.0.1",
      socket: {
        data(socket) {
          socket.write(`${head}5\r\nhello\r\n`);
          setTimeout(() => socket.end(), 50);
        },
      },
    });
    const url = `http://127.0.0.1:${server.port}`;
    const target: AskTarget = { kind: "agent", agent: { url, token: null } };
    for (const flags of [{ rows: true }, { csv: true }, {}]) {
      expect((await failure(target, flags)).exitCode).toBe(1);
    }
  });

  test("what takes its time says so to who watches, and leaves no trace", async () => {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        await Bun.sleep(1800);
        return await fetch(api.url + pathname + search);
      },
    });
    const target: AskTarget = { kind: "agent", agent: { url: server.url.origin, token: null } };
    const [watched, unwatched] = await Promise.all([
      ask(target, ...at({}, "", { hasErrors: true })),
      ask(target, ...at({})),
    ]);
    expect(watched.err).toStartWith("\rhistory: 1 s ...");
    expect(watched.err).toMatch(/\r +\r$/);
    expect(unwatched.err).toBe("");
    expect(watched.out).toBe(unwatched.out);
  });
});
