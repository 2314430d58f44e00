import { handshakeNs, type SideCounters, type SlotDetail, splitMeta } from "../bpf/slots.ts";
import { AyaflowError } from "../errors.ts";
import { allTests, parameterTests } from "../filter/parameters.ts";
import { compilePredicate } from "../filter/predicate.ts";
import { formatAddress } from "./address.ts";
import type { Naming } from "./naming.ts";
import { networkRange } from "./network.ts";
import { SlotOrder } from "./slot-order.ts";
import { slotSort } from "./slot-sorts.ts";
import { SlotSubject } from "./slot-subject.ts";
import type { FlowTable } from "./table.ts";
import {
  type Connection,
  type Counters,
  type LiveQuery,
  type ObservationPoint,
  TCP_STATES,
  type WallClock,
} from "./types.ts";
import { directionName, wireAddress } from "./wire.ts";

function readAddress(_parameter: string, text: string): { first: Uint8Array; last: Uint8Array } {
  const range = networkRange(text);
  if (range !== null) return range;
  throw new AyaflowError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
}

function sideOf({ packetsA, bytesA, packetsB, bytesB }: SideCounters, side: 0 | 1): Counters {
  return side === 0 ? { packets: packetsA, bytes: bytesA } : { packets: packetsB, bytes: bytesB };
}

/** What another point of a connection knows besides, or better: as PointSums has it. */
function addDetail(into: SlotDetail, other: SlotDetail): void {
  for (const side of [0, 1] as const) {
    into.flags[side] |= other.flags[side];
    into.retransmits[side] = Math.max(into.retransmits[side], other.retransmits[side]);
    into.outOfOrder[side] = Math.max(into.outOfOrder[side], other.outOfOrder[side]);
  }
}

/** Makes connection records of slots, on demand. */
export class ConnectionView {
  readonly subjects: readonly [SlotSubject, SlotSubject];
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  private readonly order = new SlotOrder();

  constructor(
    readonly table: FlowTable,
    readonly clock: WallClock,
    private readonly interfaceName: (ifindex: number) => string,
    /** By primary. */
    private readonly naming: (primary: number) => Naming,
  ) {
    const subject = () => new SlotSubject(table, interfaceName, naming);
    this.subjects = [subject(), subject()];
  }

  /** The record of a live connection, by any of its slots; counters read now. */
  connection(slot: number): Connection {
    const { sums, points, kernel } = this.table;
    const primary = points.primary(slot);
    const detail = kernel.slots.detail(primary);
    const { protocol, ipv6 } = splitMeta(this.table.meta(primary));
    const { client, clientDirection, state } = detail;
    const server = client === 0 ? 1 : 0;
    const observationPoints: ObservationPoint[] = [];
    points.each(primary, (point) => {
      observationPoints.push(this.observationPoint(point, client));
      if (point !== primary) addDetail(detail, kernel.slots.detail(point));
    });
    sums.counters(primary, this.counters);
    const { rttServerNs, rttClientNs } = sums.handshake(primary);
    const address = (side: 0 | 1) =>
      formatAddress(wireAddress(side === 0 ? detail.addressA : detail.addressB, ipv6));
    const port = (side: 0 | 1) => (side === 0 ? detail.portA : detail.portB);
    return {
      id: `${primary}-${kernel.slots.generation(primary)}`,
      interface: observationPoints[0]?.interface ?? "",
      observationPoints,
      protocol,
      clientAddress: address(client),
      clientPort: port(client),
      serverAddress: address(server),
      serverPort: port(server),
      direction: directionName(clientDirection),
      state: TCP_STATES[state] ?? "none",
      sent: sideOf(this.counters, client),
      received: sideOf(this.counters, server),
      packetsPerSecond: this.table.packetsPerSecond(primary),
      bytesPerSecond: this.table.bytesPerSecond(primary),
      flagsSent: detail.flags[client],
      flagsReceived: detail.flags[server],
      rttNs: handshakeNs({ rttServerNs, rttClientNs }),
      rttServerNs: rttServerNs || null,
      rttClientNs: rttClientNs || null,
      retransmitsSent: detail.retransmits[client],
      retransmitsReceived: detail.retransmits[server],
      outOfOrderSent: detail.outOfOrder[client],
      outOfOrderReceived: detail.outOfOrder[server],
      firstSeenMs: sums.firstSeenMs(primary, this.clock),
      lastSeenMs: sums.lastSeenMs(primary, this.clock),
      naming: this.naming(primary),
    };
  }

  private observationPoint(point: number, client: 0 | 1): ObservationPoint {
    const { slots } = this.table.kernel;
    slots.counters(point, this.counters);
    return {
      interface: this.interfaceName(splitMeta(this.table.meta(point)).ifindex),
      direction: directionName(slots.direction(point, client)),
      sent: sideOf(this.counters, client),
      received: sideOf(this.counters, client === 0 ? 1 : 0),
    };
  }

  /** The live connection of an id, also that of a point which is not its first; null when there is none. */
  find(id: string): Connection | null {
    const [slot = -1, generation = -1] = (/^\d{1,10}-\d{1,10}$/.test(id) ? id.split("-") : []).map(Number);
    return slot >= 0 && this.table.holds(slot, generation) ? this.connection(slot) : null;
  }

  /** Live connections that match, in the asked order, and how many matched in all. @throws AyaflowError for a bad `ip`. */
  live(query: LiveQuery): { connections: Connection[]; matched: number } {
    const { table, order } = this;
    const matches = this.matcher(query);
    const sort = slotSort(query.sort, this);
    const sign = query.order === "asc" ? 1 : -1;
    order.reset(table.size);
    for (let index = 0; index < table.size; index++) {
      const slot = table.live[index] ?? 0;
      if (!table.points.isPrimary(slot) || !matches(slot)) continue;
      const found = sort.key(slot);
      order.add(slot, Number.isNaN(found) ? Infinity : sign * found);
    }
    const picked = order.pick(query.offset ?? 0, query.limit, (a, b) => sign * sort.tie(a, b));
    return { connections: picked.map((slot) => this.connection(slot)), matched: order.size };
  }

  private matcher(query: LiveQuery): (slot: number) => boolean {
    const expression = allTests(parameterTests(query, readAddress), query.filter);
    if (expression === null) return () => true;
    const holds = compilePredicate(expression);
    const [subject] = this.subjects;
    return (slot) => holds(subject.moveTo(slot));
  }
}
