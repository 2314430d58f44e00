import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { NO_NAMING } from "../../../src/flow/naming.ts";
import { RecentLookups } from "../../../src/inspect/recent-lookups.ts";
import type { DomainTotals } from "../../../src/history/types.ts";
import { AyaflowError, UsageError } from "../../../src/errors.ts";
import { dnsSchema, domainsSchema } from "../../../src/api/names-schemas.ts";
import { liveSchema } from "../../../src/api/schemas.ts";
import { lookup } from "../../support/recent-lookups.ts";
import { connection, DOMAIN_TOTALS, NOW_MS, startTestApi, type TestApi } from "./fixture.ts";

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.stop());

const json = async (path: string): Promise<unknown> => (await api.get(path)).json();
const HOUR_MS = 3_600_000;

test("a live connection shows what is known of it", async () => {
  const naming = {
    ...NO_NAMING,
    domain: "www.example.org",
    domainSource: "quic" as const,
    alpn: ["h3"],
    tlsVersion: "TLS 1.3",
    ja4: "q13d0312h3_55b375c5d22e_06cda9e17597",
    ech: true,
  };
  api.agent.connections = [connection(1, { naming })];
  const { connections } = liveSchema.parse(await json("/api/live"));
  expect(connections[0]).toMatchObject({
    domain: "www.example.org",
    domain_source: "quic",
    alpn: ["h3"],
    tls_version: "TLS 1.3",
    ja4: "q13d0312h3_55b375c5d22e_06cda9e17597",
    ech: true,
  });
});

describe("domains", () => {
  test("answers the sums of the last hour", async () => {
    expect(domainsSchema.parse(await json("/api/domains"))).toEqual({
      domains: [
        {
          domain: "www.example.org",
          bytes: 3100,
          bytes_sent: 100,
          bytes_received: 3000,
          packets: 9,
          packets_sent: 4,
          packets_received: 5,
          sources: { sni: 3000, dns: 100 },
        },
      ],
      other: { bytes: 3, bytes_sent: 1, bytes_received: 2, packets: 7, packets_sent: 3, packets_received: 4 },
      unnamed: {
        bytes: 11,
        bytes_sent: 5,
        bytes_received: 6,
        packets: 15,
        packets_sent: 7,
        packets_received: 8,
      },
      rows: 12,
      pruned: false,
      since: "2026-03-01T11:00:00.000Z",
      until: "2026-03-01T12:00:00.000Z",
      level: "minute",
      parts: [{ level: "minute", since: "2026-03-01T11:00:00.000Z", until: "2026-03-01T12:00:00.000Z" }],
      coverage: [
        { level: "raw", since: "2026-02-28T12:00:00.000Z", until: null },
        { level: "minute", since: null, until: "2026-03-01T11:59:00.000Z" },
        { level: "hour", since: null, until: null },
        { level: "day", since: null, until: null },
      ],
      scanned: 9,
      notes: [],
    });
  });

  test("hands the whole query on", async () => {
    await json(
      "/api/domains?since=-2h&until=-1h&limit=7&order=packets&interface=lo&source=dns&fold=registered",
    );
    await json("/api/domains?until=-1h");
    await json("/api/domains?since=-999999999w");
    expect(api.history.domainQueries).toMatchObject([
      {
        sinceMs: NOW_MS - 2 * HOUR_MS,
        untilMs: NOW_MS - HOUR_MS,
        limit: 7,
        order: "packets",
        interface: "lo",
        source: "dns",
        isFolded: true,
      },
      {
        sinceMs: NOW_MS - 2 * HOUR_MS,
        untilMs: NOW_MS - HOUR_MS,
        limit: 50,
        order: "bytes",
        isFolded: false,
      },
      { sinceMs: 0, untilMs: NOW_MS },
    ]);
  });

  test("a failing history is 503, a question that it refuses 400", async () => {
    api.history.failure = new AyaflowError("database disk image is malformed");
    expect(await json("/api/domains")).toMatchObject({ error: { code: "history_unavailable" } });
    api.history.failure = new UsageError(["since: is later than until"]);
    expect((await api.get("/api/domains")).status).toBe(400);
  });

  test("a client that leaves ends its sum", async () => {
    const { promise, resolve } = Promise.withResolvers<DomainTotals>();
    api.history.domainTotals = promise;
    const leaving = new AbortController();
    const answer = api.get("/api/domains", { signal: leaving.signal }).catch(() => null);
    while (api.history.domainQueries.length < 1) await Bun.sleep(1);
    const isEnded = () => api.history.domainQueries[0]?.signal?.aborted;
    expect(isEnded()).toBe(false);
    leaving.abort();
    await answer;
    while (isEnded() === false) await Bun.sleep(1);
    expect(isEnded()).toBe(true);
    resolve(DOMAIN_TOTALS);
  });

  test("without history the route is 503", async () => {
    const bare = await startTestApi({}, { history: null });
    expect((await bare.get("/api/domains")).status).toBe(503);
    await bare.stop();
  });
});

describe("dns", () => {
  test("without deep inspection it says so", async () => {
    expect(dnsSchema.parse(await json("/api/dns"))).toEqual({ enabled: false, lookups: [] });
  });

  test("answers the lookups that match, newest first", async () => {
    const dns = new RecentLookups();
    dns.add(lookup(1, { name: "www.example.org", latencyMs: 1.5, answers: ["192.0.2.80"] }));
    dns.add(lookup(2, { name: "missing.example.org", rcode: "NXDOMAIN", type: "AAAA" }));
    dns.add(lookup(3, { name: "silent.example.net", rcode: null, server: "2001:db8::53" }));
    const asking = await startTestApi({}, { dns });
    const ask = async (query: string) => dnsSchema.parse(await (await asking.get(`/api/dns${query}`)).json());
    try {
      const { enabled, lookups } = await ask("");
      expect(enabled).toBe(true);
      expect(lookups.map(({ name }) => name)).toEqual([
        "silent.example.net",
        "missing.example.org",
        "www.example.org",
      ]);
      expect(lookups[2]).toEqual({
        time: "2026-03-01T12:00:01.000Z",
        interface: "eth0",
        transport: "udp",
        client: "192.0.2.1",
        client_port: 40_001,
        server: "192.0.2.53",
        server_port: 53,
        name: "www.example.org",
        type: "A",
        rcode: "NOERROR",
        latency_ms: 1.5,
        answers: ["192.0.2.80"],
        truncated: false,
      });
      const names = async (query: string) => (await ask(query)).lookups.map(({ name }) => name.split(".")[0]);
      expect(await names("?limit=1")).toEqual(["silent"]);
      expect(await names("?name=*.EXAMPLE.org")).toEqual(["missing", "www"]);
      expect(await names("?name=www.example.org.")).toEqual(["www"]);
      expect(await names("?rcode=none")).toEqual(["silent"]);
      expect(await names("?rcode=nxdomain")).toEqual(["missing"]);
      expect(await names("?type=aaaa")).toEqual(["missing"]);
      expect(await names("?ip=2001:DB8:0::53")).toEqual(["silent"]);
      expect(await names("?ip=192.0.2.0/24")).toEqual(["silent", "missing", "www"]);
    } finally {
      await asking.stop();
    }
  });
});
