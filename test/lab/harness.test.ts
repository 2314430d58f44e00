import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { frame, pattern } from "../support/frames.ts";
import { HTTP_SERVER } from "../support/http-server.ts";
import { writePcap } from "../support/pcap.ts";
import { Capture, tsharkFields } from "./support/capture.ts";
import { difference, loadRules, nftCounters } from "./support/counters.ts";
import { createLab } from "./support/lab.ts";
import { NAME_PREFIX, sweepStale } from "./support/namespace.ts";
import { exec } from "./support/process.ts";
import { openRelay } from "./support/relay.ts";
import { replay, trafgen, trafgenFrames } from "./support/traffic.ts";

setDefaultTimeout(60_000);

/** `count` UDP frames of growing size from 20 ports. */
function udpFrames(count: number, destinationMac?: string): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    frame({
      source: "10.77.0.1",
      destination: "10.77.0.2",
      ...(destinationMac === undefined ? {} : { destinationMac }),
      transport: {
        kind: "udp",
        sourcePort: 1000 + (index % 20),
        destinationPort: 9,
        payload: pattern(18 + index),
      },
    }),
  );
}

test("a lab carries pings over IPv4 and IPv6 and leaves nothing behind", async () => {
  const names: string[] = [];
  {
    await using lab = await createLab({ ipv6: true, mtu: 9000 });
    names.push(lab.client.namespace.name, lab.server.namespace.name, lab.folder);
    for (const address of [lab.server.ipv4, lab.server.ipv6]) {
      const { stdout } = await lab.client.exec(["ping", "-c", "2", "-i", "0.01", address]);
      expect(stdout).toContain("2 received");
    }
    expect(await lab.server.namespace.ip("link", "show", "veth0")).toContain("mtu 9000");
  }
  const [client, server, folder] = names;
  expect(readdirSync("/run/netns")).not.toContain(client);
  expect(readdirSync("/run/netns")).not.toContain(server);
  expect(existsSync(folder!)).toBeFalse();
});

test("a lab without IPv6 is silent", async () => {
  await using lab = await createLab();
  const counters = await lab.server.counters();
  expect(counters).toMatchObject({ rxPackets: 0, txPackets: 0 });
});

test("a failure inside takes the programs and namespaces away", async () => {
  const seen: { pid?: number; name?: string } = {};
  const failing = async () => {
    await using lab = await createLab();
    seen.pid = lab.server.spawn(["sleep", "600"]).pid;
    seen.name = lab.server.namespace.name;
    throw new Error("on purpose");
  };
  const error: unknown = await failing().catch((caught: unknown) => caught);
  expect(error).toEqual(new Error("on purpose"));
  expect(existsSync(`/proc/${seen.pid}`)).toBeFalse();
  expect(readdirSync("/run/netns")).not.toContain(seen.name);
});

test("what a killed run has left is swept", async () => {
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  const name = `${NAME_PREFIX}${dead.pid}-1-client`;
  await exec(["ip", "netns", "add", name]);
  await sweepStale();
  expect(readdirSync("/run/netns")).not.toContain(name);
});

test("a replay is counted by the interface, captured and nft-counted exactly", async () => {
  await using lab = await createLab();
  await loadRules(
    lab.server.namespace,
    "table ip t { counter seen { }; chain before { type filter hook prerouting priority 0; counter name seen; drop; }; }",
  );
  const frames = udpFrames(500, lab.server.mac);
  const bytes = frames.reduce((total, one) => total + one.length, 0);
  await writePcap(lab.path("sent.pcap"), frames);
  const before = await lab.server.counters();
  const capture = await Capture.start(lab.server, lab.path("seen.pcap"), "udp dst port 9");
  const sent = await replay(lab.client, lab.path("sent.pcap"), { loop: 4 });
  const counts = await capture.stop();

  expect(sent).toMatchObject({ packets: 2000, bytes: bytes * 4, failed: 0 });
  expect(difference(await lab.server.counters(), before)).toMatchObject({
    rxPackets: 2000,
    rxBytes: bytes * 4,
  });
  expect(counts).toMatchObject({ captured: 2000, dropped: 0 });
  const rows = await tsharkFields(lab.path("seen.pcap"), ["frame.len", "udp.srcport"]);
  const expected = frames.map((one, index) => [String(one.length), String(1000 + (index % 20))]);
  expect(rows).toEqual([...expected, ...expected, ...expected, ...expected]);
  // nft counts from the IP header on: 14 bytes of Ethernet less.
  expect(await nftCounters(lab.server.namespace)).toEqual({
    seen: { packets: 2000, bytes: (bytes - 500 * 14) * 4 },
  });
});

test("trafgen sends as many as it says", async () => {
  await using lab = await createLab();
  const frames = udpFrames(10);
  const before = await lab.server.counters();
  const sent = await trafgen(lab.client, trafgenFrames(frames), { packets: 1000, qdisc: true });
  const bytes = frames.reduce((total, one) => total + one.length, 0) * 100;
  expect(sent).toMatchObject({ packets: 1000, bytes });
  expect(difference(await lab.server.counters(), before)).toMatchObject({ rxPackets: 1000, rxBytes: bytes });
});

test("a program's listener and output are waited for", async () => {
  await using lab = await createLab();
  const server = lab.server.spawn(["iperf3", "-s", "-1"]);
  await server.listening("tcp", 5201);
  const report: { end: { sum_sent: { bytes: number } } } = JSON.parse(
    (await lab.client.exec(["iperf3", "-c", lab.server.ipv4, "-n", "1M", "-J"])).stdout,
  );
  expect(report.end.sum_sent.bytes).toBeGreaterThanOrEqual(1 << 20);
  expect(await server.exited()).toMatchObject({ exitCode: 0 });
  expect(server.stdout).toContain("Server listening");
});

test("a relay carries requests into a namespace", async () => {
  await using lab = await createLab();
  const http = lab.server.spawn([process.execPath, HTTP_SERVER, "3000"]);
  await http.listening("tcp", 3000);
  await using relay = await openRelay(lab.server.namespace, 3000, lab.path("relay.sock"));
  const response = await fetch(`${relay.url}/bytes/100000`);
  expect((await response.arrayBuffer()).byteLength).toBe(100_000);
});
