import { expect, setDefaultTimeout, test } from "bun:test";
import { HTTP_SERVER } from "../support/http-server.ts";
import { BINARY, startAgent } from "./support/agent.ts";
import { metricSum, statsAfter } from "./support/answers.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { HTTPS_PORT, makeCertificate, serveDns, serveWeb, withResolver } from "./support/name-servers.ts";
import {
  connectionsOn,
  domainsOf,
  ENDS,
  expectNames,
  expectSoon,
  type NamedConnection,
  watchBothEnds,
} from "./support/names.ts";
import { waitFor } from "./support/wait.ts";

setDefaultTimeout(60_000);

const HTTP_PORT = 80;
const SILENT_PORT = 7000;
const GREETER = `Bun.listen({hostname:"0.0.0.0",port:${SILENT_PORT},socket:{open(s){s.end("welcome\\n")},data(){}}})`;
const CURL = ["curl", "--silent", "--show-error", "--insecure", "--output", "/dev/null"];
const SHOP = "shop.example";
const PLAIN = "plain.example";

const OVER = ["closed", "reset"];

const pick = ({ domain, domain_source }: NamedConnection) => ({ domain, domain_source });

async function serve(lab: Lab): Promise<void> {
  await serveWeb(lab.server, await makeCertificate(lab, SHOP));
  const http = lab.server.spawn([process.execPath, HTTP_SERVER, String(HTTP_PORT)]);
  await http.listening("tcp", HTTP_PORT);
}

/** One page over TLS, one without. */
async function fetchPages({ client, server }: Lab): Promise<void> {
  const resolve = [`${SHOP}:${HTTPS_PORT}`, `${PLAIN}:${HTTP_PORT}`].flatMap((name) => [
    "--resolve",
    `${name}:${server.ipv4}`,
  ]);
  await client.exec([...CURL, ...resolve, `https://${SHOP}/`]);
  await client.exec([...CURL, ...resolve, `http://${PLAIN}/bytes/50000`]);
}

interface Row {
  length: number;
  packet_count: number;
  domain?: string;
  domain_source?: string;
}

interface StreamMessage {
  opened: NamedConnection[];
  updated: NamedConnection[];
}

test("names are in the stream, on rows of history and in the sums by name", async () => {
  await using lab = await createLab();
  await serve(lab);
  await using watchers = await watchBothEnds(lab, { args: ["--deep-inspect", "--aggregation-window", "1"] });
  const streamed = { client: new Set<string>(), server: new Set<string>() };
  const streams = ENDS.map((end) => {
    const stream = new WebSocket(`${watchers[end].url.replace("http", "ws")}/api/stream?topics=connections`);
    stream.addEventListener("message", ({ data }) => {
      const { opened, updated }: StreamMessage = JSON.parse(String(data));
      for (const { domain, domain_source } of [...opened, ...updated]) {
        if (domain !== null) streamed[end].add(`${domain} ${domain_source}`);
      }
    });
    return stream;
  });
  await waitFor(() => streams.every(({ readyState }) => readyState === WebSocket.OPEN), "no stream opens");
  await fetchPages(lab);
  for (const end of ENDS) {
    await expectSoon(async () => [...streamed[end]].toSorted(), [`${PLAIN} http`, `${SHOP} sni`]);
    const live = [
      ...(await connectionsOn(watchers[end], HTTP_PORT)),
      ...(await connectionsOn(watchers[end], HTTPS_PORT)),
    ];
    const totals = live
      .map(({ domain, domain_source, stats }) => {
        const bytes = stats.bytes_sent + stats.bytes_received;
        return { domain, bytes, packets: stats.packets_count, sources: { [domain_source ?? ""]: bytes } };
      })
      .toSorted((a, b) => ((a.domain ?? "") < (b.domain ?? "") ? -1 : 1));
    const stored = async () =>
      (await domainsOf(watchers[end])).map(({ domain, bytes, packets, sources }) => ({
        domain,
        bytes,
        packets,
        sources,
      }));
    await expectSoon<typeof totals>(stored, totals);
    for (const { domain, bytes } of totals) {
      const { items } = await watchers[end].get<{ items: Row[] }>(`/api/history?domain=${domain}`);
      expect(items.reduce((sum, row) => sum + row.length, 0)).toBe(bytes);
      expect(new Set(items.map((row) => row.domain))).toEqual(new Set([domain ?? ""]));
    }
  }
  for (const stream of streams) stream.close();
});

test("servers that nothing else names have the name that their address leads back to", async () => {
  await using lab = await createLab();
  await serve(lab);
  const greeter = lab.server.spawn([process.execPath, "-e", GREETER]);
  await greeter.listening("tcp", SILENT_PORT);
  await serveDns(lab.server, ["--ptr-record=2.0.77.10.in-addr.arpa,back.example"]);
  const command = await withResolver(lab, [BINARY]);
  await using watchers = await watchBothEnds(lab, { command, args: ["--deep-inspect", "--resolve-dns"] });
  await lab.client.exec(["curl", "--silent", `telnet://${lab.server.ipv4}:${SILENT_PORT}`]);
  await fetchPages(lab);
  await expectNames(watchers, SILENT_PORT, pick, [{ domain: "back.example", domain_source: "ptr" }]);
  await expectNames(watchers, HTTPS_PORT, pick, [{ domain: SHOP, domain_source: "sni" }]);
  await expectNames(watchers, HTTP_PORT, pick, [{ domain: PLAIN, domain_source: "http" }]);
  for (const end of ENDS) {
    const metrics = await watchers[end].text("/metrics");
    expect(metricSum(metrics, "ayaflow_ptr_queries_total", 'outcome="found"')).toBeGreaterThan(0);
  }
});

test("without --deep-inspect no payload is looked at and nothing has a name", async () => {
  await using lab = await createLab();
  await serve(lab);
  await serveDns(lab.server, [`--host-record=${SHOP},${lab.server.ipv4}`]);
  await using agent = await startAgent(lab.client, lab.folder, { args: ["--aggregation-window", "1"] });
  await lab.client.exec(["dig", `@${lab.server.ipv4}`, SHOP]);
  await fetchPages(lab);
  await statsAfter(agent, 20);
  const unnamed = { domain: null, domain_source: null, alpn: [], tls_version: null, ja4: null, ech: false };
  for (const port of [HTTPS_PORT, HTTP_PORT]) {
    const [connection] = await waitFor(async () => {
      const connections = await connectionsOn(agent, port);
      return connections.some(({ state }) => OVER.includes(state)) ? connections : null;
    }, `no connection on port ${port}`);
    expect(connection).toMatchObject(unnamed);
  }
  expect(await agent.get<unknown>("/api/dns")).toEqual({ enabled: false, lookups: [] });
  await waitFor(
    async () => (await agent.get<{ items: Row[] }>("/api/history")).items.length > 0,
    "nothing comes into history",
  );
  expect(await domainsOf(agent)).toEqual([]);
  const metrics = await agent.text("/metrics");
  for (const name of [
    "deep_inspect_packets_total",
    "domains_resolved_total",
    "inspections_total",
    "dns_responses_total",
  ]) {
    expect(metricSum(metrics, `ayaflow_${name}`)).toBe(0);
  }
});
