import { compareAddresses } from "../filter/addresses.ts";
import { handshakeNs, type SideCounters } from "../bpf/slots.ts";
import { protocolName } from "./protocol.ts";
import type { SlotComparison } from "./slot-order.ts";
import type { SlotSubject } from "./slot-subject.ts";
import type { FlowTable } from "./table.ts";
import type { LiveSort, WallClock } from "./types.ts";

/** How connections, given by their primary slots, are ordered, ascending. */
export interface SlotSort {
  /** NaN where there is nothing to order by: last, whichever way. */
  key: (slot: number) => number;
  /** Of slots whose keys are equal. */
  tie: SlotComparison;
}

export interface SortSource {
  table: FlowTable;
  clock: WallClock;
  /** Two, so that slots can be compared. */
  subjects: readonly [SlotSubject, SlotSubject];
}

/** Characters and bytes that fit in a key, which is exact up to 53 bits. */
const KEY_BYTES = 6;
const IPV6_FLOOR = 2 ** (8 * KEY_BYTES);
const PORT_RANGE = 2 ** 16;

const ALIKE: SlotComparison = () => 0;

function bytesKey(byteAt: (index: number) => number): number {
  let key = 0;
  for (let index = 0; index < KEY_BYTES; index++) key = key * 256 + byteAt(index);
  return key;
}

/** By the characters of a text: the first few as the key, the whole where those are the same. */
function byText(text: (slot: number) => string | null): SlotSort {
  return {
    key: (slot) => {
      const found = text(slot);
      if (found === null) return Number.NaN;
      return bytesKey((index) => (index < found.length ? Math.min(255, found.charCodeAt(index)) : 0));
    },
    tie: (a, b) => {
      const [first, second] = [text(a) ?? "", text(b) ?? ""];
      return first === second ? 0 : first < second ? -1 : 1;
    },
  };
}

/** By the bytes of an address, IPv4 first, then by port. */
function byAddress({ subjects }: SortSource, end: "client" | "server"): SlotSort {
  const port = end === "client" ? "clientPort" : "serverPort";
  const [one, other] = subjects;
  return {
    key: (slot) => {
      const address = one.moveTo(slot)[end];
      const isIpv6 = address.length > KEY_BYTES;
      const key = bytesKey((index) => address[index] ?? 0);
      // Four bytes and room for a port fill the key of an IPv4 end.
      return isIpv6 ? IPV6_FLOOR + key : key + (one[port] % PORT_RANGE);
    },
    tie: (a, b) => {
      one.moveTo(a);
      other.moveTo(b);
      return compareAddresses(one[end], other[end]) || one[port] - other[port];
    },
  };
}

function byNumber(key: (slot: number) => number): SlotSort {
  return { key, tie: ALIKE };
}

/** By counters: `of` is given them with those of the client first. */
function byCounters(
  { table }: SortSource,
  of: (sent: number, received: number) => number,
  unit: "packets" | "bytes",
): SlotSort {
  const { sums, kernel } = table;
  const counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  return byNumber((slot) => {
    sums.counters(slot, counters);
    const a = unit === "packets" ? counters.packetsA : counters.bytesA;
    const b = unit === "packets" ? counters.packetsB : counters.bytesB;
    return kernel.slots.client(slot) === 0 ? of(a, b) : of(b, a);
  });
}

const both = (sent: number, received: number) => sent + received;
const onlySent = (sent: number) => sent;
const onlyReceived = (_sent: number, received: number) => received;

/** The order that a query asks for. */
export function slotSort(sort: LiveSort, source: SortSource): SlotSort {
  const { table, clock, subjects } = source;
  const { sums } = table;
  const [subject] = subjects;
  switch (sort) {
    case "packets":
    case "bytes":
      return byCounters(source, both, sort);
    case "packets_sent":
      return byCounters(source, onlySent, "packets");
    case "packets_received":
      return byCounters(source, onlyReceived, "packets");
    case "bytes_sent":
      return byCounters(source, onlySent, "bytes");
    case "bytes_received":
      return byCounters(source, onlyReceived, "bytes");
    case "rate":
      return byNumber((slot) => table.bytesPerSecond(slot));
    case "rtt":
      return byNumber((slot) => handshakeNs(sums.handshake(slot)) ?? Number.NaN);
    case "retransmits":
      return byNumber((slot) => sums.retransmits(slot, 0) + sums.retransmits(slot, 1));
    case "first_seen":
      return byNumber((slot) => sums.firstSeenMs(slot, clock));
    case "last_seen":
      return byNumber((slot) => sums.lastSeenMs(slot, clock));
    case "client":
    case "server":
      return byAddress(source, sort);
    case "server_port":
      return byNumber((slot) => subject.moveTo(slot).serverPort);
    case "domain":
      return byText((slot) => subject.moveTo(slot).domain);
    case "interface":
      return byText((slot) => subject.moveTo(slot).interface);
    case "protocol":
      return byText((slot) => protocolName(subject.moveTo(slot).protocol));
    case "state":
      return byNumber((slot) => table.kernel.slots.state(slot));
  }
}
