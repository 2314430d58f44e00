import { afterEach, describe, expect, test } from "bun:test";
import { ROUTES } from "../../../src/api/routes.ts";
import { startTestApi, type TestApi } from "./fixture.ts";
import { rawStatus } from "./raw.ts";

let api: TestApi;
afterEach(() => api.stop());

const TOKEN = "s3cret-token";
const EVERYWHERE = [...ROUTES, "/nowhere", "/api/../metrics"];
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

const status = (path: string, headers: Record<string, string>) => rawStatus(api.port, path, headers);

/** Opens a stream; resolves with its subprotocol, or undefined when it is refused. */
async function openStream(protocols: string[], headers: Record<string, string>): Promise<string | undefined> {
  const url = `${api.url.replace("http", "ws")}/api/stream`;
  const socket = new WebSocket(url, { protocols, headers });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  socket.addEventListener("open", () => resolve(socket.protocol));
  socket.addEventListener("error", () => resolve(undefined));
  const protocol = await promise;
  socket.close();
  return protocol;
}

describe("token", () => {
  test("guards every route, with a challenge and a JSON error", async () => {
    api = await startTestApi({ apiToken: TOKEN });
    for (const path of EVERYWHERE) {
      const response = await api.get(path);
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="ayaflow"');
      expect(await response.json()).toMatchObject({ error: { code: "unauthorized" } });
    }
  });

  test.each([
    [`Bearer ${TOKEN}`, 200],
    [`bearer  ${TOKEN}`, 200],
    ["Bearer wrong", 401],
    [`Bearer ${TOKEN}x`, 401],
    [`Bearer ${TOKEN.slice(0, -1)}`, 401],
    ["Bearer ", 401],
    [`Basic ${TOKEN}`, 401],
    [TOKEN, 401],
  ])("Authorization: %p answers %p", async (authorization, expected) => {
    api = await startTestApi({ apiToken: TOKEN });
    expect((await api.get("/api/stats", { headers: { authorization } })).status).toBe(expected);
  });

  test("is not taken from the URL", async () => {
    api = await startTestApi({ apiToken: TOKEN });
    expect((await api.get(`/api/stats?token=${TOKEN}`)).status).toBe(401);
  });

  test.each([
    [["bearer", TOKEN], "bearer"],
    [["bearer", Buffer.from(TOKEN).toString("base64url")], "bearer"],
    [["bearer", "wrong"], undefined],
    [["bearer"], undefined],
    [[TOKEN], undefined],
  ])("as WebSocket subprotocols %p opens a stream with %p", async (protocols, expected) => {
    api = await startTestApi({ apiToken: TOKEN });
    expect(await openStream(protocols, {})).toBe(expected);
  });

  test("as a header opens a stream", async () => {
    api = await startTestApi({ apiToken: TOKEN });
    expect(await openStream([], { authorization: `Bearer ${TOKEN}` })).toBe("");
    expect(await openStream([], { authorization: "Bearer wrong" })).toBeUndefined();
  });

  test("offered as a subprotocol opens nothing but a WebSocket", async () => {
    api = await startTestApi({ apiToken: TOKEN });
    expect(await status("/api/stats", { "sec-websocket-protocol": `bearer, ${TOKEN}` })).toBe(401);
  });
});

describe("allowed_ips", () => {
  test.each([
    [["127.0.0.0/8"], 200],
    [["127.0.0.1"], 200],
    [["::ffff:127.0.0.0/104"], 200],
    [["192.0.2.0/24", "127.0.0.1/32"], 200],
    [["192.0.2.0/24"], 403],
    [["::1/128"], 403],
    [["127.0.0.2/32"], 403],
  ])("%p answers %p to 127.0.0.1", async (allowedIps, expected) => {
    api = await startTestApi({ allowedIps });
    for (const path of ["/api/health", "/metrics"]) expect((await api.get(path)).status).toBe(expected);
  });

  test("guard every route, the upgrade included, as JSON", async () => {
    api = await startTestApi({ allowedIps: ["192.0.2.0/24"] });
    for (const path of EVERYWHERE) {
      const response = await api.get(path);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.json()).toMatchObject({ error: { code: "forbidden" } });
    }
    expect(await status("/api/stream", UPGRADE)).toBe(403);
  });

  test("look at the socket, never at headers", async () => {
    api = await startTestApi({ allowedIps: ["192.0.2.0/24"] });
    const headers = { "x-forwarded-for": "192.0.2.1", "x-real-ip": "192.0.2.1", forwarded: "for=192.0.2.1" };
    expect((await api.get("/api/stats", { headers })).status).toBe(403);
  });

  test("see an IPv4 peer as IPv4 on a dual-stack socket", async () => {
    api = await startTestApi({ listen: "::", allowedIps: ["127.0.0.0/8"] });
    expect((await fetch(`http://127.0.0.1:${api.port}/api/health`)).status).toBe(200);
    expect((await fetch(`http://[::1]:${api.port}/api/health`)).status).toBe(403);
  });
});

describe("public health", () => {
  test("answers without token and from any address, without the configuration", async () => {
    api = await startTestApi({ apiToken: TOKEN, allowedIps: ["192.0.2.0/24"], healthPublic: true });
    const response = await api.get("/api/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: "ok",
      active_connections: 2,
      total_packets: 1000,
      reasons: [],
    });
    for (const path of EVERYWHERE.filter((other) => other !== "/api/health")) {
      expect([path, (await api.get(path)).status]).toEqual([path, 403]);
    }
  });

  test("shows the configuration to those with the token", async () => {
    api = await startTestApi({ apiToken: TOKEN, healthPublic: true });
    const response = await api.get("/api/health", { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await response.json()).toMatchObject({ runtime: { interface: "veth0" } });
  });
});

describe("the Host header, without a token on loopback", () => {
  test.each([
    ["127.0.0.1", 200],
    ["127.0.0.1:3000", 200],
    ["localhost", 200],
    ["LocalHost:3000", 200],
    ["[::1]:3000", 200],
    ["10.1.2.3", 200],
    ["evil.example", 403],
    ["evil.example:3000", 403],
    ["localhost.evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["a", 403],
    ["[evil]", 403],
    ["", 403],
  ])("%p answers %p", async (host, expected) => {
    api = await startTestApi();
    expect(await status("/api/stats", { host })).toBe(expected);
  });

  test("is not looked at when a token guards, or elsewhere than on loopback", async () => {
    api = await startTestApi({ apiToken: TOKEN });
    const authorization = `Bearer ${TOKEN}`;
    expect(await status("/api/stats", { host: "agent.example", authorization })).toBe(200);
    await api.stop();
    api = await startTestApi({ listen: "0.0.0.0" });
    expect(await status("/api/stats", { host: "a" })).toBe(200);
  });
});

describe("a page's WebSocket, without a token", () => {
  test("is refused from another origin", async () => {
    api = await startTestApi();
    for (const origin of ["https://evil.example", `http://127.0.0.1:${api.port + 1}`, "null"]) {
      expect(await status("/api/stream", { ...UPGRADE, origin })).toBe(403);
    }
  });

  test("is let in from its own", async () => {
    api = await startTestApi();
    expect(await openStream([], { origin: api.url })).toBe("");
  });
});
