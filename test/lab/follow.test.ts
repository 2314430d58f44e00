import { describe, expect, test } from "bun:test";
import { startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { bpfObjectsOf } from "./support/bpf.ts";
import { interfaceCounters } from "./support/counters.ts";
import { healthOf, packetsOf, untilChanges, untilWatched } from "./support/followed.ts";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import { Namespace } from "./support/namespace.ts";

const METHODS = ["tcx", "clsact"] as const;

/** A veth pair inside the server's namespace, both ends up: its neighbour discovery is off, so nothing is sent. */
async function addPair({ server }: Lab, name: string, peer: string): Promise<void> {
  await server.namespace.ip("link", "add", name, "type", "veth", "peer", "name", peer);
  for (const end of [name, peer]) await server.namespace.ip("link", "set", end, "up");
}

describe.each(METHODS)("%s", (method) => {
  test("interfaces that appear, go, are renamed, go down and come back", async () => {
    await using lab = await createLab();
    const { namespace } = lab.server;
    const args = ["--interface", `${VETH},v*,none*`, "--attach-mode", method];
    await using agent = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(agent, VETH);
    expect(await healthOf(agent)).toBe("degraded; no interface matches none*");

    await addPair(lab, "va0", "vb0");
    await untilWatched(agent, VETH, "va0", "vb0");
    await namespace.ip("address", "add", "10.5.0.1/24", "dev", "va0");
    await lab.server.exec(["ping", "-c", "3", "-i", "0.05", "-W", "1", "10.5.0.9"], { check: false });
    const before = await interfaceCounters(namespace, "va0");
    expect(before.txPackets).toBeGreaterThan(0);
    expect(await packetsOf(agent, "va0", "egress")).toBe(before.txPackets);

    await namespace.ip("link", "set", "va0", "down");
    await namespace.ip("link", "set", "va0", "name", "vnew");
    await namespace.ip("link", "set", "vnew", "up");
    await untilWatched(agent, VETH, "vnew", "vb0");
    expect(await packetsOf(agent, "vnew", "egress")).toBe(before.txPackets);
    await lab.server.exec(["ping", "-c", "3", "-i", "0.05", "-W", "1", "10.5.0.9"], { check: false });
    const after = await interfaceCounters(namespace, "vnew");
    expect(after.txPackets).toBeGreaterThan(before.txPackets);
    expect(await packetsOf(agent, "vnew", "egress")).toBe(after.txPackets);

    await namespace.ip("link", "set", "vnew", "down");
    await namespace.ip("link", "set", "vnew", "name", "other");
    await untilWatched(agent, VETH, "vb0");
    const { total_packets: total } = await statsAfter(agent, 1);
    await namespace.ip("link", "delete", "other");
    await untilWatched(agent, VETH);
    await addPair(lab, "va0", "vb0");
    await untilWatched(agent, VETH, "va0", "vb0");
    expect((await statsAfter(agent, 1)).total_packets).toBe(total);
    await untilChanges(agent, "attached", 5);
    await untilChanges(agent, "detached", 2);
    await untilChanges(agent, "renamed", 1);
    await untilChanges(agent, "failed", 0);
    await untilChanges(agent, "reattached", 0);
  });

  test("what moves to another namespace is not counted there, and is when it comes back", async () => {
    await using lab = await createLab();
    await using away = await Namespace.create("away");
    const { namespace } = lab.server;
    await addPair(lab, "va0", "vb0");
    const args = ["--interface", `${VETH},va*`, "--attach-mode", method];
    await using agent = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(agent, VETH, "va0");
    const links = bpfObjectsOf(agent.program.pid).link.length;
    await namespace.ip("link", "set", "va0", "netns", away.name);
    await untilWatched(agent, VETH);
    expect(bpfObjectsOf(agent.program.pid).link).toHaveLength(method === "tcx" ? links - 2 : 0);
    const { stdout } = await away.exec(["bpftool", "net", "show", "dev", "va0"]);
    expect(stdout).not.toContain("ayaflow");
    const { total_packets: total } = await statsAfter(agent, 0);
    await away.ip("address", "add", "10.5.0.1/24", "dev", "va0");
    await away.ip("link", "set", "va0", "up");
    await away.exec(["ping", "-c", "3", "-i", "0.05", "-W", "1", "10.5.0.9"], { check: false });
    expect((await interfaceCounters(away, "va0")).txPackets).toBeGreaterThan(0);
    expect((await statsAfter(agent, 0)).total_packets).toBe(total);
    await away.ip("link", "set", "va0", "netns", namespace.name);
    await untilWatched(agent, VETH, "va0");
    await sendSome(lab);
    expect(await packetsOf(agent, "va0", "egress")).toBeGreaterThan(0);
  });
});

/** Packets out of va0 that nobody answers. */
async function sendSome({ server }: Lab): Promise<void> {
  await server.namespace.ip("address", "add", "10.5.0.1/24", "dev", "va0");
  await server.namespace.ip("link", "set", "va0", "up");
  await server.exec(["ping", "-c", "2", "-i", "0.05", "-W", "1", "10.5.0.9"], { check: false });
}
