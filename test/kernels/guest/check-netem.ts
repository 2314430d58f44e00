/** Delay and loss as configured, against what the agent makes of them. */
import { waitFor } from "../../lab/support/wait.ts";
import { Agent, PATIENCE_MS } from "./agent.ts";
import { tcpCounters } from "./kernel.ts";
import { bringUp, CABLE, makePair, type Pair } from "./pair.ts";
import { run } from "./programs.ts";
import { check, expectEqual, expectThat } from "./report.ts";
import { transfer } from "./traffic.ts";

const DELAY_MS = 80;
/** Of the delay, for the fastest of the handshakes: an emulated machine is slow, never fast. */
const TOLERANCE = 0.15;
/** The kernel's timers may end that much early. */
const EARLY_MS = 1;
const HANDSHAKES = 6;
const LOSS = "4%";
const DELAY_PORT = 8100;
const LOSS_PORT = 8200;

async function netem({ client }: Pair, ...what: string[]): Promise<void> {
  await run(["tc", "-n", client.namespace, "qdisc", "replace", "dev", CABLE, "root", "netem", ...what]);
}

async function delay(agent: Agent, pair: Pair): Promise<string> {
  await netem(pair, "delay", `${DELAY_MS}ms`);
  const found: number[] = [];
  for (let index = 0; index < HANDSHAKES; index++) {
    const port = DELAY_PORT + index;
    await transfer(pair, { port, address: pair.server.ipv4, fromClient: 100, fromServer: 100 });
    const { stats } = await agent.connection(port, (one) => one.stats.rtt_ms !== null);
    found.push(stats.rtt_ms ?? Number.NaN);
  }
  const least = Math.min(...found);
  const words = `${least.toFixed(1)} ms of ${DELAY_MS}`;
  expectThat(
    least >= DELAY_MS - EARLY_MS && least <= DELAY_MS * (1 + TOLERANCE),
    `${words}: ${found.join(" ")}`,
  );
  return words;
}

/** What TCP itself says that it sent again is the truth: netem drops behind our hook. */
async function loss(agent: Agent, pair: Pair): Promise<string> {
  const { client, server } = pair;
  const before = await tcpCounters(client.namespace);
  await netem(pair, "delay", "5ms", "loss", LOSS);
  await transfer(pair, { port: LOSS_PORT, address: server.ipv4, fromClient: 3_000_000, fromServer: 10 });
  const after = await tcpCounters(client.namespace);
  const truth = after.retransmitted - before.retransmitted;
  expectThat(truth > 0, "nothing was lost");
  const sent = after.sent - before.sent + truth;
  let last = "";
  await waitFor(
    async () => {
      const { stats } = await agent.connection(LOSS_PORT, () => true);
      last = JSON.stringify(stats);
      return stats.packets_sent >= sent;
    },
    () => `${sent} segments were sent, the agent has ${last}`,
    PATIENCE_MS,
  );
  const { stats } = await agent.connection(LOSS_PORT, () => true);
  expectEqual("packets sent", stats.packets_sent, sent);
  expectEqual("sent again, and out of order", [stats.retransmits_sent, stats.out_of_order_sent], [truth, 0]);
  return `${truth} retransmissions of ${sent} segments`;
}

export async function checkNetem(): Promise<void> {
  const pair = await makePair();
  await bringUp(pair);
  await check("delay", async () => {
    const agent = await Agent.start(pair.client.namespace, { interfaces: CABLE });
    const found = await delay(agent, pair);
    await check("loss", () => loss(agent, pair));
    await agent.end("SIGTERM");
    return found;
  });
}
