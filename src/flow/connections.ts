import { handshakeNs, splitMeta } from "../bpf/slots.ts";
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
import { type Connection, type LiveQuery, TCP_STATES, type WallClock } from "./types.ts";
import { directionName, wireAddress } from "./wire.ts";

function readAddress(_parameter: string, text: string): { first: Uint8Array; last: Uint8Array } {
  const range = networkRange(text);
  if (range !== null) return range;
  throw new AyaflowError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
}

/** Makes connection records of slots, on demand. */
export class ConnectionView {
  readonly subjects: readonly [SlotSubject, SlotSubject];
  private readonly counters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  private readonly order = new SlotOrder();

  constructor(
    readonly table: FlowTable,
    readonly clock: WallClock,
    private readonly interfaceName: (ifindex: number) => string,
    private readonly naming: (slot: number) => Naming,
  ) {
    const subject = () => new SlotSubject(table, interfaceName, naming);
    this.subjects = [subject(), subject()];
  }

  /** The record of a live slot, counters read now. */
  connection(slot: number): Connection {
    const { slots } = this.table.kernel;
    const detail = slots.detail(slot);
    const { protocol, ipv6, ifindex } = splitMeta(this.table.meta(slot));
    slots.counters(slot, this.counters);
    const { packetsA, bytesA, packetsB, bytesB } = this.counters;
    const a = { packets: packetsA, bytes: bytesA };
    const b = { packets: packetsB, bytes: bytesB };
    const client = detail.client;
    const server = 1 - client;
    const addresses = [detail.addressA, detail.addressB].map((bytes) =>
      formatAddress(wireAddress(bytes, ipv6)),
    );
    const ports = [detail.portA, detail.portB];
    const firstSeenMs = this.clock.fromBootNs(detail.firstBootNs);
    return {
      id: `${slot}-${slots.generation(slot)}`,
      interface: this.interfaceName(ifindex),
      protocol,
      clientAddress: addresses[client] ?? "",
      clientPort: ports[client] ?? 0,
      serverAddress: addresses[server] ?? "",
      serverPort: ports[server] ?? 0,
      direction: directionName(detail.clientDirection),
      state: TCP_STATES[detail.state] ?? "none",
      sent: client === 0 ? a : b,
      received: client === 0 ? b : a,
      packetsPerSecond: this.table.packetRate[slot] ?? 0,
      bytesPerSecond: this.table.byteRate[slot] ?? 0,
      flagsSent: detail.flags[client] ?? 0,
      flagsReceived: detail.flags[server] ?? 0,
      rttNs: handshakeNs(detail),
      rttServerNs: detail.rttServerNs || null,
      rttClientNs: detail.rttClientNs || null,
      retransmitsSent: detail.retransmits[client] ?? 0,
      retransmitsReceived: detail.retransmits[server] ?? 0,
      outOfOrderSent: detail.outOfOrder[client] ?? 0,
      outOfOrderReceived: detail.outOfOrder[server] ?? 0,
      firstSeenMs,
      // A tick is coarser than the first packet's time.
      lastSeenMs: Math.max(firstSeenMs, this.clock.fromJiffies(detail.lastJiffies)),
      naming: this.naming(slot),
    };
  }

  /** The live connection of an id; null when there is none. */
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
      if (!matches(slot)) continue;
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
