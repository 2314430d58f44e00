import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { startAgent } from "./support/agent.ts";
import { connectionOf, type LiveConnection } from "./support/answers.ts";
import { Capture, tsharkFields } from "./support/capture.ts";
import { loadRules } from "./support/counters.ts";
import { createLab, type End, type Lab } from "./support/lab.ts";
import { pattern } from "../support/frames.ts";

const TIMEOUT_MS = 60_000;
const PORT = 8080;
const MEGABYTE = 1_000_000;

/** A static HTTP server on both address families. */
async function serveFile(lab: Lab, bytes: number): Promise<void> {
  await writeFile(lab.path("file.bin"), pattern(bytes));
  const code = `Bun.serve({hostname:"::",port:${PORT},fetch:()=>new Response(Bun.file(${JSON.stringify(lab.path("file.bin"))}))})`;
  const server = lab.server.spawn([process.execPath, "-e", code]);
  await server.listening("tcp", PORT);
}

const url = (address: string) => `http://${address.includes(":") ? `[${address}]` : address}:${PORT}/`;

/** Bytes of one TCP or UDP stream by sender, as tshark reads the frames. */
async function streamBytes(
  file: string,
  protocol: "tcp" | "udp",
  from: End,
  port: number,
): Promise<[number, number]> {
  const rows = await tsharkFields(file, ["frame.len", "eth.src"], { filter: `${protocol}.port == ${port}` });
  const sum = (own: boolean) =>
    rows
      .filter(([, mac]) => (mac === from.mac) === own)
      .reduce((total, [length]) => total + Number(length), 0);
  return [sum(true), sum(false)];
}

async function initialRttMs(file: string): Promise<number> {
  const [row] = await tsharkFields(file, ["tcp.analysis.initial_rtt"], {
    filter: "tcp.analysis.initial_rtt",
  });
  return Number(row?.[0]) * 1000;
}

const finished = (connection: LiveConnection) => connection.state === "closed";

describe("curl, seen from either end", () => {
  for (const watcher of ["client", "server"] as const) {
    for (const family of ["ipv4", "ipv6"] as const) {
      test(
        `${family} at the ${watcher}`,
        async () => {
          await using lab = await createLab({ ipv6: true });
          await serveFile(lab, MEGABYTE);
          const watched = lab[watcher];
          await using agent = await startAgent(watched, lab.folder);
          const capture = await Capture.start(watched, lab.path("tcp.pcap"), `tcp port ${PORT}`);
          const { stdout } = await lab.client.exec([
            "curl",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{local_port} %{size_download}",
            url(lab.server[family]),
          ]);
          const [localPort, size] = stdout.split(" ").map(Number);
          expect(size).toBe(MEGABYTE);
          const seen = await connectionOf(agent, PORT, finished);
          expect(await capture.stop()).toMatchObject({ dropped: 0 });

          expect(seen).toMatchObject({
            client_ip: lab.client[family],
            client_port: localPort ?? 0,
            server_ip: lab.server[family],
            server_port: PORT,
            protocol: "TCP",
            direction: watcher === "client" ? "egress" : "ingress",
          });
          const bytes = await streamBytes(lab.path("tcp.pcap"), "tcp", lab.client, PORT);
          expect([seen.stats.bytes_sent, seen.stats.bytes_received]).toEqual(bytes);
          const truth = await initialRttMs(lab.path("tcp.pcap"));
          const tolerance = Math.max(0.1, truth * 0.2);
          expect(Math.abs((seen.stats.rtt_ms ?? Number.NaN) - truth)).toBeLessThan(tolerance);
        },
        TIMEOUT_MS,
      );
    }
  }
});

describe("UDP, seen from either end", () => {
  for (const watcher of ["client", "server"] as const) {
    for (const family of ["ipv4", "ipv6"] as const) {
      test(
        `DNS over ${family} at the ${watcher}`,
        async () => {
          await using lab = await createLab({ ipv6: true });
          const resolver = lab.server.spawn([
            "dnsmasq",
            "-k",
            "-C",
            "/dev/null",
            "-R",
            "-h",
            "--address=/example.test/192.0.2.7",
          ]);
          await resolver.listening("udp", 53);
          const watched = lab[watcher];
          await using agent = await startAgent(watched, lab.folder);
          const capture = await Capture.start(watched, lab.path("udp.pcap"), "udp port 53");
          const { stdout } = await lab.client.exec([
            "dig",
            "+short",
            "+tries=1",
            `@${lab.server[family]}`,
            "www.example.test",
          ]);
          expect(stdout.trim()).toBe("192.0.2.7");
          const seen = await connectionOf(agent, 53, (connection) => connection.stats.packets_received > 0);
          await capture.stop();
          expect(seen).toMatchObject({
            client_ip: lab.client[family],
            server_ip: lab.server[family],
            server_port: 53,
            protocol: "UDP",
          });
          const bytes = await streamBytes(lab.path("udp.pcap"), "udp", lab.client, 53);
          expect([seen.stats.bytes_sent, seen.stats.bytes_received]).toEqual(bytes);
        },
        TIMEOUT_MS,
      );
    }
  }
});

/** Drops every hundredth segment of the download as it comes in: the capture sees it go out, and again. */
const DROP_EVERY_HUNDREDTH = `table ip lossy {
  chain in { type filter hook input priority 0; tcp sport ${PORT} numgen inc mod 100 == 99 drop; }
}`;

/** TcpRetransSegs of a namespace: what its stack itself counts as sent again. */
async function retransSegs(end: End): Promise<number> {
  const { stdout } = await end.exec(["cat", "/proc/net/snmp"]);
  const [names, values] = stdout
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values?.[names?.indexOf("RetransSegs") ?? -1]);
}

test(
  "retransmissions, when a rule drops every hundredth segment",
  async () => {
    await using lab = await createLab();
    await serveFile(lab, 20 * MEGABYTE);
    await loadRules(lab.client.namespace, DROP_EVERY_HUNDREDTH);
    await using agent = await startAgent(lab.server, lab.folder);
    const capture = await Capture.start(lab.server, lab.path("lossy.pcap"), `tcp port ${PORT}`);
    await lab.client.exec(["curl", "-sS", "-o", "/dev/null", url(lab.server.ipv4)]);
    const seen = await connectionOf(agent, PORT, finished);
    expect(await capture.stop()).toMatchObject({ dropped: 0 });

    const fromServer = `tcp.srcport == ${PORT}`;
    const count = async (filter: string) =>
      (await tsharkFields(lab.path("lossy.pcap"), ["frame.number"], { filter: `${fromServer} && ${filter}` }))
        .length;
    const again = await count("(tcp.analysis.retransmission || tcp.analysis.out_of_order)");
    const { retransmits_received: retransmits, out_of_order_received: outOfOrder } = seen.stats;
    console.log(
      `retransmissions: agent ${retransmits} (+ ${outOfOrder} out of order), tshark ` +
        `${await count("tcp.analysis.retransmission")} (+ ${await count("tcp.analysis.out_of_order")}), ` +
        `sender's TcpRetransSegs ${await retransSegs(lab.server)}`,
    );
    expect(again).toBeGreaterThan(50);
    expect(retransmits + outOfOrder).toBe(again);
    expect(retransmits + outOfOrder).toBe(await retransSegs(lab.server));
    const bytes = await streamBytes(lab.path("lossy.pcap"), "tcp", lab.client, PORT);
    expect([seen.stats.bytes_sent, seen.stats.bytes_received]).toEqual(bytes);
  },
  TIMEOUT_MS,
);
