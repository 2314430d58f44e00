import { expect, test } from "bun:test";
import { ENUMS } from "../../src/bpf/layout.gen.ts";
import { pattern } from "../support/bytes.ts";
import { frame, TCP, type FrameSpec } from "../support/frames.ts";
import { PacketLab } from "./harness.ts";

const EVENT = ENUMS.ayaflow_event_type;
const LOST = ENUMS.ayaflow_lost;
const ENDS = { source: "10.0.0.1", destination: "10.0.0.2" };
const PORTS = { sourcePort: 40_000, destinationPort: 8443 };
const NOTHING = { packets: false, payload: false };

const tcp = (flags: number, payload: Uint8Array = new Uint8Array()): FrameSpec => ({
  ...ENDS,
  transport: { kind: "tcp", ...PORTS, flags, payload },
});
const dns = (id: number): FrameSpec => ({
  ...ENDS,
  transport: { kind: "udp", sourcePort: 40_000, destinationPort: 53, payload: Uint8Array.of(id, 1, 1) },
});

const typesOf = (lab: PacketLab) => lab.drain().map(({ type }) => type);
const lost = (lab: PacketLab, reason: number) => lab.kernel.counters.losses()[reason];

test("shed packets of raw mode are counted by packet; totals, connections and opens are as ever", () => {
  using lab = new PacketLab({ rawMode: true });
  lab.kernel.shed({ packets: true, payload: false });
  lab.run(frame(tcp(TCP.syn)));
  lab.run(frame(tcp(TCP.ack, pattern(2000))), { gsoSize: 1000, gsoSegs: 2 });
  lab.run(frame(tcp(TCP.rst)));
  expect(typesOf(lab)).toEqual([EVENT.AYAFLOW_EVENT_OPEN]);
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PACKET)).toBe(4);
  expect(lab.totals()).toMatchObject({ packets: 4, attributed: 4 });
  expect(lab.connections()).toMatchObject([{ sent: { packets: 4 }, state: "reset" }]);
  expect(lab.kernel.counters.losses().reduce((sum, count) => sum + count, 0)).toBe(4);
});

test("packets are pushed again from the moment they are not shed any more", () => {
  using lab = new PacketLab({ rawMode: true });
  lab.run(frame(dns(1)));
  lab.kernel.shed({ packets: true, payload: true });
  lab.run(frame(dns(2)));
  lab.kernel.shed({ packets: false, payload: true });
  lab.run(frame(dns(3)));
  lab.kernel.shed(NOTHING);
  lab.run(frame(dns(4)));
  const packets = typesOf(lab).filter((type) => type === EVENT.AYAFLOW_EVENT_PACKET);
  expect(packets).toHaveLength(3);
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PACKET)).toBe(1);
});

test("without raw mode and inspection there is nothing to shed", () => {
  using lab = new PacketLab();
  lab.kernel.shed({ packets: true, payload: true });
  lab.run(frame(dns(1)));
  lab.run(frame(tcp(TCP.ack, pattern(100))));
  expect(lab.kernel.counters.losses().every((count) => count === 0)).toBe(true);
});

test("shed payload is counted and stays in the kernel; DNS comes again afterwards", () => {
  using lab = new PacketLab({ inspect: true });
  lab.kernel.shed({ packets: true, payload: true });
  for (let id = 0; id < 100; id++) lab.run(frame(dns(id)));
  lab.drain();
  expect(lab.payloads).toEqual([]);
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PAYLOAD)).toBe(100);
  lab.kernel.shed(NOTHING);
  lab.run(frame(dns(77)));
  lab.drain();
  expect(lab.payloads.map(({ bytes }) => bytes[0])).toEqual([77]);
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PAYLOAD)).toBe(100);
});

test("a side's budget is spent by what is shed: no more than that is counted, or handed over later", () => {
  using lab = new PacketLab({ inspect: true });
  lab.kernel.shed({ packets: false, payload: true });
  for (let index = 0; index < 100; index++) lab.run(frame(tcp(TCP.ack, pattern(10))));
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PAYLOAD)).toBe(ENUMS.ayaflow_limit.AYAFLOW_INSPECT_PACKETS);
  lab.kernel.shed(NOTHING);
  lab.run(frame(tcp(TCP.ack, pattern(10))));
  lab.drain();
  expect(lab.payloads).toEqual([]);
});

test("packets without payload are not counted as shed", () => {
  using lab = new PacketLab({ inspect: true });
  lab.kernel.shed({ packets: false, payload: true });
  lab.run(frame(tcp(TCP.syn)));
  lab.run(frame(tcp(TCP.ack)));
  expect(lost(lab, LOST.AYAFLOW_LOST_SHED_PAYLOAD)).toBe(0);
});
