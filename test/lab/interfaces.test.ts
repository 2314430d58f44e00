import { expect, test } from "bun:test";
import { startAgent } from "./support/agent.ts";
import { connectionOf, type LiveAnswer, statsAfter } from "./support/answers.ts";
import { untilHealth } from "./support/followed.ts";
import { createLab } from "./support/lab.ts";

test("an interface that goes away is told, the others count on", async () => {
  await using lab = await createLab();
  const { server, client } = lab;
  await server.namespace.ip("link", "add", "spare0", "type", "veth", "peer", "name", "spare1");
  const args = ["--interface", "spare0,spare1"];
  await using agent = await startAgent(server, lab.folder, { args });
  await server.namespace.ip("link", "delete", "spare0");
  for (const name of ["spare0", "spare1"]) await untilHealth(agent, `interface ${name} does not exist`);
  await client.exec(["ping", "-c", "2", "-i", "0.05", server.ipv4]);
  expect((await statsAfter(agent, 4)).coverage).toBe(1);
});

test("live connections by network, port and protocol; times in order", async () => {
  await using lab = await createLab();
  await using agent = await startAgent(lab.server, lab.folder);
  await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
  await connectionOf(agent, 0);
  const count = async (query: string) =>
    (await agent.get<LiveAnswer>(`/api/live?${query}`)).connections.length;
  expect(await count("ip=10.77.0.0/24&protocol=icmp")).toBe(1);
  expect(await count(`ip=${lab.client.ipv4}`)).toBe(1);
  expect(await count("ip=10.78.0.0/16")).toBe(0);
  expect(await count("protocol=tcp")).toBe(0);
  const [seen] = (
    await agent.get<{ connections: { stats: { first_seen: string; last_seen: string } }[] }>("/api/live")
  ).connections;
  expect(Date.parse(seen?.stats.last_seen ?? "")).toBeGreaterThanOrEqual(
    Date.parse(seen?.stats.first_seen ?? ""),
  );
  expect(Date.parse(seen?.stats.last_seen ?? "")).toBeLessThanOrEqual(Date.now() + 1000);
});
