/** Connections with several observation points: what they count, and how they leave. */
import { afterAll, describe, expect, test } from "bun:test";
import { parseFilter } from "../../../src/filter/parse.ts";
import { Monitor, type MonitorOptions } from "../../../src/flow/monitor.ts";
import { endUnseen } from "../../../src/flow/departure.ts";
import { OnceTotals } from "../../../src/flow/once-totals.ts";
import type { FlowTable } from "../../../src/flow/table.ts";
import type { LiveSort } from "../../../src/flow/types.ts";
import { CONTENT, type SlotContent, viewOf } from "./slots.fixture.ts";

const stack = new DisposableStack();
afterAll(() => stack.dispose());

const INTERFACES = ["", "veth1", "br0", "eth0"];
const ascending = (a: number, b: number) => a - b;
const TIMEOUT_MS = 60_000;
const CLOSED = 5;

/** The same connection at an interface. */
function at(ifindex: number, changes: Partial<SlotContent> = {}): SlotContent {
  return { ...CONTENT, ifindex, ...changes };
}

const viewed = (...contents: SlotContent[]) => viewOf(stack, contents, INTERFACES);

function sweep(table: FlowTable, nowMs: number): number[] {
  const changed: number[] = [];
  while (
    table.sweep(
      () => nowMs,
      Infinity,
      (slot) => changed.push(slot),
    )
  );
  while (table.tidy(() => true));
  return changed;
}

describe("a connection at several points", () => {
  test("has of each side what the point has that saw the most", () => {
    const { view, table } = viewed(
      at(1, { packets: [5, 1], bytes: [500, 10], isEgress: false }),
      at(2, { packets: [3, 4], bytes: [900, 40], isEgress: false }),
      at(3, { packets: [4, 4], bytes: [400, 44], retransmits: [2, 0], rttServerNs: 30, rttClientNs: 12 }),
    );
    const { connections, matched } = view.live({ limit: 10, sort: "bytes" });
    expect(matched).toBe(1);
    expect(connections[0]).toMatchObject({
      id: "0-1",
      interface: "veth1",
      direction: "ingress",
      sent: { packets: 5, bytes: 900 },
      received: { packets: 4, bytes: 44 },
      retransmitsSent: 2,
      rttNs: 42,
      observationPoints: [
        {
          interface: "veth1",
          direction: "ingress",
          sent: { packets: 5, bytes: 500 },
          received: { packets: 1, bytes: 10 },
        },
        { interface: "br0", direction: "ingress", sent: { packets: 3 }, received: { packets: 4 } },
        { interface: "eth0", direction: "egress", sent: { packets: 4 }, received: { packets: 4 } },
      ],
    });
    expect(table.sums.duplicates()).toEqual({ packets: 21 - 9, bytes: 1894 - 944 });
    expect([table.active(), table.size]).toEqual([1, 3]);
  });

  test("is found by the id of each, and by each interface", () => {
    const { view } = viewed(at(1), at(3), at(2, { clientPort: 1 }));
    expect(view.find("0-1")?.id).toBe("0-1");
    expect(view.find("1-1")?.id).toBe("0-1");
    expect(view.find("2-1")?.id).toBe("2-1");
    const found = (text: string) => {
      const filter = parseFilter(text);
      if (filter === null) throw new Error("no filter");
      return view.live({ limit: 10, sort: "first_seen", filter }).matched;
    };
    expect(["veth1", "eth0", "br0", "*", "eth*", "veth1/eth0"].map((name) => found(`iface ${name}`))).toEqual(
      [1, 1, 1, 2, 1, 0],
    );
    expect(view.live({ limit: 10, sort: "bytes", interface: "eth0" }).matched).toBe(1);
  });

  test("is ordered by what it has as a whole", () => {
    const big = { packets: [1, 90], bytes: [1, 9000], clientPort: 7, lastSeenMs: 1500 } as const;
    const small = { packets: [50, 50], bytes: [60, 60], clientPort: 8 } as const;
    const { view } = viewed(
      at(1, small as Partial<SlotContent>),
      at(1, { ...(big as Partial<SlotContent>), packets: [100, 1] }),
      at(2, { ...(big as Partial<SlotContent>), lastSeenMs: 9000, retransmits: [0, 3] }),
    );
    for (const sort of ["packets", "bytes", "packets_received", "last_seen", "retransmits"] as LiveSort[]) {
      expect(view.live({ limit: 1, sort }).connections[0]?.clientPort).toBe(7);
    }
  });

  test("has its rate once, each side from where it is seen", () => {
    const { table, write, view } = viewed(at(1, { packets: [10, 0] }), at(2, { packets: [0, 10] }));
    sweep(table, 1000);
    write(0, at(1, { packets: [14, 0], bytes: [400, 2000] }));
    write(1, at(2, { packets: [0, 16], bytes: [300, 4000] }));
    expect(sweep(table, 3000)).toEqual([0, 1]);
    const [connection] = view.live({ limit: 1, sort: "rate" }).connections;
    expect([connection?.packetsPerSecond, connection?.bytesPerSecond]).toEqual([5, 1050]);
    expect(table.duplicates).toEqual(table.sums.duplicates());
  });

  test("stays as long as one point sees packets, and leaves as a whole", () => {
    const { table, write, view, retired, freed } = viewed(at(1), at(2), at(3));
    sweep(table, 0);
    write(2, at(3, { packets: [4, 2] }));
    sweep(table, TIMEOUT_MS);
    sweep(table, TIMEOUT_MS + 1);
    expect([table.active(), view.live({ limit: 1, sort: "packets" }).connections[0]?.sent.packets]).toEqual([
      1, 4,
    ]);
    const before = table.sums.duplicates();
    sweep(table, 2 * TIMEOUT_MS);
    expect([retired, freed, table.size, table.active()]).toEqual([[], [], 3, 0]);
    sweep(table, 2 * TIMEOUT_MS + 1000);
    expect([retired, freed.toSorted(ascending), table.size]).toEqual([[0], [0, 1, 2], 0]);
    expect(table.sums.duplicates()).toEqual(before);
  });

  test("begins anew while the old one is on its way out", () => {
    const { table, write, retired, view } = viewed(at(1), at(2));
    sweep(table, 0);
    sweep(table, TIMEOUT_MS);
    // Found by no look-up any more: the kernel has given the next packet another slot.
    write(2, at(1, { packets: [1, 0] }));
    expect(table.open(2, 1, TIMEOUT_MS)).toBe(true);
    expect(table.points.isPrimary(2)).toBe(true);
    sweep(table, TIMEOUT_MS + 1000);
    expect([retired, table.size, view.find("2-1")?.sent.packets]).toEqual([[0], 1, 1]);
  });

  test("begins anew when no interface that saw it is watched any more", () => {
    const { table, write, view } = viewed(at(1, { packets: [5, 5] }), at(2, { packets: [5, 5] }));
    const before = table.sums.duplicates();
    endUnseen(table, 1, (ifindex) => ifindex === 2);
    write(2, at(3, { packets: [2, 0] }));
    table.open(2, 1, 0);
    expect(table.points.primary(2)).toBe(0);

    endUnseen(table, 2, (ifindex) => ifindex === 9);
    expect(table.points.primary(2)).toBe(0);
    endUnseen(table, 3, () => false);
    write(3, at(1, { packets: [1, 0] }));
    table.open(3, 1, 0);
    expect(table.points.isPrimary(3)).toBe(true);
    expect(view.live({ limit: 10, sort: "packets" }).connections.map(({ sent }) => sent.packets)).toEqual([
      5, 1,
    ]);
    expect(table.sums.duplicates()).toEqual({
      ...before,
      packets: before.packets + 2,
      bytes: expect.any(Number),
    });
  });

  test("goes on when a packet comes between the sweep and its retirement", () => {
    const { table, write, retired } = viewed(at(1), at(2));
    sweep(table, 0);
    while (table.sweep(() => TIMEOUT_MS, Infinity));
    write(1, at(2, { packets: [9, 2] }));
    while (table.tidy(() => true));
    sweep(table, TIMEOUT_MS + 1000);
    sweep(table, TIMEOUT_MS + 2000);
    expect([retired, table.active()]).toEqual([[], 1]);
  });

  test("that is closed leaves early only under pressure, when one point saw the end and all are quiet", () => {
    const crowd = Array.from({ length: 2100 }, (_, index) => at(1, { clientPort: 100 + index }));
    const { table, write, retired } = viewed(at(1), at(2, { state: CLOSED }), ...crowd);
    sweep(table, 0);
    write(0, at(1, { packets: [8, 8] }));
    sweep(table, 1000);
    expect(table.active()).toBe(2101);
    sweep(table, 2000);
    sweep(table, 3000);
    expect(retired).toEqual([0]);
  });

  test("is another one when the slot of its first point was none", () => {
    const { table, write, view, retired } = viewed(at(1), at(1, { packets: [7, 0] }), at(2));
    // The kernel gave the first one back, and has used it again.
    write(0, at(3, { clientPort: 9 }));
    table.kernel.slots.clear(0);
    write(0, at(3, { clientPort: 9, generation: 2 }));
    expect(table.open(0, 2, 0)).toBe(true);
    expect(view.live({ limit: 10, sort: "client" }).matched).toBe(2);
    expect(view.find("1-1")?.observationPoints.map((point) => point.interface)).toEqual(["veth1", "br0"]);
    sweep(table, 0);
    sweep(table, TIMEOUT_MS);
    sweep(table, TIMEOUT_MS + 1000);
    expect([retired.toSorted(ascending), table.size]).toEqual([[0, 1], 0]);
  });
});

test("the stream tells a connection once, whichever of its points changed", () => {
  const { view, table } = viewed(at(1), at(2), at(3), at(1, { clientPort: 9 }));
  const nothing = { packets: 0, bytes: 0 };
  const monitor = new Monitor({
    table,
    view,
    counters: { read: () => [], seen: () => nothing, losses: () => [] },
    ring: { usedBytes: () => 0, sizeBytes: 0 },
    interfaces: () => [],
    departed: { read: () => [] },
    watch: { changes: {}, reasons: () => [] },
    catchUp() {},
    otherLosses: () => [],
    restraint: { state: () => ({}), reasons: () => [] },
    now: () => 0,
  } as unknown as MonitorOptions);
  const told: string[][][] = [];
  monitor.onSweep(({ opened, updated }) => told.push([opened, updated].map((of) => of.map(({ id }) => id))));
  monitor.swept([0, 3], [0, 1, 2, 3], []);
  monitor.swept([], [2, 1], []);
  // Nothing is in that slot any more.
  monitor.swept([77], [78], []);
  expect(told).toEqual([
    [["0-1", "3-1"], []],
    [[], ["0-1"]],
    [[], []],
  ]);
});

test("totals of each packet once never go back", () => {
  const once = new OnceTotals();
  const of = (packets: number) => ({ packets, bytes: packets * 10 });
  expect(once.update(of(30), of(24), of(12)).total).toEqual(of(18));
  // The second point's packets were read a little later.
  const next = once.update(of(31), of(25), of(14));
  expect([next.total, next.attributed, next.duplicates]).toEqual([of(18), of(12), of(14)]);
  expect(once.update(of(40), of(34), of(16)).total).toEqual(of(24));
});
