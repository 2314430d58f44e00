import { expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT } from "../support/command.ts";
import { BINARY, startAgent } from "./support/agent.ts";
import { type LiveAnswer, statsAfter } from "./support/answers.ts";
import { interfaceCounters } from "./support/counters.ts";
import { healthOf, packetsOf, untilHealth, untilWatched } from "./support/followed.ts";
import { createLab, VETH } from "./support/lab.ts";

const TUN_DEVICE = join(ROOT, "test/lab/support/tun-device.ts");
const PINGS = 200;

test("loopback: each packet once, by the interface's own count", async () => {
  await using lab = await createLab();
  const { namespace } = lab.server;
  await using agent = await startAgent(lab.server, lab.folder, { args: ["--interface", "lo"] });
  await untilWatched(agent, VETH, "lo");
  const seen = await packetsOf(agent, "lo", "ingress");
  const before = { seen, rxPackets: (await interfaceCounters(namespace, "lo")).rxPackets };
  await lab.server.exec(["ping", "-q", "-c", String(PINGS), "-i", "0.002", "127.0.0.9"]);
  const { connections } = await agent.get<LiveAnswer>("/api/live?ip=127.0.0.9&protocol=icmp");
  expect(connections.map(({ stats }) => [stats.packets_sent, stats.packets_received])).toEqual([
    [PINGS, PINGS],
  ]);
  const { rxPackets } = await interfaceCounters(namespace, "lo");
  const added = (await packetsOf(agent, "lo", "ingress")) - before.seen;
  // What the agent was asked went over lo as well: some packets a question, far fewer than the pings.
  expect(Math.abs(added - (rxPackets - before.rxPackets))).toBeLessThan(PINGS);
  expect(await packetsOf(agent, "lo", "egress")).toBe(0);
});

test("tun: packets without an Ethernet header, exact to the byte", async () => {
  await using lab = await createLab();
  const { namespace } = lab.server;
  await using agent = await startAgent(lab.server, lab.folder, { args: ["--interface", "tun*"] });
  const device = lab.server.spawn([process.execPath, TUN_DEVICE, "tun7"]);
  await device.printed(/ready/);
  await namespace.ip("address", "add", "10.99.0.1/24", "dev", "tun7");
  await namespace.ip("link", "set", "tun7", "up");
  await untilWatched(agent, VETH, "tun7");
  await lab.server.exec(["ping", "-q", "-c", String(PINGS), "-i", "0.002", "-s", "100", "10.99.0.2"]);
  await statsAfter(agent, 2 * PINGS);
  const kernel = await interfaceCounters(namespace, "tun7");
  expect(kernel).toMatchObject({ txPackets: PINGS, rxPackets: PINGS, txBytes: PINGS * 128 });
  const { connections } = await agent.get<LiveAnswer>("/api/live?interface=tun7");
  expect(connections).toMatchObject([
    {
      client_ip: "10.99.0.1",
      server_ip: "10.99.0.2",
      stats: {
        packets_sent: PINGS,
        packets_received: PINGS,
        bytes_sent: kernel.txBytes,
        bytes_received: kernel.rxBytes,
      },
    },
  ]);
  await device.stop();
  await untilWatched(agent, VETH);
  const [late] = (await agent.get<{ connections: { interface: string }[] }>("/api/live?ip=10.99.0.2"))
    .connections;
  expect(late?.interface).toBe("tun7");
});

test("auto starts without a default route and takes one up; what had one stays while its link is down", async () => {
  await using lab = await createLab();
  const { namespace } = lab.server;
  const command = [BINARY];
  const database = lab.path("auto.db");
  await using agent = await startAgent(lab.server, lab.folder, {
    command: [
      "sh",
      "-c",
      `exec ${command.join(" ")} --port 3000 --db-path ${database} --interface auto`,
      "sh",
    ],
  });
  await untilHealth(agent, "no interface has a default route");
  await namespace.ip("route", "add", "default", "via", lab.client.ipv4);
  await untilWatched(agent, VETH);
  expect(await healthOf(agent)).toBe("ok");
  await namespace.ip("link", "set", VETH, "down");
  await namespace.ip("link", "set", VETH, "up");
  await lab.client.exec(["ping", "-c", "3", "-i", "0.05", lab.server.ipv4]);
  const kernel = await lab.server.counters();
  expect(await packetsOf(agent, VETH, "egress")).toBeGreaterThanOrEqual(3);
  expect(await packetsOf(agent, VETH, "egress")).toBeLessThanOrEqual(kernel.txPackets);
  expect(await healthOf(agent)).toBe("ok");
});

test("a name that does not exist is a usage error, also beside patterns that wait", async () => {
  await using lab = await createLab();
  const args = ["--interface", "none*,nonesuch0", "--db-path", lab.path("traffic.db")];
  const { exitCode, stderr } = await lab.server.exec([BINARY, ...args], { check: false });
  expect(exitCode).toBe(2);
  expect(stderr).toContain("interface nonesuch0 does not exist");
  expect(stderr).not.toContain("none*");
});
