import { afterEach, describe, expect, test } from "bun:test";
import { AgentClient, RequestFailure } from "../../../src/page/data/client.ts";

type Handler = (request: Request) => Response | Promise<Response>;

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** A client of a real server, and the Authorization headers that the server was sent. */
function clientOf(handler: Handler, token: string | null = null) {
  const authorizations: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      authorizations.push(request.headers.get("authorization"));
      return handler(request);
    },
  });
  servers.push(server);
  const { href } = server.url;
  const fetcher = (path: string, init: RequestInit) => fetch(new URL(path, href), init);
  const client = new AgentClient({ get: () => token }, fetcher);
  return { client, authorizations, server };
}

const { signal } = new AbortController();

async function failureOf(work: Promise<unknown>): Promise<RequestFailure> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RequestFailure)) throw new Error(`no RequestFailure: ${String(error)}`);
  return error;
}

const refused = (status: number, code: string, problems?: string[]) => () =>
  Response.json({ error: { code, message: `because of ${code}`, problems } }, { status });

describe("the client", () => {
  test("sends the token and takes JSON", async () => {
    const { client, authorizations } = clientOf(() => Response.json({ a: 1 }), "s3cret");
    expect(await client.get<{ a: number }>("/api/stats", { signal })).toEqual({ a: 1 });
    expect(authorizations).toEqual(["Bearer s3cret"]);
    expect(client.link.get()).toEqual({ kind: "ok" });
  });

  test("asks for a token, and says when one was refused", async () => {
    const without = clientOf(refused(401, "unauthorized"));
    await failureOf(without.client.get("/api/stats", { signal }));
    expect(without.client.link.get()).toEqual({ kind: "token", wasRefused: false });
    const wrong = clientOf(refused(401, "unauthorized"), "wrong");
    await failureOf(wrong.client.get("/api/stats", { signal }));
    expect(wrong.client.link.get()).toEqual({ kind: "token", wasRefused: true });
  });

  test("is told why it is not let in", async () => {
    const { client } = clientOf(refused(403, "forbidden"));
    await failureOf(client.get("/api/stats", { signal }));
    expect(client.link.get()).toEqual({ kind: "forbidden", message: "because of forbidden" });
  });

  test("a refused question does not mean that the agent is gone", async () => {
    const { client } = clientOf(refused(503, "query_limit", ["ask for less"]));
    const failure = await failureOf(client.get("/api/top", { signal }));
    expect([failure.kind, failure.code, failure.problems]).toEqual([
      "refused",
      "query_limit",
      ["ask for less"],
    ]);
    expect(client.link.get().kind).toBe("ok");
  });

  test("a server that is gone is lost, and is back with its next answer", async () => {
    const { client, server } = clientOf(() => Response.json({}));
    const { port } = server;
    await server.stop(true);
    expect((await failureOf(client.get("/api/stats", { signal }))).kind).toBe("gone");
    const lost = client.link.get();
    await failureOf(client.get("/api/stats", { signal }));
    expect(client.link.get()).toBe(lost);
    servers.push(Bun.serve({ port: port ?? 0, hostname: "127.0.0.1", fetch: () => Response.json({}) }));
    await client.get("/api/stats", { signal });
    expect(client.link.get().kind).toBe("ok");
  });

  test("what is not the agent's JSON comes from something else", async () => {
    const { client } = clientOf(() => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
    expect((await failureOf(client.get("/api/stats", { signal }))).kind).toBe("gone");
    expect(client.link.get().kind).toBe("lost");
  });

  test("only a probe that gets no answer in time means that the agent is gone", async () => {
    const { client } = clientOf(() => new Promise<Response>(() => undefined));
    const slow = await failureOf(client.get("/api/top", { signal, timeoutMs: 20 }));
    expect([slow.kind, client.link.get().kind]).toEqual(["slow", "ok"]);
    await failureOf(client.get("/api/stats", { signal, timeoutMs: 20, isProbe: true }));
    expect(client.link.get().kind).toBe("lost");
  });

  test("an aborted question says nothing of the agent", async () => {
    const { client } = clientOf(() => new Promise<Response>(() => undefined));
    const stop = new AbortController();
    const asked = client.get("/api/live", { signal: stop.signal });
    stop.abort();
    expect(await asked.catch(() => "aborted")).toBe("aborted");
    expect(client.link.get().kind).toBe("ok");
  });

  test("tells the agent's time where its clock is another", async () => {
    const aDayAhead = new Date(Date.now() + 86_400_000).toUTCString();
    const { client } = clientOf(() => Response.json({}, { headers: { date: aDayAhead } }));
    await client.get("/api/stats", { signal });
    expect(client.agentNow() - Date.now()).toBeGreaterThan(80_000_000);
  });
});
