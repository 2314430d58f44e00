import { expect, setDefaultTimeout, test } from "bun:test";
import { frame, TCP } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { clientHello, tlsRecord } from "../support/tls.ts";
import { metricSum, statsAfter } from "./support/answers.ts";
import { Capture } from "./support/capture.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { HTTPS_PORT, makeCertificate, serveWeb } from "./support/name-servers.ts";
import {
  connectionsOn,
  ENDS,
  expectNames,
  expectSoon,
  type NamedConnection,
  watchBothEnds,
} from "./support/names.ts";
import { exec } from "./support/process.ts";
import { replay } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const CURL = ["curl", "--silent", "--show-error", "--insecure", "--output", "/dev/null"];

const pick = ({ domain, domain_source }: NamedConnection) => ({ domain, domain_source });
const named = (domain: string) => ({ domain, domain_source: "sni" });

interface Tags {
  port: number;
  /** Innermost first. */
  tags: { id: number; protocol: "802.1q" | "802.1ad" }[];
}

/** The frames of a capture with VLAN tags put in, on another port than 443. */
async function tagged(lab: Lab, file: string, { port, tags }: Tags): Promise<string> {
  let from = file;
  for (const [index, { id, protocol }] of tags.entries()) {
    const to = lab.path(`tagged-${port}-${index}.pcap`);
    const vlan = ["add", `-tag=${id}`, "-cfi=0", "-pri=0", `-proto=${protocol}`];
    const options = vlan.map((option) => `--enet-vlan${option === "add" ? "=add" : option}`);
    const ports = index === 0 ? [`--portmap=${HTTPS_PORT}:${port}`] : [];
    await exec(["tcprewrite", `--infile=${from}`, `--outfile=${to}`, ...options, ...ports]);
    from = to;
  }
  return from;
}

test("TLS under one and two VLAN tags", async () => {
  await using lab = await createLab();
  await serveWeb(lab.server, await makeCertificate(lab, "shop.example"));
  const capture = await Capture.start(lab.client, lab.path("plain.pcap"), `tcp port ${HTTPS_PORT}`);
  const resolve = `tagged.example:${HTTPS_PORT}:${lab.server.ipv4}`;
  await lab.client.exec([...CURL, "--resolve", resolve, "https://tagged.example/"]);
  await capture.stop();

  const files: Tags[] = [
    { port: 1443, tags: [{ id: 7, protocol: "802.1q" }] },
    {
      port: 2443,
      tags: [
        { id: 9, protocol: "802.1q" },
        { id: 5, protocol: "802.1ad" },
      ],
    },
  ];
  await using watchers = await watchBothEnds(lab);
  for (const one of files) {
    const { failed } = await replay(lab.client, await tagged(lab, lab.path("plain.pcap"), one));
    expect(failed).toBe(0);
    await expectNames(watchers, one.port, pick, [named("tagged.example")]);
  }
});

/** Connections that hold 16 KB of a hello each: more than deep inspection may keep. */
const HALF_OPEN = 2300;
const PIECES = 11;
const PIECE = 1440;
/** 67 MB of the idle agent, 32 MB of payload, and what the runtime has not collected yet. */
const MAX_RESIDENT = 256 * 1024 * 1024;

/** Connections whose hello of 16 KB never ends, from port 10,000 up. */
async function endlessHellos(lab: Lab): Promise<string> {
  const hello = clientHello({
    serverName: "never.example",
    extensions: [{ type: 0x1234, data: new Uint8Array(16_000) }],
  });
  const stream = tlsRecord(hello);
  const segment = (index: number, piece: number) =>
    frame({
      source: lab.client.ipv4,
      destination: lab.server.ipv4,
      transport: {
        kind: "tcp",
        sourcePort: 10_000 + index,
        destinationPort: HTTPS_PORT,
        flags: TCP.ack | TCP.psh,
        sequence: 1 + piece * PIECE,
        payload: stream.subarray(piece * PIECE, (piece + 1) * PIECE),
      },
    });
  const file = lab.path("endless.pcap");
  await writePcap(
    file,
    Array.from({ length: HALF_OPEN * PIECES }, (_, at) => segment(Math.floor(at / PIECES), at % PIECES)),
  );
  return file;
}

test("hellos that never end take no more memory than is allowed, and others keep being named", async () => {
  await using lab = await createLab();
  await serveWeb(lab.server, await makeCertificate(lab, "shop.example"));
  const file = await endlessHellos(lab);
  await using watchers = await watchBothEnds(lab);
  const { packets } = await replay(lab.client, file, { packetsPerSecond: 7_000 });
  expect(packets).toBe(HALF_OPEN * PIECES);
  const resolve = `after.example:${HTTPS_PORT}:${lab.server.ipv4}`;
  await lab.client.exec([...CURL, "--resolve", resolve, "https://after.example/"]);
  for (const end of ENDS) {
    await statsAfter(watchers[end], packets);
    const isNamed = ({ domain }: NamedConnection) => domain === "after.example";
    await expectSoon(async () => (await connectionsOn(watchers[end], HTTPS_PORT)).some(isNamed), true);
    const metrics = await watchers[end].text("/metrics");
    const allowed = metricSum(metrics, "ayaflow_inspect_memory_limit_bytes");
    const held = metricSum(metrics, "ayaflow_inspect_memory_bytes");
    expect(held).toBeGreaterThan(allowed / 2);
    expect(held).toBeLessThanOrEqual(allowed);
    const evicted = metricSum(metrics, "ayaflow_lost_total", 'stage="inspect"', 'reason="evicted"');
    expect(evicted).toBeGreaterThan(0);
    expect(metricSum(metrics, "process_resident_memory_bytes")).toBeLessThan(MAX_RESIDENT);
  }
});
