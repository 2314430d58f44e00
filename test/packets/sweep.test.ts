/** The live table over the real kernel's: what a sweep reads, whatever happens between its parts. */
import { expect, test } from "bun:test";
import { BLOCK_SLOTS } from "../../src/bpf/slots.ts";
import { FlowTable } from "../../src/flow/table.ts";
import { frame, TCP } from "../support/frames.ts";
import { PacketLab } from "./harness.ts";

const BLOCKS = 3;
const CAPACITY = BLOCKS * BLOCK_SLOTS;
const TIMEOUT_MS = 10_000;
const START_MS = 5000;
const { rst } = TCP;

/** A packet of flow number `flow`. */
function packet(flow: number): Uint8Array {
  const transport = { kind: "udp", sourcePort: 1000 + flow, destinationPort: 53 } as const;
  return frame({ source: "10.0.0.1", destination: "10.0.0.2", transport });
}

/** The table of a lab whose clock the test sets. */
class TableLab extends PacketLab {
  nowMs = START_MS;
  readonly retired: number[] = [];
  readonly table: FlowTable;

  constructor() {
    super({ connections: CAPACITY });
    const retired = (slot: number) => void this.retired.push(slot);
    const options = { capacity: CAPACITY, timeoutMs: TIMEOUT_MS, opened() {}, retired };
    this.table = new FlowTable(this.kernel, options, START_MS);
  }

  /** One packet of each flow from `from` on; what that opens is taken up. */
  send(from: number, to: number): void {
    for (let flow = from; flow < to; flow++) this.run(packet(flow));
    for (const { slot, gen } of this.drain().splice(0)) this.table.open(slot, gen, this.nowMs);
  }

  /** Reads one block more. Returns whether some are left, and the slots that had changed. */
  readBlock(): { isLeft: boolean; changed: number[] } {
    const changed: number[] = [];
    let looks = 0;
    // The first look finds time left, the second none.
    const clock = () => this.nowMs + (looks++ > 0 ? 1 : 0);
    const isLeft = this.table.sweep(clock, this.nowMs + 1, (slot) => changed.push(slot));
    return { isLeft, changed };
  }

  /** A whole sweep. Returns the slots that had changed. */
  sweep(): number[] {
    const changed: number[] = [];
    while (
      this.table.sweep(
        () => this.nowMs,
        Infinity,
        (slot) => changed.push(slot),
      )
    );
    return changed;
  }

  tidy(): void {
    while (this.table.tidy(() => true));
  }
}

test("a sweep in parts reads every connection once, also those opened between the parts", () => {
  using lab = new TableLab();
  lab.send(0, 2 * BLOCK_SLOTS);
  const first = lab.readBlock();
  expect([first.isLeft, first.changed.length, first.changed.at(-1)]).toEqual([
    true,
    BLOCK_SLOTS,
    BLOCK_SLOTS - 1,
  ]);
  lab.send(2 * BLOCK_SLOTS, 2 * BLOCK_SLOTS + 5);
  const second = lab.readBlock();
  expect([second.isLeft, second.changed.length, second.changed[0]]).toEqual([true, BLOCK_SLOTS, BLOCK_SLOTS]);
  const third = lab.readBlock();
  expect(third.changed).toEqual([0, 1, 2, 3, 4].map((flow) => 2 * BLOCK_SLOTS + flow));
  expect([third.isLeft, lab.table.size]).toEqual([false, 2 * BLOCK_SLOTS + 5]);
  expect(lab.sweep()).toEqual([]);
});

test("rates are over the time between two readings of the same connection", () => {
  using lab = new TableLab();
  const [early, late] = [0, BLOCK_SLOTS];
  lab.send(0, BLOCK_SLOTS + 1);
  lab.sweep();
  const read = (afterMs: number) => {
    lab.nowMs += afterMs;
    lab.readBlock();
  };
  for (let sent = 0; sent < 8; sent++) lab.run(packet(0));
  for (let sent = 0; sent < 8; sent++) lab.run(packet(BLOCK_SLOTS));
  read(2000);
  read(2000);
  const { packetRate, byteRate } = lab.table;
  const size = packet(0).length;
  expect([packetRate[early], packetRate[late]]).toEqual([4, 2]);
  expect([byteRate[early], byteRate[late]]).toEqual([4 * size, 2 * size]);
  for (let sent = 0; sent < 8; sent++) lab.run(packet(0));
  for (let sent = 0; sent < 8; sent++) lab.run(packet(BLOCK_SLOTS));
  // The first was last read 2 s before the other.
  read(2000);
  read(0);
  expect([packetRate[early], packetRate[late]]).toEqual([2, 4]);
});

test("the first rate of a connection is over the time since the last sweep, wherever it lies", () => {
  using lab = new TableLab();
  lab.sweep();
  lab.nowMs += 60_000;
  lab.sweep();
  lab.send(0, BLOCK_SLOTS + 1);
  lab.nowMs += 500;
  lab.sweep();
  expect([lab.table.packetRate[0], lab.table.packetRate[BLOCK_SLOTS]]).toEqual([2, 2]);
  lab.nowMs += 500;
  lab.sweep();
  expect([lab.table.packetRate[0], lab.table.packetRate[BLOCK_SLOTS]]).toEqual([0, 0]);
});

test("what is idle for the timeout is retired, and what is not stays", () => {
  using lab = new TableLab();
  lab.send(0, 2);
  lab.sweep();
  lab.nowMs += TIMEOUT_MS - 1;
  lab.run(packet(1));
  lab.sweep();
  lab.tidy();
  lab.nowMs += 1;
  lab.sweep();
  lab.tidy();
  expect([lab.retired, lab.table.active()]).toEqual([[], 1]);
  lab.sweep();
  lab.tidy();
  expect([lab.retired, lab.table.size, lab.connections().length]).toEqual([[0], 1, 1]);
});

test("connections that are closed leave at once when more than half of the table is in use", () => {
  using lab = new TableLab();
  const reset = (flow: number) =>
    frame({
      source: "10.0.0.1",
      destination: "10.0.0.2",
      transport: { kind: "tcp", sourcePort: 1000 + flow, destinationPort: 443, flags: rst },
    });
  lab.run(reset(0));
  lab.send(0, CAPACITY / 2 - 1);
  lab.sweep();
  lab.sweep();
  lab.tidy();
  expect([lab.table.size, lab.table.active()]).toEqual([CAPACITY / 2, CAPACITY / 2 - 1]);
  lab.send(CAPACITY / 2 - 1, CAPACITY / 2);
  for (let sweep = 0; sweep < 3; sweep++) {
    lab.sweep();
    lab.tidy();
  }
  expect([lab.retired, lab.table.size]).toEqual([[0], CAPACITY / 2]);
});

test("sums of a block are those of its slots one by one, and of those that are wanted only", () => {
  using lab = new TableLab();
  const reply = (flow: number) =>
    frame({
      source: "10.0.0.2",
      destination: "10.0.0.1",
      transport: { kind: "udp", sourcePort: 53, destinationPort: 1000 + flow, payload: new Uint8Array(100) },
    });
  lab.send(0, BLOCK_SLOTS + 3);
  for (let flow = BLOCK_SLOTS; flow < BLOCK_SLOTS + 3; flow++) lab.run(reply(flow));
  const wanted = new Uint8Array(CAPACITY).fill(1);
  wanted[BLOCK_SLOTS + 1] = 0;
  const [packets, bytes] = [new Float64Array(BLOCK_SLOTS), new Float64Array(BLOCK_SLOTS)];
  lab.kernel.slots.sums(1, wanted, packets, bytes);
  const both = packet(0).length + reply(0).length;
  expect([...packets.subarray(0, 4)]).toEqual([2, 0, 2, 0]);
  expect([...bytes.subarray(0, 4)]).toEqual([both, 0, both, 0]);
});

test("all that was seen is the sum over classes and directions", () => {
  using lab = new TableLab();
  lab.run(packet(0), { direction: "egress" });
  lab.run(packet(1));
  lab.run(new Uint8Array(64));
  const { packets, bytes } = lab.totals();
  expect(packets).toBe(3);
  expect(lab.kernel.counters.seen([0])).toEqual({ packets, bytes });
  expect(lab.kernel.counters.seen([0, 1])).toEqual({ packets, bytes });
  expect(lab.kernel.counters.seen([])).toEqual({ packets: 0, bytes: 0 });
});
