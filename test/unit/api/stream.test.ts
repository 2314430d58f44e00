import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { streamMessageSchema } from "../../../src/api/schemas.ts";
import { connection, startTestApi, stats, type TestApi } from "./fixture.ts";
import { openStalledReader, rawStatus } from "./raw.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

interface Reader {
  socket: WebSocket;
  /** The next message, in order. */
  next(): Promise<Record<string, unknown>>;
  closed: Promise<{ code: number; reason: string }>;
}

async function openReader(path = "/api/stream"): Promise<Reader> {
  const socket = new WebSocket(api.url.replace("http", "ws") + path);
  const messages: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const taker = waiting.shift();
    if (taker === undefined) messages.push(String(data));
    else taker(String(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const next = async () => {
    const text = messages.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
    return JSON.parse(text) as Record<string, unknown>;
  };
  return { socket, next, closed };
}

/** Waits until `condition` holds, a turn of the event loop at a time; the test's own time limit ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const metric = async (name: string): Promise<number> => {
  const text = await (await api.get("/metrics")).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
};

test("sends the figures on opening and after each sweep, flat as AyaFlow's", async () => {
  const reader = await openReader();
  const first = await reader.next();
  expect(first).toEqual({
    topic: "stats",
    uptime_seconds: 61,
    total_packets: 1000,
    total_bytes: 100_000,
    active_connections: 2,
    packets_per_second: 12.5,
    bytes_per_second: 1250,
    coverage: 0.9859,
  });
  streamMessageSchema.parse(first);
  await until(() => api.agent.listeners.size === 1);
  api.agent.sweep({ stats: stats({ total: { packets: 2000, bytes: 5 } }) });
  expect(await reader.next()).toMatchObject({ topic: "stats", total_packets: 2000, total_bytes: 5 });
});

test("sends changes of connections to those who asked", async () => {
  const both = await openReader("/api/stream?topics=stats,connections");
  const changes = await openReader("/api/stream?topics=connections");
  await until(() => api.agent.listeners.size === 1);
  api.agent.sweep({
    opened: [connection(1)],
    updated: [connection(2)],
    retired: [connection(3)],
    truncated: true,
  });
  const message = await changes.next();
  streamMessageSchema.parse(message);
  expect(message).toMatchObject({
    topic: "connections",
    opened: [{ id: "c1", connection: "192.0.2.1:40001 -> 198.51.100.7:443" }],
    updated: [{ id: "c2" }],
    retired: [{ id: "c3" }],
    truncated: true,
  });
  const topics = [await both.next(), await both.next(), await both.next()].map(({ topic }) => topic);
  expect(topics).toEqual(["stats", "stats", "connections"]);
});

test("listens to the agent only while someone reads", async () => {
  expect(api.agent.listeners.size).toBe(0);
  const [one, two] = [await openReader(), await openReader()];
  await until(() => api.agent.listeners.size === 1);
  expect(await metric("ayaflow_stream_clients")).toBe(2);
  one.socket.close();
  await one.closed;
  expect(api.agent.listeners.size).toBe(1);
  two.socket.close();
  await until(() => api.agent.listeners.size === 0);
  expect(await metric("ayaflow_stream_clients")).toBe(0);
});

test("drops and counts a reader that does not keep up, and no other", async () => {
  const stalled = await openStalledReader(api.port, "/api/stream?topics=connections");
  const healthy = await openReader();
  await until(() => api.agent.listeners.size === 1);
  const opened = Array.from({ length: 1000 }, (_, index) => connection(index));
  let sweeps = 0;
  while ((await metric('ayaflow_lost_total{stage="stream",reason="slow_reader"}')) === 0) {
    api.agent.sweep({ opened });
    sweeps += 1;
    expect(sweeps).toBeLessThan(100);
  }
  expect(await metric("ayaflow_stream_clients")).toBe(1);
  expect(api.logged).toContainEqual(expect.objectContaining({ level: "warn" }));
  api.agent.sweep({ stats: stats({ uptimeSeconds: 99 }) });
  let last = await healthy.next();
  while (last["uptime_seconds"] !== 99) last = await healthy.next();
  stalled.destroy();
});

test("refuses the 65th stream with 503, until one ends", async () => {
  const readers = await Promise.all(Array.from({ length: 64 }, () => openReader()));
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  expect(await rawStatus(api.port, "/api/stream", upgrade)).toBe(503);
  readers[0]?.socket.close();
  await readers[0]?.closed;
  expect(await rawStatus(api.port, "/api/stream", upgrade)).toBe(101);
  for (const reader of readers) reader.socket.close();
});

describe("a reader's own messages", () => {
  test("are ignored", async () => {
    const reader = await openReader();
    reader.socket.send("hello");
    reader.socket.send(new Uint8Array(4096));
    reader.socket.ping();
    await until(() => api.agent.listeners.size === 1);
    await reader.next();
    api.agent.sweep();
    expect(await reader.next()).toMatchObject({ topic: "stats" });
  });

  test("end the stream when larger than 4 KiB", async () => {
    const reader = await openReader();
    reader.socket.send(new Uint8Array(4097));
    expect([1006, 1009]).toContain((await reader.closed).code);
  });
});

test("stopping tells the readers so", async () => {
  const reader = await openReader();
  await api.stop();
  expect(await reader.closed).toEqual({ code: 1001, reason: "the agent is stopping" });
  expect(api.agent.listeners.size).toBe(0);
});
