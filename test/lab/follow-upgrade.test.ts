/** One agent takes over from another under traffic. Each packet is a connection of its own, so that history tells which were counted. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { frame, PROTOCOL } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { type RunningAgent, startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { untilWatched } from "./support/followed.ts";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import type { Program } from "./support/process.ts";

// Bounds a hang only.
setDefaultTimeout(120_000);

const PER_SECOND = 1000;
/** The client's port of the first packet; that of each further one is one higher. */
const FIRST_PORT = 10_000;
const PORT = 9;
/** Far more than the test waits for: the sender is ended. */
const MOST = 50_000;
/** Packets that an agent sees alone before the next thing happens. */
const SOME = 400;

/** Starts a sender of numbered packets at an even pace. */
async function startSender(lab: Lab): Promise<Program> {
  const file = lab.path("numbered.pcap");
  const frames = Array.from({ length: MOST }, (_, index) =>
    frame({
      source: lab.client.ipv4,
      destination: lab.server.ipv4,
      transport: { kind: "udp", sourcePort: FIRST_PORT + index, destinationPort: PORT },
    }),
  );
  await writePcap(file, frames);
  return lab.client.spawn(["tcpreplay", "-i", VETH, `--pps=${PER_SECOND}`, "--preload-pcap", file]);
}

/** Ends the sender and tells how many packets it has sent, by the kernel's count: its own leaves out the last one. */
async function endSender(lab: Lab, sender: Program): Promise<number> {
  expect(sender.running).toBe(true);
  await sender.stop("SIGINT");
  return (await lab.client.counters()).txPackets;
}

/** Numbers of the packets in a history, in order, and how often each was counted. */
function counted(dbPath: string): { number: number; packets: number }[] {
  using database = new Database(dbPath, { readonly: true });
  return database
    .query<{ number: number; packets: number }, [number, number, number]>(
      `SELECT max(client_port, server_port) - ? AS number, sum(packets_sent + packets_received) AS packets
       FROM rows JOIN conversations AS c ON c.id = conversation_id
       WHERE c.protocol = ? AND min(client_port, server_port) = ? GROUP BY number ORDER BY number`,
    )
    .all(FIRST_PORT, PROTOCOL.udp, PORT);
}

/** The numbers from `first` to `last`, each counted once. */
const all = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ number: first + index, packets: 1 }));

async function seeSome(agent: RunningAgent): Promise<void> {
  await untilWatched(agent, VETH);
  const { total_packets: seen } = await statsAfter(agent, 0);
  await statsAfter(agent, seen + SOME);
}

async function end(agent: RunningAgent): Promise<void> {
  expect((await agent.stop()).exitCode).toBe(0);
}

describe.each(["tcx", "clsact"])("%s", (method) => {
  const args = ["--attach-mode", method, "--aggregation-window", "1"];

  test("the new one joins before the old one ends: no packet is missed, and each agent has all of its time", async () => {
    await using lab = await createLab();
    const old = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(old, VETH);
    const sender = await startSender(lab);
    await seeSome(old);
    const share = [...args, "--share-interfaces", "--port", "3001"];
    const next = await startAgent(lab.server, lab.folder, { args: share, port: 3001 });
    await seeSome(next);
    await end(old);
    await seeSome(next);
    const sent = await endSender(lab, sender);
    await end(next);

    const byOld = counted(old.dbPath);
    const byNext = counted(next.dbPath);
    const lastOfOld = byOld.at(-1)?.number ?? -1;
    const firstOfNext = byNext[0]?.number ?? -1;
    expect(byOld).toEqual(all(0, lastOfOld));
    expect(byNext).toEqual(all(firstOfNext, sent - 1));
    // Both had some for themselves, and some together.
    expect([firstOfNext >= SOME, lastOfOld >= firstOfNext, lastOfOld < sent - 1]).toEqual([true, true, true]);
  });

  test("a restart misses what passes in between, in one piece, and nothing else", async () => {
    await using lab = await createLab();
    const old = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(old, VETH);
    const sender = await startSender(lab);
    await seeSome(old);
    await end(old);
    const next = await startAgent(lab.server, lab.folder, { args, dbPath: old.dbPath });
    await seeSome(next);
    const sent = await endSender(lab, sender);
    await end(next);

    const both = counted(old.dbPath);
    const firstMissed = both.findIndex(({ number }, index) => number !== index);
    const firstOfNext = both[firstMissed]?.number ?? -1;
    expect(both).toEqual([...all(0, firstMissed - 1), ...all(firstOfNext, sent - 1)]);
    // The old one had some, the new one too.
    expect([firstMissed >= SOME, sent - firstOfNext >= SOME]).toEqual([true, true]);
  });
});
