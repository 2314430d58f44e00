import { describe, expect, test } from "bun:test";
import { frame, pattern, TCP } from "../support/frames.ts";
import { PacketLab } from "./harness.ts";

const CLIENT = { address: "10.0.0.9", port: 50000 };
const SERVER = { address: "10.0.0.1", port: 80 };

interface Segment {
  from: "client" | "server";
  flags: number;
  sequence?: number;
  acknowledgment?: number;
  payload?: number;
  window?: number;
}

function bytesOf({ from, payload = 0, ...segment }: Segment): Uint8Array {
  const [source, destination] = from === "client" ? [CLIENT, SERVER] : [SERVER, CLIENT];
  return frame({
    source: source.address,
    destination: destination.address,
    transport: {
      kind: "tcp",
      sourcePort: source.port,
      destinationPort: destination.port,
      ...segment,
      payload: pattern(payload),
    },
  });
}

/** The one connection that `segments` make. The client is here: its packets leave, the server's arrive. */
function connection(segments: Segment[], lab = new PacketLab(), local: Segment["from"] = "client") {
  for (const segment of segments) {
    lab.run(bytesOf(segment), { direction: segment.from === local ? "egress" : "ingress" });
  }
  const seen = lab.connections();
  expect(seen).toHaveLength(1);
  return seen[0];
}

const { syn, ack, fin, rst } = TCP;
const SYN: Segment = { from: "client", flags: syn, sequence: 999 };
const SYN_ACK: Segment = { from: "server", flags: syn | ack, sequence: 4999, acknowledgment: 1000 };
const ACK: Segment = { from: "client", flags: ack, sequence: 1000, acknowledgment: 5000 };
const HANDSHAKE = [SYN, SYN_ACK, ACK];
const data = (sequence: number, payload = 100): Segment => ({
  from: "client",
  flags: ack,
  sequence,
  acknowledgment: 5000,
  payload,
});
const acknowledge = (acknowledgment: number): Segment => ({
  from: "server",
  flags: ack,
  sequence: 5000,
  acknowledgment,
});

const ends = { client: "10.0.0.9 50000", server: "10.0.0.1 80", clientDirection: "egress" };

describe("who is the client", () => {
  test("the sender of the first SYN", () => {
    expect(connection(HANDSHAKE)).toMatchObject(ends);
  });
  test("the other side of a first SYN-ACK", () => {
    expect(connection([SYN_ACK, ACK])).toMatchObject(ends);
  });
  test("else the first sender", () => {
    expect(connection([{ ...ACK, from: "server" }, ACK])).toMatchObject({
      client: "10.0.0.1 80",
      clientDirection: "ingress",
    });
  });
  test("a SYN on a finished connection decides anew", () => {
    const first = [
      { ...ACK, from: "server" as const },
      { from: "client" as const, flags: rst | ack },
    ];
    expect(connection([...first, SYN])).toMatchObject({ ...ends, state: "syn_sent" });
  });
});

describe("a SYN on a live connection", () => {
  const stray: Segment = { from: "server", flags: syn, sequence: 777 };
  const again: Segment[] = [
    { from: "client", flags: syn, sequence: 8999 },
    { from: "server", flags: syn | ack, sequence: 99, acknowledgment: 9000 },
    { from: "client", flags: ack, sequence: 9000, acknowledgment: 100 },
  ];

  test("changes nothing by itself", () => {
    const seen = connection([...HANDSHAKE, stray, data(1000), acknowledge(1100)]);
    expect(seen).toMatchObject({ ...ends, state: "established", retransmits: { sent: 0, received: 0 } });
    expect(seen?.rttServerNs).toBeGreaterThan(0);
  });
  test("starts a new one once it is answered, as after a close that was not seen", () => {
    expect(connection([...HANDSHAKE, data(1000), ...again.slice(0, 2)])).toMatchObject({
      state: "syn_received",
    });
    expect(connection([...HANDSHAKE, data(1000), ...again, data(9000)])).toMatchObject({
      ...ends,
      state: "established",
      retransmits: { sent: 0, received: 0 },
    });
  });
  test("answered for another SYN is not believed", () => {
    const forged = { ...again[1], from: "server", flags: syn | ack, acknowledgment: 12345 } as const;
    expect(connection([...HANDSHAKE, stray, forged])).toMatchObject({ ...ends, state: "established" });
  });
});

describe("state", () => {
  const finish: Segment[] = [
    { from: "client", flags: fin | ack, sequence: 1000 },
    { from: "server", flags: fin | ack, sequence: 5000 },
  ];
  const cases: [string, Segment[]][] = [
    ["syn_sent", [SYN]],
    ["syn_received", [SYN, SYN_ACK]],
    ["established", HANDSHAKE],
    ["established", [data(1)]],
    // The way back is another one.
    ["established", [SYN, ACK]],
    ["closing", [...HANDSHAKE, ...finish.slice(0, 1)]],
    ["closed", [...HANDSHAKE, ...finish]],
    ["closed", [...HANDSHAKE, ...finish, acknowledge(1001)]],
    ["reset", [SYN, { from: "server", flags: rst | ack }]],
    ["established", [...HANDSHAKE, ...finish, ...HANDSHAKE]],
  ];
  test.each(cases)("%s", (state, segments) => {
    expect(connection(segments)).toMatchObject({ state });
  });

  test("flags seen from each side", () => {
    expect(connection([...HANDSHAKE, ...finish])?.flags).toEqual({
      sent: syn | ack | fin,
      received: syn | ack | fin,
    });
  });

  test("one event, at the start", () => {
    using lab = new PacketLab();
    connection([...HANDSHAKE, ...finish, acknowledge(1001)], lab);
    expect(lab.drain().map(({ type, slot, gen }) => [type, slot, gen])).toEqual([[1, 0, 0]]);
  });
});

describe("handshake RTT", () => {
  test("in two parts, measured by the kernel's clock", () => {
    using lab = new PacketLab();
    const before = Bun.nanoseconds();
    const seen = connection(HANDSHAKE, lab);
    const elapsed = Bun.nanoseconds() - before;
    expect(seen?.rttServerNs).toBeGreaterThan(0);
    expect(seen?.rttClientNs).toBeGreaterThan(0);
    expect((seen?.rttServerNs ?? 0) + (seen?.rttClientNs ?? 0)).toBeLessThan(elapsed);
  });
  test("unknown when the SYN was not seen", () => {
    expect(connection([SYN_ACK, ACK])).toMatchObject({ rttServerNs: 0, rttClientNs: 0 });
  });
  test("counts from the latest SYN", async () => {
    using lab = new PacketLab();
    lab.run(bytesOf(SYN), { direction: "egress" });
    await Bun.sleep(50);
    const seen = connection([SYN, SYN_ACK, ACK], lab);
    expect((seen?.rttServerNs ?? 0) + (seen?.rttClientNs ?? 0)).toBeLessThan(50e6);
    expect(seen?.retransmits).toEqual({ sent: 1, received: 0 });
  });
});

describe("retransmissions", () => {
  /** The client is elsewhere. */
  const arriving = (segments: Segment[], lab?: PacketLab) => connection(segments, lab, "server");
  const retransmits = (segments: Segment[]) => arriving([...HANDSHAKE, ...segments])?.retransmits.sent;

  test("none in order, across the wrap of the sequence number", () => {
    const start = 2 ** 32 - 150;
    expect(retransmits([data(1000), data(1100), data(1200)])).toBe(0);
    expect(arriving([data(start), data(start + 100), data(50)])?.retransmits.sent).toBe(0);
  });
  test("the same segment again, and again", () => {
    expect(retransmits([data(1000), data(1000), data(1000)])).toBe(2);
  });
  test("a segment that starts earlier and ends later", () => {
    expect(retransmits([data(1000), data(1050), data(1150)])).toBe(1);
  });
  test("a hole filled after two duplicate ACKs", () => {
    const seen = arriving([
      ...HANDSHAKE,
      data(1000),
      acknowledge(1100),
      data(1200),
      acknowledge(1100),
      data(1300),
      acknowledge(1100),
      data(1100),
    ]);
    expect(seen).toMatchObject({ retransmits: { sent: 1 }, outOfOrder: { sent: 0 } });
  });
  test("a hole filled within the round trip is out of order", async () => {
    using lab = new PacketLab();
    lab.run(bytesOf(SYN), { direction: "ingress" });
    // A round trip of at least this long: the reordered segment comes well within.
    await Bun.sleep(200);
    const seen = arriving([SYN_ACK, ACK, data(1000), data(1200), data(1100)], lab);
    expect(seen).toMatchObject({ retransmits: { sent: 0 }, outOfOrder: { sent: 1 } });
  });
  test("a hole filled by this host's own TCP was sent again, however soon", async () => {
    using lab = new PacketLab();
    lab.run(bytesOf(SYN), { direction: "egress" });
    await Bun.sleep(200);
    const seen = connection([SYN_ACK, ACK, data(1000), data(1200), data(1100)], lab);
    expect(seen).toMatchObject({ retransmits: { sent: 1 }, outOfOrder: { sent: 0 } });
  });
  test("a hole filled much later was sent again", async () => {
    using lab = new PacketLab();
    arriving([...HANDSHAKE, data(1000), data(1200)], lab);
    await Bun.sleep(60);
    expect(arriving([data(1100)], lab)).toMatchObject({
      retransmits: { sent: 1 },
      outOfOrder: { sent: 0 },
    });
  });
  test("what was acknowledged already, however soon it comes again", async () => {
    using lab = new PacketLab();
    lab.run(bytesOf(SYN), { direction: "ingress" });
    await Bun.sleep(200);
    const segments = [
      SYN_ACK,
      ACK,
      data(1000),
      data(1100),
      acknowledge(1200),
      acknowledge(1100),
      data(1300),
      data(1000),
    ];
    expect(arriving(segments, lab)).toMatchObject({ retransmits: { sent: 1 }, outOfOrder: { sent: 0 } });
  });
  test("not a keep-alive, with and without its byte", () => {
    expect(retransmits([data(1000), data(1099, 0), data(1099, 1), data(1099, 1)])).toBe(0);
  });
  test("not bare ACKs", () => {
    expect(
      arriving([...HANDSHAKE, acknowledge(1000), acknowledge(1000), acknowledge(1000)])?.retransmits,
    ).toEqual({
      sent: 0,
      received: 0,
    });
  });
  test("each side by itself", () => {
    const reply: Segment = { from: "server", flags: ack, sequence: 5000, acknowledgment: 1100, payload: 10 };
    expect(arriving([...HANDSHAKE, data(1000), reply, reply])?.retransmits).toEqual({
      sent: 0,
      received: 1,
    });
  });
});
