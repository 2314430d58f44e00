/** Counting, against the interface's own counters and TCP's. */
import { Database } from "bun:sqlite";
import { liveSum } from "../../lab/support/answers.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { Agent, PATIENCE_MS, type Seen } from "./agent.ts";
import { type Amount, clsactFilters, counters, programIds, tcpCounters } from "./kernel.ts";
import { bringUp, CABLE, makePair, type Pair, withoutHaste, withoutSegmentation } from "./pair.ts";
import { run } from "./programs.ts";
import { check, expectEqual, expectThat } from "./report.ts";
import { echo, transfer } from "./traffic.ts";

const METHOD = process.env.AYAFLOW_METHOD ?? "";
const ETHERNET = 14;
const UDP_OVER = { ipv4: 28, ipv6: 48 };
/** Ethernet, IPv4, TCP with timestamps; the SYN has more options. */
const TCP_HEADERS = 66;
const SYN_HEADERS = 74;
const ECHOES = [1, 20, 300, 1400];
const PORTS = { tcp4: 5001, tcp6: 5002, udp4: 5003, udp6: 5004, segments: 5005 };
/** The figures of the last second come with the next sweep. */
const EQUAL_MS = 30_000;
/** A retransmission spoils the arithmetic; there is none as a rule. */
const ATTEMPTS = 5;

const plus = (a: Amount, b: Amount): Amount => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes });

/** Waits until the agent's figures are the kernel's, which stay the same meanwhile. */
export async function sameAsKernel(
  agent: Agent,
  namespace: string,
  name: string,
  adjust: (kernel: Seen) => Seen = (kernel) => kernel,
): Promise<Seen> {
  let last = "";
  return await waitFor(
    async () => {
      const before = await counters(namespace, name);
      const { rx, tx } = await agent.seen(name);
      const after = await counters(namespace, name);
      const expected = adjust(after);
      last = `${name}: the agent has ${JSON.stringify({ rx, tx })}, the kernel ${JSON.stringify(expected)}`;
      return Bun.deepEquals(before, after) && Bun.deepEquals({ rx, tx }, expected) ? expected : null;
    },
    () => last,
    EQUAL_MS,
  );
}

async function mixedTraffic(pair: Pair): Promise<void> {
  const { server, client } = pair;
  const sizes = { fromClient: 200_000, fromServer: 300_000 };
  await transfer(pair, { ...sizes, port: PORTS.tcp4, address: server.ipv4 });
  await transfer(pair, { ...sizes, port: PORTS.tcp6, address: server.ipv6 });
  await echo(pair, server.ipv4, PORTS.udp4, ECHOES);
  await echo(pair, server.ipv6, PORTS.udp6, ECHOES);
  for (const address of [server.ipv4, server.ipv6])
    await run(["ip", "netns", "exec", client.namespace, "/busybox/ping", "-c", "2", address]);
}

/** Datagrams and their headers, one way. */
function echoed(family: "ipv4" | "ipv6"): Amount {
  const payload = ECHOES.reduce((sum, size) => sum + size, 0);
  return { packets: ECHOES.length, bytes: payload + ECHOES.length * (ETHERNET + UDP_OVER[family]) };
}

async function expectEchoes(agent: Agent, port: number, family: "ipv4" | "ipv6"): Promise<void> {
  const { stats } = await agent.connection(port, (one) => one.stats.packets_count === 2 * ECHOES.length);
  const { bytes } = echoed(family);
  expectEqual(`bytes of UDP over ${family}`, [stats.bytes_sent, stats.bytes_received], [bytes, bytes]);
}

async function exact(agent: Agent, pair: Pair): Promise<string> {
  const { server } = pair;
  await mixedTraffic(pair);
  const kernel = await sameAsKernel(agent, server.namespace, CABLE);
  const both = plus(kernel.rx, kernel.tx);
  await expectEchoes(agent, PORTS.udp4, "ipv4");
  await expectEchoes(agent, PORTS.udp6, "ipv6");
  let found: Amount | undefined;
  await waitFor(
    async () => {
      const { rx, tx, notIp } = await agent.seen(CABLE);
      found = plus(liveSum(await agent.live()), notIp);
      return Bun.deepEquals(found, plus(rx, tx));
    },
    () =>
      `connections and what is not IP: ${JSON.stringify(found)}, the interface has ${JSON.stringify(both)}`,
    PATIENCE_MS,
  );
  expectEqual("coverage", (await agent.stats()).coverage, 1);
  return `${both.packets} packets, ${both.bytes} bytes`;
}

/** Segments that the kernel cuts only behind us: packets by TCP's own count, bytes by arithmetic. */
async function segments(agent: Agent, pair: Pair): Promise<string> {
  const { client, server } = pair;
  const payload = { fromClient: 1_000_000, fromServer: 500_000 };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = PORTS.segments + attempt;
    const ends = [client, server].map(({ namespace }) => namespace);
    const before = await Promise.all(ends.map(tcpCounters));
    await transfer(pair, { ...payload, port, address: server.ipv4 });
    const after = await Promise.all(ends.map(tcpCounters));
    const repeated = after.some(({ retransmitted }, end) => retransmitted !== before[end]?.retransmitted);
    if (repeated) continue;
    const sent = (after[0]?.sent ?? 0) - (before[0]?.sent ?? 0);
    const received = (after[1]?.sent ?? 0) - (before[1]?.sent ?? 0);
    const { stats } = await agent.connection(port, (one) => one.stats.packets_count >= sent + received);
    expectEqual("segments", [stats.packets_sent, stats.packets_received], [sent, received]);
    const bytes = (amount: number, packets: number) => amount + (packets - 1) * TCP_HEADERS + SYN_HEADERS;
    expectEqual(
      "bytes of TCP",
      [stats.bytes_sent, stats.bytes_received],
      [bytes(payload.fromClient, sent), bytes(payload.fromServer, received)],
    );
    return `${sent + received} segments`;
  }
  throw new Error(`${ATTEMPTS} transfers in a row had retransmissions`);
}

function stored(dbPath: string): Amount {
  using database = new Database(dbPath, { readonly: true });
  const sums = "sum(packets_sent + packets_received) AS packets, sum(bytes_sent + bytes_received) AS bytes";
  return database.query<Amount, []>(`SELECT ${sums} FROM rows`).get() ?? { packets: 0, bytes: 0 };
}

/** Waits until there are no more BPF programs than `before`: the kernel frees them a moment after their last use. */
export async function expectNoPrograms(before: readonly number[]): Promise<void> {
  await waitFor(
    () => programIds().every((id) => before.includes(id)),
    () => `programs are left: ${programIds().join(" ")}; before the agent: ${before.join(" ")}`,
    PATIENCE_MS,
  );
}

export async function checkExact(): Promise<void> {
  const before = programIds();
  const pair = await makePair();
  const { server, client } = pair;
  for (const end of [client, server]) await withoutSegmentation(end, [CABLE]);
  let agent: Agent | undefined;
  const running = () => {
    if (agent === undefined) throw new Error("no agent is running");
    return agent;
  };
  await check("attach", async () => {
    agent = await Agent.start(server.namespace, { interfaces: CABLE, args: ["--aggregation-window", "1"] });
    expectEqual("method", agent.method, METHOD);
    const filters = await clsactFilters(server.namespace, CABLE, "ingress");
    expectEqual("clsact filters", filters, METHOD === "clsact" ? 1 : 0);
    return METHOD;
  });
  await check("exact", async () => {
    await bringUp(pair);
    return await exact(running(), pair);
  });
  await check("segments", async () => {
    for (const end of [client, server]) {
      await run(["ip", "-n", end.namespace, "link", "set", "dev", CABLE, "gso_max_segs", "65535"]);
      await withoutHaste(end);
    }
    return await segments(running(), pair);
  });
  let total: Amount = { packets: 0, bytes: 0 };
  await check("detach", async () => {
    // A cable that is down carries nothing more, not even the kernel's own IPv6.
    await run(["ip", "-n", server.namespace, "link", "set", CABLE, "down"]);
    const { rx, tx, notIp } = await running().seen(CABLE);
    total = { packets: rx.packets + tx.packets - notIp.packets, bytes: rx.bytes + tx.bytes - notIp.bytes };
    expectEqual("exit code after SIGTERM", await running().end("SIGTERM"), 0);
    await expectNoPrograms(before);
    expectEqual("filters left", await clsactFilters(server.namespace, CABLE, "ingress"), 0);
    return "nothing left";
  });
  await check("history", () => {
    expectThat(total.packets > 0, "nothing was counted");
    expectEqual("sum of the rows", stored(running().dbPath), total);
    return Promise.resolve(`${total.packets} packets in the rows`);
  });
}
