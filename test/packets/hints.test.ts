import { expect, test } from "bun:test";
import { bpfObjectsOf } from "../lab/support/bpf.ts";
import { exec } from "../lab/support/process.ts";
import { frame, type FrameSpec } from "../support/frames.ts";
import { PacketLab } from "./harness.ts";

const CONNECTIONS = 1024;
/** Hashed at random into twice as many entries, of 1,024 connections 806 have one, give or take 12. */
const LEAST = 740;

const udp = { kind: "udp", sourcePort: 40_000, destinationPort: 443 } as const;
const high = (index: number) => index >> 8;
const low = (index: number) => index & 0xff;

/** Connections that differ in one part of their 5-tuple. */
const NEIGHBOURS: Record<string, (index: number) => FrameSpec> = {
  "IPv4 clients": (index) => ({
    source: `10.0.${high(index)}.${low(index)}`,
    destination: "192.0.2.1",
    transport: udp,
  }),
  "IPv4 servers": (index) => ({
    source: "192.0.2.1",
    destination: `10.0.${high(index)}.${low(index)}`,
    transport: udp,
  }),
  "IPv6 clients": (index) => ({
    source: `fd00::${index.toString(16)}`,
    destination: "fd01::1",
    transport: udp,
  }),
  "IPv6 networks": (index) => ({
    source: `fd00:0:0:${index.toString(16)}::1`,
    destination: "fd01::1",
    transport: udp,
  }),
  "IPv4 clients and servers": (index) => ({
    source: `10.0.${high(index)}.${low(index)}`,
    destination: `10.1.${high(index)}.${low(index)}`,
    transport: udp,
  }),
  "client ports": (index) => ({
    source: "10.0.0.1",
    destination: "192.0.2.1",
    transport: { ...udp, sourcePort: 20_000 + index },
  }),
};

/** Entries of the hint cache in use, as bpftool shows the map. */
async function hints(): Promise<number> {
  for (const id of bpfObjectsOf(process.pid).map) {
    const map = ["id", String(id)];
    const { stdout } = await exec(["bpftool", "-j", "map", "show", ...map]);
    if ((JSON.parse(stdout) as { name?: string }).name !== "ayaflow_cache") continue;
    const dump = await exec(["bpftool", "-j", "map", "dump", ...map]);
    const entries: { formatted: { value: number } }[] = JSON.parse(dump.stdout);
    return entries.filter(({ formatted }) => formatted.value !== 0).length;
  }
  throw new Error("there is no hint cache");
}

test.each(Object.entries(NEIGHBOURS))("neighbours by %s have hints of their own", async (_, neighbour) => {
  using lab = new PacketLab({ connections: CONNECTIONS });
  // The first packet opens the connection, the second is found in the hash and leaves a hint.
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < CONNECTIONS; index++) lab.run(frame(neighbour(index)));
  }
  expect(lab.totals()).toMatchObject({ attributed: 2 * CONNECTIONS });
  expect(await hints()).toBeGreaterThan(LEAST);
});
