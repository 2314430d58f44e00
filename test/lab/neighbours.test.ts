import { describe, expect, test } from "bun:test";
import { BINARY, startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { bpfObjectsOf } from "./support/bpf.ts";
import { untilChanges, untilHealth, untilWatched } from "./support/followed.ts";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import type { ExecResult } from "./support/process.ts";
import { addClsactStranger, addTcxStranger, VERDICT } from "./support/stranger.ts";

test("a program before us that lets everything pass at once hides nothing from us", async () => {
  await using lab = await createLab();
  const stranger = await addTcxStranger(lab.server, VETH, lab.folder, VERDICT.pass);
  await using agent = await startAgent(lab.server, lab.folder);
  await lab.client.exec(["ping", "-c", "3", "-i", "0.05", lab.server.ipv4]);
  const stats = await statsAfter(agent, 6);
  expect(stats.interfaces.map(({ direction, packets }) => [direction, packets >= 3])).toEqual([
    ["ingress", true],
    ["egress", true],
  ]);
  expect(await stranger.count()).toBeGreaterThanOrEqual(3);
});

test("somebody else's filter at our place is told and left alone", async () => {
  await using lab = await createLab();
  const stranger = await addClsactStranger(lab.server, VETH, lab.folder, [
    "pref",
    "41127",
    "handle",
    "0xa7a",
  ]);
  const arguments_ = ["--interface", VETH, "--attach-mode", "clsact", "--db-path", lab.path("traffic.db")];
  const { exitCode, stderr } = await lab.server.exec([BINARY, ...arguments_], { check: false });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("passerby");
  const before = await stranger.count();
  await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
  expect(await stranger.count()).toBeGreaterThan(before);
});

/** Runs a second agent on the same interface to its end. */
async function runSecond(lab: Lab, method: string, ...args: string[]): Promise<ExecResult> {
  const fixed = ["--interface", VETH, "--attach-mode", method, "--port", "3001"];
  // Blind to other processes, as in a container.
  const blind = ["unshare", "--pid", "--fork", "--mount-proc", BINARY];
  const command = [...blind, ...fixed, "--db-path", lab.path("second.db"), ...args];
  return await lab.server.exec(command, { check: false });
}

const ping = (lab: Lab, count: number) =>
  lab.client.exec(["ping", "-q", "-c", String(count), "-i", "0.02", lab.server.ipv4]);

/** Filters and TCX programs of ours on the interface. */
async function ours(lab: Lab): Promise<number> {
  const { stdout } = await lab.server.exec(["bpftool", "net", "show", "dev", VETH]);
  return stdout.match(/ayaflow_(in|e)gress/g)?.length ?? 0;
}

describe.each(["tcx", "clsact"])("%s", (method) => {
  const args = ["--attach-mode", method];

  test("a second agent is refused, the first counts on", async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder, { args });
    for (const patterns of [VETH, "ve*", "all"]) {
      const { exitCode, stderr } = await runSecond(lab, method, "--interface", patterns);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/veth0: another agent is attached\..*--share-interfaces/);
    }
    await ping(lab, 2);
    expect((await statsAfter(agent, 4)).coverage).toBe(1);
  });

  test("a second agent that asks to share counts the same; the first one goes, the second stays", async () => {
    await using lab = await createLab();
    const first = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(first, VETH);
    const before = (await statsAfter(first, 0)).total_packets;
    const share = [...args, "--share-interfaces", "--port", "3001"];
    await using second = await startAgent(lab.server, lab.folder, { args: share, port: 3001 });
    await untilWatched(second, VETH);
    await ping(lab, 5);
    expect((await statsAfter(first, before + 10)).total_packets - before).toBeGreaterThanOrEqual(10);
    const shared = (await statsAfter(second, 10)).total_packets;
    await first.stop();
    await ping(lab, 5);
    expect((await statsAfter(second, shared + 10)).coverage).toBe(1);
    // Alone, but attached: without asking nobody joins it.
    expect((await runSecond(lab, method)).exitCode).toBe(1);
  });

  test("its programs are taken away: noticed, attached again, told", async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder, { args });
    await untilWatched(agent, VETH);
    const ways =
      method === "tcx"
        ? bpfObjectsOf(agent.program.pid).link.map((id) => ["bpftool", "link", "detach", "id", String(id)])
        : [
            ["tc", "qdisc", "del", "dev", VETH, "clsact"],
            ["tc", "filter", "del", "dev", VETH, "egress", "pref", "41127"],
          ];
    let count = 0;
    for (const way of ways) {
      await lab.server.exec(way);
      await untilChanges(agent, "reattached", ++count);
      await untilHealth(agent, `somebody took the agent's programs off ${VETH}: attached again`);
      const seen = (await statsAfter(agent, 0)).total_packets;
      await ping(lab, 5);
      expect((await statsAfter(agent, seen + 10)).total_packets).toBeGreaterThanOrEqual(seen + 10);
    }
    expect(ways).toHaveLength(2);
    if (method === "clsact") expect(await ours(lab)).toBe(2);
  });
});

test("clsact filters that dead agents left, a sharing one's too, go with the next start", async () => {
  await using lab = await createLab();
  const args = ["--attach-mode", "clsact"];
  const first = await startAgent(lab.server, lab.folder, { args });
  const share = [...args, "--share-interfaces", "--port", "3001"];
  const second = await startAgent(lab.server, lab.folder, { args: share, port: 3001 });
  await untilWatched(second, VETH);
  expect(await ours(lab)).toBe(4);
  await first.stop("SIGKILL");
  await second.stop("SIGKILL");
  expect(await ours(lab)).toBe(4);
  await using agent = await startAgent(lab.server, lab.folder, { args });
  await untilWatched(agent, VETH);
  expect(await ours(lab)).toBe(2);
});

test("a filter of a lower priority number that lets packets on runs before ours, and stays after us", async () => {
  await using lab = await createLab();
  const place = ["pref", "10", "handle", "1"];
  const stranger = await addClsactStranger(lab.server, VETH, lab.folder, place);
  await using agent = await startAgent(lab.server, lab.folder, { args: ["--attach-mode", "clsact"] });
  await untilWatched(agent, VETH);
  const before = await stranger.count();
  await ping(lab, 5);
  await statsAfter(agent, 10);
  expect(await stranger.count()).toBeGreaterThanOrEqual(before + 5);
  await agent.stop();
  expect(await ours(lab)).toBe(0);
  const { stdout } = await lab.server.exec(["tc", "filter", "show", "dev", VETH, "ingress"]);
  expect(stdout).toContain("pref 10");
});
