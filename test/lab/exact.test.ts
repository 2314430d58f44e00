import { describe, expect, test } from "bun:test";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { startAgent } from "./support/agent.ts";
import { type LiveAnswer, liveSum, metricSum, statsAfter } from "./support/answers.ts";
import { difference } from "./support/counters.ts";
import { createLab } from "./support/lab.ts";
import { replay } from "./support/traffic.ts";

const TIMEOUT_MS = 120_000;

/** One packet of connection number `flow`: IPv4 or IPv6, TCP or UDP, either way, of a size of its own. */
function packet(flow: number, size: number, reply: boolean): Uint8Array {
  const ends = flow % 2 === 0 ? ["10.77.0.1", "10.77.0.2"] : ["fd00:77::1", "fd00:77::2"];
  const ports = [10_000 + (flow >> 1), flow % 4 < 2 ? 443 : 8443];
  const [source = "", destination = ""] = reply ? ends.toReversed() : ends;
  const [sourcePort = 0, destinationPort = 0] = reply ? ports.toReversed() : ports;
  const kind = flow % 3 === 0 ? "tcp" : "udp";
  return frame({
    source,
    destination,
    transport: { kind, sourcePort, destinationPort, payload: pattern(size) },
  });
}

function flows(count: number, packets: number): Uint8Array[] {
  return Array.from({ length: packets }, (_, index) =>
    packet(index % count, 20 + ((index * 7) % 1300), index % 5 === 4),
  );
}

describe("exact, against the interface's own counters", () => {
  test(
    "1,000,000 packets over 1,000 connections at full speed",
    async () => {
      await using lab = await createLab({ mtu: 65535 });
      const file = lab.path("flows.pcap");
      await writePcap(file, flows(1000, 10_000));
      await using agent = await startAgent(lab.server, lab.folder);
      const before = await lab.server.counters();
      const sent = await replay(lab.client, file, { loop: 100 });
      const counted = difference(await lab.server.counters(), before);
      expect(sent).toMatchObject({ packets: 1_000_000, failed: 0 });
      expect(counted.rxPackets).toBe(sent.packets);

      const stats = await statsAfter(agent, sent.packets);
      const expected = {
        packets: counted.rxPackets + counted.txPackets,
        bytes: counted.rxBytes + counted.txBytes,
      };
      expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual(expected);
      expect(stats.coverage).toBe(1);
      expect(stats.losses.filter((loss) => loss.count > 0)).toEqual([]);
      expect(stats.active_connections).toBe(1000);

      const metrics = await agent.text("/metrics");
      expect(metricSum(metrics, "ayaflow_packets_total", 'direction="ingress"')).toBe(counted.rxPackets);
      expect(metricSum(metrics, "ayaflow_bytes_total", 'direction="ingress"')).toBe(counted.rxBytes);
      expect(metricSum(metrics, "ayaflow_packets_total", 'direction="egress"')).toBe(counted.txPackets);

      const live = await agent.get<LiveAnswer>("/api/live?limit=100000");
      expect(live.connections).toHaveLength(1000);
      expect(liveSum(live)).toEqual(expected);
    },
    TIMEOUT_MS,
  );

  test(
    "twice as many connections as the table holds: totals exact, the excess is overflow",
    async () => {
      await using lab = await createLab({ mtu: 65535 });
      const file = lab.path("flows.pcap");
      const frames = flows(2048, 8192);
      await writePcap(file, frames);
      await using agent = await startAgent(lab.server, lab.folder, { args: ["--max-connections", "1024"] });
      const before = await lab.server.counters();
      const sent = await replay(lab.client, file, { loop: 10 });
      const counted = difference(await lab.server.counters(), before);

      const stats = await statsAfter(agent, sent.packets);
      expect({ packets: stats.total_packets, bytes: stats.total_bytes }).toEqual({
        packets: counted.rxPackets + counted.txPackets,
        bytes: counted.rxBytes + counted.txBytes,
      });
      const kept = liveSum(await agent.get<LiveAnswer>("/api/live?limit=100000"));
      const overflow = stats.interfaces.reduce((sum, one) => sum + one.overflow_packets, 0);
      const overflowBytes = stats.interfaces.reduce((sum, one) => sum + one.overflow_bytes, 0);
      expect(kept.packets + overflow).toBe(stats.total_packets);
      expect(kept.bytes + overflowBytes).toBe(stats.total_bytes);
      // Half of the connections found no place, and each had the same number of packets.
      expect(overflow).toBe(sent.packets / 2);
      expect(stats.coverage).toBe(0.5);
      expect(metricSum(await agent.text("/metrics"), "ayaflow_overflow_packets_total")).toBe(overflow);
      const health = await agent.get<{ status: string; reasons: string[] }>("/api/health");
      expect(health.status).toBe("degraded");
      expect(health.reasons.join()).toContain("--max-connections");
    },
    TIMEOUT_MS,
  );
});
