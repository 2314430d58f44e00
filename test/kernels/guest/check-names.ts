/** Names out of payload; then what a killed agent leaves, and raw mode by the one that follows it. */
import { Database } from "bun:sqlite";
import { liveSum, type LiveConnection } from "../../lab/support/answers.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../../support/dns.ts";
import { clientHello, tlsRecord } from "../../support/tls.ts";
import { Agent, PATIENCE_MS } from "./agent.ts";
import { expectNoPrograms } from "./check-exact.ts";
import { clsactFilters, inside, programIds } from "./kernel.ts";
import { bringUp, CABLE, makePair, type Pair } from "./pair.ts";
import { check, expectEqual } from "./report.ts";
import { echo } from "./traffic.ts";

const HTTPS = 443;
const HTTP = 80;
const DNS = 53;
const OTHER = 9100;
const ECHO = 9200;
const HOOKS = ["ingress", "egress"];

/** Takes connections on a port of the server and says `answer` to what it gets. */
function serve({ server }: Pair, port: number, answer: string): Promise<Bun.TCPSocketListener> {
  return inside(server.namespace, () =>
    Bun.listen({ hostname: server.ipv4, port, socket: { data: (socket) => void socket.write(answer) } }),
  );
}

/** Opens a connection from the client, says `first`, and keeps it open. */
function connect({ client, server }: Pair, port: number, first: string | Uint8Array) {
  return inside(client.namespace, () =>
    Bun.connect({
      hostname: server.ipv4,
      port,
      socket: { open: (socket) => void socket.write(first), data: () => {} },
    }),
  );
}

async function resolve({ client, server }: Pair, name: string): Promise<void> {
  const answering = await inside(server.namespace, () =>
    Bun.udpSocket({
      hostname: server.ipv4,
      port: DNS,
      socket: {
        data: (socket, _, port, from) => {
          socket.send(dnsAnswer(name, [addressRecord(name, server.ipv4)]), port, from);
        },
      },
    }),
  );
  let answered = false;
  const asking = await inside(client.namespace, () =>
    Bun.udpSocket({ hostname: client.ipv4, socket: { data: () => void (answered = true) } }),
  );
  asking.send(dnsQuery(name), DNS, server.ipv4);
  await waitFor(() => answered, "no answer from the name server", PATIENCE_MS);
  asking.close();
  answering.close();
}

type Named = LiveConnection & { domain_source: string | null };

async function expectName(agent: Agent, port: number, domain: string, source: string): Promise<void> {
  await agent.connection(port, (one) => one.domain === domain && (one as Named).domain_source === source);
}

async function names(agent: Agent, pair: Pair): Promise<string> {
  const servers = [
    await serve(pair, HTTPS, "no TLS here"),
    await serve(pair, HTTP, "HTTP/1.1 204 No Content\r\n\r\n"),
    await serve(pair, OTHER, "hello"),
  ];
  await resolve(pair, "looked-up.example");
  await connect(pair, HTTPS, tlsRecord(clientHello({ serverName: "sni.example" })));
  await connect(pair, HTTP, "GET / HTTP/1.1\r\nHost: host.example\r\n\r\n");
  await connect(pair, OTHER, "hello");
  await expectName(agent, HTTPS, "sni.example", "sni");
  await expectName(agent, HTTP, "host.example", "http");
  await expectName(agent, OTHER, "looked-up.example", "dns");
  for (const server of servers) server.stop(true);
  return "SNI, Host, DNS";
}

function storedRows(dbPath: string): number {
  using database = new Database(dbPath, { readonly: true });
  return database.query<{ rows: number }, []>("SELECT count(*) AS rows FROM rows").get()?.rows ?? 0;
}

/** Every packet makes a row. */
async function raw(agent: Agent, pair: Pair): Promise<string> {
  const before = storedRows(agent.dbPath);
  const first = (await agent.stats()).total_packets;
  await echo(pair, pair.server.ipv4, ECHO, [100, 200, 300, 400, 500]);
  const { stats } = await agent.connection(ECHO, (one) => one.stats.packets_count === 10);
  expectEqual("bytes", [stats.bytes_sent, stats.bytes_received], [1710, 1710]);
  let found = "";
  const isStored = async () => {
    const { history, losses } = await agent.stats();
    const { packets } = liveSum(await agent.live());
    found = JSON.stringify({ history, losses, packets, first, before });
    return history.queued === 0 && history.rows_written === packets;
  };
  await waitFor(isStored, () => `not a row a packet: ${found}`, PATIENCE_MS);
  return `${storedRows(agent.dbPath) - before} rows`;
}

async function filters({ server }: Pair): Promise<number> {
  const counts = await Promise.all(HOOKS.map((hook) => clsactFilters(server.namespace, CABLE, hook)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A method's agents, from names by way of a killed one to raw mode. */
export async function checkNames(): Promise<void> {
  const before = programIds();
  const pair = await makePair();
  const { namespace } = pair.server;
  const dbPath = "/tmp/killed.db";
  await bringUp(pair);
  await check("names", async () => {
    const agent = await Agent.start(namespace, { interfaces: CABLE, args: ["--deep-inspect"], dbPath });
    const own = programIds().length;
    const attached = await filters(pair);
    const found = await names(agent, pair);
    await check("kill -9", async () => {
      await agent.end("SIGKILL");
      if (agent.method === "tcx") await expectNoPrograms(before);
      expectEqual("filters after the kill", await filters(pair), attached);
      const args = ["--deep-inspect", "--aggregation-window", "0"];
      const next = await Agent.start(namespace, { interfaces: CABLE, dbPath, args });
      expectEqual("filters of the next", await filters(pair), attached);
      await waitFor(
        () => programIds().length === own,
        () => `${programIds().length} programs instead of ${own}`,
        PATIENCE_MS,
      );
      await check("raw+names", () => raw(next, pair));
      expectEqual("exit code after SIGTERM", await next.end("SIGTERM"), 0);
      await expectNoPrograms(before);
      return attached === 0 ? "nothing stayed" : "stale filters replaced";
    });
    return found;
  });
}

/** Raw mode without a /sys to find the kernel's BTF in; on kernels with TCX, clsact as asked for. */
export async function checkWithoutBtf(): Promise<void> {
  const before = programIds();
  const pair = await makePair();
  const { namespace } = pair.server;
  await bringUp(pair);
  await check("clsact, no BTF", async () => {
    const args = ["--attach-mode", "clsact", "--aggregation-window", "0"];
    const agent = await Agent.start(namespace, { interfaces: CABLE, args, withoutSys: true });
    expectEqual("method", agent.method, "clsact");
    expectEqual("filters", await filters(pair), HOOKS.length);
    const found = await raw(agent, pair);
    expectEqual("exit code after SIGTERM", await agent.end("SIGTERM"), 0);
    await expectNoPrograms(before);
    expectEqual("filters left", await filters(pair), 0);
    return found;
  });
}
