import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { liveSchema, storySchema, suggestSchema } from "../../../src/api/schemas.ts";
import { parseFilter } from "../../../src/filter/parse.ts";
import { NO_NAMING } from "../../../src/flow/naming.ts";
import { RecentLookups } from "../../../src/inspect/recent-lookups.ts";
import { lookup } from "../../support/recent-lookups.ts";
import { connection, startTestApi, type TestApi } from "./fixture.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const json = async (path: string): Promise<unknown> => (await api.get(path)).json();

describe("live", () => {
  test("shows a connection from client to server in both directions", async () => {
    api.agent.connections = [connection(1, { clientAddress: "2001:db8::1", serverAddress: "2001:db8::2" })];
    const body = liveSchema.parse(await json("/api/live"));
    expect(body).toMatchObject({ matched: 1, total_packets: 1000, total_bytes: 100_000 });
    expect(body.connections[0]).toEqual({
      connection: "[2001:db8::1]:40001 -> [2001:db8::2]:443",
      stats: {
        bytes_sent: 1000,
        bytes_received: 30_000,
        packets_count: 30,
        packets_sent: 10,
        packets_received: 20,
        packets_per_second: 3,
        bytes_per_second: 3100,
        rtt_ms: 1.5,
        rtt_client_ms: null,
        rtt_server_ms: 1,
        retransmits_sent: 1,
        retransmits_received: 2,
        out_of_order_sent: 0,
        out_of_order_received: 4,
        first_seen: "2026-03-01T11:59:55.000Z",
        last_seen: "2026-03-01T11:59:59.750Z",
        tcp_flags_sent: 27,
        tcp_flags_received: 18,
      },
      id: "c1",
      client_ip: "2001:db8::1",
      client_port: 40_001,
      server_ip: "2001:db8::2",
      server_port: 443,
      protocol: "TCP",
      interface: "veth0",
      observation_points: [
        {
          interface: "veth0",
          direction: "egress",
          packets_sent: 10,
          bytes_sent: 1000,
          packets_received: 20,
          bytes_received: 30_000,
        },
      ],
      direction: "egress",
      state: "established",
      domain: null,
      domain_source: null,
      alpn: [],
      tls_version: null,
      ja4: null,
      ech: false,
    });
  });

  test("hands the whole query to the agent", async () => {
    await json(
      "/api/live?limit=7&sort=rtt&ip=2001:DB8:0::1&port=53&protocol=udp&interface=eth0.5&state=closed" +
        "&domain=*.Example.org.&q=bytes%20%3E%2010&order=asc&offset=3",
    );
    await json("/api/live?q=%20");
    const filter = parseFilter("bytes > 10");
    expect(api.agent.queries).toEqual([
      {
        limit: 7,
        sort: "rtt",
        ip: "2001:db8::1",
        port: 53,
        protocol: 17,
        interface: "eth0.5",
        state: "closed",
        domain: "*.example.org",
        ...(filter === null ? {} : { filter }),
        order: "asc",
        offset: 3,
      },
      { limit: 50, sort: "packets", order: "desc", offset: 0 },
    ]);
  });

  test("an answer of many connections is whole", async () => {
    api.agent.connections = Array.from({ length: 2500 }, (_, index) => connection(index));
    const body = liveSchema.parse(await json("/api/live?limit=1000000"));
    expect(body.connections.map(({ id }) => id)).toEqual(api.agent.connections.map(({ id }) => id));
    expect(body.total_packets).toBe(1000);
  });

  test("only a few large answers run at once, and their places come back", async () => {
    api.agent.connections = Array.from({ length: 20_000 }, (_, index) => connection(index));
    const open = () => api.get("/api/live?limit=1000000");
    const stalled = await Promise.all([open(), open(), open(), open()]);
    const refused = await open();
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ error: { code: "overloaded" } });
    const [left, ...others] = stalled;
    await left?.body?.cancel();
    await Promise.all(others.map((response) => response.text()));
    for (let turn = 0; turn < 6; turn++) {
      const head = await api.get("/api/live?limit=20000", { method: "HEAD" });
      expect(head.status).toBe(200);
    }
    expect((await open()).status).toBe(200);
  });
});

describe("suggest", () => {
  const values = async (query: string) => suggestSchema.parse(await json(`/api/suggest?${query}`)).values;

  test("has what live connections have, those of the most bytes first", async () => {
    const named = (domain: string, bytes: number) =>
      connection(bytes, {
        naming: { ...NO_NAMING, domain, alpn: ["h2", "http/1.1"] },
        sent: { packets: 1, bytes },
        received: { packets: 0, bytes: 0 },
        serverPort: bytes,
      });
    api.agent.connections = [
      named("small.example", 50),
      named("Large.example", 80),
      named("small.example", 40),
      named("lone.test", 10),
      connection(1, { sent: { packets: 0, bytes: 0 }, received: { packets: 0, bytes: 0 } }),
    ];
    expect(await values("field=domain")).toEqual(["small.example", "Large.example", "lone.test"]);
    expect(await values("field=domain&prefix=L")).toEqual(["Large.example", "lone.test"]);
    expect(await values("field=domain&limit=1")).toEqual(["small.example"]);
    expect(await values("field=port")).toEqual(["80", "50", "40", "10", "443"]);
    expect(await values("field=alpn")).toEqual(["h2", "http/1.1"]);
    expect(await values("field=address&prefix=198.")).toEqual(["198.51.100.7"]);
    expect(await values("field=protocol&prefix=t")).toEqual(["TCP"]);
    expect(await values("field=interface&prefix=eth")).toEqual([]);
    expect(await values("field=ja4&prefix=.*")).toEqual([]);
  });
});

describe("one live connection", () => {
  test("has the lookups of its name by its client", async () => {
    const dns = new RecentLookups();
    dns.add(lookup(1, { name: "www.example.org" }));
    dns.add(lookup(2, { name: "www.example.org", client: "192.0.2.2" }));
    dns.add(lookup(3, { name: "other.example.org" }));
    const asking = await startTestApi({}, { dns, history: null });
    try {
      asking.agent.connections = [
        connection(1, { naming: { ...NO_NAMING, domain: "www.example.org" } }),
        connection(2),
      ];
      const story = async (id: string) =>
        storySchema.parse(await (await asking.get(`/api/connections/${id}`)).json());
      const { lookups, ...rest } = await story("c1");
      expect(rest).toMatchObject({ live: true, connection: { id: "c1" }, history: { items: [] } });
      expect(lookups.map(({ name, client }) => [name, client])).toEqual([["www.example.org", "192.0.2.1"]]);
      expect((await story("c2")).lookups).toEqual([]);
    } finally {
      await asking.stop();
    }
  });

  test("counts as one route, whatever its id", async () => {
    for (const id of ["c1", "c2", "c3"]) await api.get(`/api/connections/${id}`);
    const text = await (await api.get("/metrics")).text();
    expect(text).toContain('{route="/api/connections/:id",method="GET",status="200"} 2');
    expect(text).toContain('{route="/api/connections/:id",method="GET",status="404"} 1');
    expect(text.match(/route="\/api\/connections/g)).toHaveLength(2);
  });
});
