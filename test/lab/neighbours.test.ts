import { expect, test } from "bun:test";
import { BINARY, startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { createLab, VETH } from "./support/lab.ts";
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

test("a second agent on clsact is refused, the first counts on", async () => {
  await using lab = await createLab();
  const args = ["--attach-mode", "clsact"];
  await using agent = await startAgent(lab.server, lab.folder, { args });
  const second = ["--interface", VETH, ...args, "--port", "3001", "--db-path", lab.path("second.db")];
  // Blind to other processes, as in a container.
  const blind = ["unshare", "--pid", "--fork", "--mount-proc", BINARY, ...second];
  const { exitCode, stderr } = await lab.server.exec(blind, { check: false });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("another agent");
  await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
  expect((await statsAfter(agent, 4)).coverage).toBe(1);
});
