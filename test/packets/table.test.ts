import { describe, expect, test } from "bun:test";
import { ENUMS } from "../../src/bpf/layout.gen.ts";
import { frame } from "../support/frames.ts";
import { NEXT, PacketLab } from "./harness.ts";

const LOST = ENUMS.ayaflow_lost;

/** A UDP packet of flow number `flow`, to or from its server. */
function packet(flow: number, reply = false): Uint8Array {
  const ends = { source: "10.0.0.1", destination: "10.0.0.2", sourcePort: 1000 + flow, destinationPort: 53 };
  const { source, destination, sourcePort, destinationPort } = ends;
  return reply
    ? frame({
        source: destination,
        destination: source,
        transport: { kind: "udp", sourcePort: destinationPort, destinationPort: sourcePort },
      })
    : frame({ source, destination, transport: { kind: "udp", sourcePort, destinationPort } });
}

describe("the connection table", () => {
  test("both directions of a 5-tuple are one connection", () => {
    using lab = new PacketLab();
    lab.run(packet(1), { direction: "egress" });
    lab.run(packet(1, true), { direction: "ingress" });
    lab.run(packet(1), { direction: "egress" });
    const length = packet(1).length;
    expect(lab.connections()).toMatchObject([
      {
        client: "10.0.0.1 1001",
        server: "10.0.0.2 53",
        clientDirection: "egress",
        sent: { packets: 2, bytes: 2 * length },
        received: { packets: 1, bytes: length },
      },
    ]);
    expect(lab.kernel.counters.read(0, 0)[0]).toEqual({ packets: 1, bytes: length });
    expect(lab.kernel.counters.read(0, 1)[0]).toEqual({ packets: 2, bytes: 2 * length });
  });

  test("full: the excess is overflow, the totals stay exact, the kept ones are exact", () => {
    using lab = new PacketLab({ connections: 64 });
    for (let round = 0; round < 3; round++) {
      for (let flow = 0; flow < 128; flow++) expect(lab.run(packet(flow))).toBe(NEXT);
    }
    expect(lab.totals()).toMatchObject({
      attributed: 192,
      overflow: 192,
      packets: 384,
      bytes: 384 * packet(0).length,
    });
    expect(lab.connections().map((one) => one.sent.packets)).toEqual(Array.from({ length: 64 }, () => 3));
    expect(lab.kernel.counters.losses()[LOST.AYAFLOW_LOST_TABLE_FULL]).toBe(192);
  });

  test("a retired connection's packets start a new one, its slot is used again", () => {
    using lab = new PacketLab({ connections: 64 });
    lab.run(packet(1));
    lab.run(packet(1));
    const { kernel } = lab;
    kernel.retire(0);
    lab.run(packet(1));
    // The old counters stand until the slot is freed.
    const counters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
    kernel.slots.counters(0, counters);
    expect(counters.packetsA).toBe(2);
    expect(lab.connections().map((one) => one.sent.packets)).toEqual([1]);
    kernel.free(0);
    lab.run(packet(2));
    expect(lab.connections().map((one) => [one.client, one.sent.packets])).toEqual([
      ["10.0.0.1 1002", 1],
      ["10.0.0.1 1001", 1],
    ]);
    expect(kernel.slots.generation(0)).toBe(1);
  });

  test("every slot can be taken, given back and taken again", () => {
    using lab = new PacketLab({ connections: 64 });
    for (let round = 0; round < 5; round++) {
      for (let flow = 0; flow < 64; flow++) lab.run(packet(round * 64 + flow));
      expect(lab.connections()).toHaveLength(64);
      for (let slot = 0; slot < 64; slot++) lab.kernel.retire(slot);
      for (let slot = 0; slot < 64; slot++) lab.kernel.free(slot);
    }
    expect(lab.totals()).toMatchObject({ attributed: 320, overflow: 0 });
  });
});

describe("events", () => {
  test("raw mode: one event a packet, in order, with what the row needs", () => {
    using lab = new PacketLab({ rawMode: true });
    lab.run(packet(1), { direction: "egress" });
    lab.run(packet(1, true), { direction: "ingress" });
    const [open, first, second] = lab.drain();
    const length = packet(1).length;
    expect([open?.type, first?.type, second?.type]).toEqual([1, 2, 2]);
    expect(first).toMatchObject({ direction: 1, side: 0, slot: 0, gen: 0, packets: 1, bytes: length });
    expect(second).toMatchObject({ direction: 0, side: 1, slot: 0, packets: 1, bytes: length });
    expect(second?.bootNs).toBeGreaterThan(first?.bootNs ?? Number.POSITIVE_INFINITY);
  });

  test("a full ring loses events, counted, and no packet from the totals", () => {
    using lab = new PacketLab({ rawMode: true, ringBytes: 4096 });
    for (let index = 0; index < 500; index++) lab.run(packet(1));
    const packets = lab
      .drain()
      .filter((event) => event.type === ENUMS.ayaflow_event_type.AYAFLOW_EVENT_PACKET);
    const lost = lab.kernel.counters.losses()[LOST.AYAFLOW_LOST_RING_PACKET] ?? 0;
    expect(lost).toBeGreaterThan(0);
    expect(packets.length + lost).toBe(500);
    expect(lab.totals()).toMatchObject({ attributed: 500 });
  });

  test("a drain stops at its limit and goes on from there", () => {
    using lab = new PacketLab({ rawMode: true });
    for (let index = 0; index < 10; index++) lab.run(packet(1));
    expect(lab.kernel.ring.drain(4)).toBe(4);
    expect(lab.kernel.ring.usedBytes()).toBe(7 * 40);
    expect(lab.kernel.ring.drain(100)).toBe(7);
    expect(lab.events.map((event) => event.bootNs)).toEqual(
      lab.events.map((event) => event.bootNs).sort((a, b) => a - b),
    );
  });
});
