import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { startAgent } from "./support/agent.ts";
import { type StatsAnswer, statsAfter } from "./support/answers.ts";
import { bpfObjectsOf, remaining } from "./support/bpf.ts";
import { packetsOf, untilChanges, untilHealth, untilWatched, untilWatchedToo } from "./support/followed.ts";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import { exec } from "./support/process.ts";
import { waitFor } from "./support/wait.ts";

const BATCHES = 5;
/** Pairs of a batch: two interfaces each, 200 in all. */
const PAIRS = 20;
const TIMEOUT_MS = 120_000;

const pairs = Array.from({ length: PAIRS }, (_, index) => index);

/** Commands of `ip`, all in one run. */
async function batch({ server }: Lab, commands: readonly string[]): Promise<void> {
  await server.namespace.exec(["ip", "-batch", "-"], { stdin: commands.join("\n") });
}

const openFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Entries of the agent's map of interfaces. */
async function registered(maps: readonly number[]): Promise<number> {
  for (const id of maps) {
    const { stdout } = await exec(["bpftool", "-j", "map", "show", "id", String(id)]);
    if ((JSON.parse(stdout) as { name: string }).name !== "ayaflow_ifaces") continue;
    const dump = await exec(["bpftool", "-j", "map", "dump", "id", String(id)]);
    return (JSON.parse(dump.stdout) as unknown[]).length;
  }
  throw new Error("no map of interfaces");
}

test.each(["tcx", "clsact"])(
  "200 interfaces made and removed, with traffic: all followed, nothing left (%s)",
  async (method) => {
    await using lab = await createLab();
    const args = ["--interface", `${VETH},m*`, "--attach-mode", method];
    await using agent = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(agent, VETH);
    const { pid } = agent.program;
    const before = { files: openFiles(pid), objects: bpfObjectsOf(pid) };
    const attached: number[] = [];
    for (let round = 1; round <= BATCHES; round++) {
      // The same addresses every round: between other interfaces, they are other connections.
      const network = (index: number) => `10.100.${index}`;
      await batch(
        lab,
        pairs.flatMap((index) => [
          `link add ma${index} type veth peer name mb${index}`,
          `link set ma${index} up`,
          `link set mb${index} up`,
          `address add ${network(index)}.1/24 dev ma${index}`,
        ]),
      );
      await untilChanges(agent, "attached", 1 + round * PAIRS * 2);
      attached.push(...bpfObjectsOf(pid).link.filter((id) => !before.objects.link.includes(id)));
      // A known number: nobody answers, so each datagram to a neighbour that is set by hand is one packet at both ends.
      const { total_packets: total } = await statsAfter(agent, 0);
      await batch(
        lab,
        pairs.map((index) => `neighbour add ${network(index)}.2 lladdr 02:00:00:00:00:02 dev ma${index}`),
      );
      for (const index of [0, 7, 19])
        await lab.server.exec(
          ["ping", "-q", "-c", "5", "-i", "0.002", "-W", "0.1", "-e", "77", `${network(index)}.2`],
          {
            check: false,
          },
        );
      await batch(
        lab,
        pairs.map((index) => `link delete ma${index}`),
      );
      await untilChanges(agent, "detached", round * PAIRS * 2);
      // Seen at both ends of each pair: one connection, once in the total.
      expect((await statsAfter(agent, 0)).total_packets).toBe(total + 15);
    }
    await untilWatched(agent, VETH);
    await untilHealth(agent, "no interface matches m*");
    await untilChanges(agent, "failed", 0);
    await untilChanges(agent, "reattached", 0);
    expect(bpfObjectsOf(pid)).toEqual(before.objects);
    expect(await registered(before.objects.map)).toBe(1);
    await waitFor(
      () => openFiles(pid) <= before.files,
      () => `${openFiles(pid)} files are open, ${before.files} were`,
    );
    const links = { prog: [], map: [], link: attached };
    if (method === "tcx") expect(attached).toHaveLength(BATCHES * PAIRS * 4);
    await waitFor(
      async () => (await remaining(links)).length === 0,
      "links of interfaces that are gone remain",
    );
    const series = (await agent.text("/metrics")).split("\n").filter((line) => /interface="m/.test(line));
    expect(series).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "more interfaces than there are rows: the rest is told, watched when there is room, and no row counts for two",
  async () => {
    await using lab = await createLab();
    const args = ["--interface", `${VETH},m*`, "--attach-mode", "clsact"];
    const neighbour = "neighbour replace 10.100.0.2 lladdr 02:00:00:00:00:02 dev";
    const numbers = Array.from({ length: 130 }, (_, index) => index);
    await batch(
      lab,
      numbers.map((index) => `link add ma${index} type veth peer name mb${index}`),
    );
    await batch(lab, [
      "link set ma0 up",
      "link set mb0 up",
      "address add 10.100.0.1/24 dev ma0",
      `${neighbour} ma0`,
    ]);
    const send = () =>
      lab.server.exec(["ping", "-q", "-c", "5", "-i", "0.002", "-W", "0.1", "-e", "77", "10.100.0.2"], {
        check: false,
      });
    await using agent = await startAgent(lab.server, lab.folder, { args });
    await untilChanges(agent, "attached", 255);
    await untilHealth(agent, "as many interfaces are watched as can be: not");
    await send();
    expect(await packetsOf(agent, "ma0", "egress")).toBe(5);

    // Its row goes to one that waits; back again it gets another, and so do its connections.
    await batch(lab, ["link set ma0 down", "link set ma0 name x0"]);
    await untilChanges(agent, "attached", 255 + 1);
    await batch(lab, ["link set x0 name ma0", "link set ma0 up", `${neighbour} ma0`, "link delete ma1"]);
    await untilWatchedToo(agent, "ma0");
    const counted = async () =>
      (await agent.get<StatsAnswer>("/api/stats")).interfaces.filter(({ packets }) => packets > 0);
    await send();
    expect((await counted()).map((one) => [one.interface, one.direction, one.packets])).toEqual(
      expect.arrayContaining([
        ["ma0", "egress", 5],
        ["mb0", "ingress", 10],
      ]),
    );
    expect(await counted()).toHaveLength(2);

    await batch(
      lab,
      [2, 3, 4, 5].map((index) => `link delete ma${index}`),
    );
    await untilHealth(agent, "ok");
  },
  TIMEOUT_MS,
);
