import { ftruncateSync, writeSync } from "node:fs";
import { ENUMS, STRUCTS } from "../../../src/bpf/layout.gen.ts";
import { closeFd, memfd } from "../../../src/bpf/libc.ts";
import { Slots } from "../../../src/bpf/slots.ts";
import { ConnectionView } from "../../../src/flow/connections.ts";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import { FlowTable } from "../../../src/flow/table.ts";

const SLOT = STRUCTS.ayaflow_slot;
const KEY = STRUCTS.ayaflow_key;
const SIDE = STRUCTS.ayaflow_side;
const META = ENUMS.ayaflow_meta;
const INFO = ENUMS.ayaflow_info;
const ADDRESS_BYTES = 16;
const CAPACITY_STEP = 4096;
const GENERATION = 1;

/** A connection as the kernel would have counted it. */
export interface SlotContent {
  client: Uint8Array;
  server: Uint8Array;
  clientPort: number;
  serverPort: number;
  protocol: number;
  /** Index into `interfaces`, from 1. */
  ifindex: number;
  /** The client is side B of the key. */
  isClientB: boolean;
  isEgress: boolean;
  state: number;
  packets: [sent: number, received: number];
  bytes: [sent: number, received: number];
  retransmits: [sent: number, received: number];
  rttServerNs: number;
  rttClientNs: number;
  firstSeenMs: number;
  lastSeenMs: number;
  naming: Naming;
  generation: number;
}

export const CONTENT: SlotContent = {
  client: Uint8Array.of(10, 0, 0, 1),
  server: Uint8Array.of(192, 0, 2, 1),
  clientPort: 40_000,
  serverPort: 443,
  protocol: 6,
  ifindex: 1,
  isClientB: false,
  isEgress: true,
  state: 3,
  packets: [3, 2],
  bytes: [300, 2000],
  retransmits: [0, 0],
  rttServerNs: 0,
  rttClientNs: 0,
  firstSeenMs: 1000,
  lastSeenMs: 2000,
  naming: NO_NAMING,
  generation: GENERATION,
};

/** The bytes of one slot, side A first. */
function encode(of: SlotContent): Uint8Array {
  const out = new Uint8Array(SLOT.size);
  const view = new DataView(out.buffer);
  const isIpv6 = of.client.length === ADDRESS_BYTES;
  const [client, server] = of.isClientB ? ([1, 0] as const) : ([0, 1] as const);
  const put = (side: 0 | 1, address: Uint8Array, port: number) => {
    const at = side === 0 ? KEY.addr_a.offset : KEY.addr_b.offset;
    out.set(address, at + ADDRESS_BYTES - address.length);
    view.setUint16(side === 0 ? KEY.port_a.offset : KEY.port_b.offset, port, true);
  };
  put(client, of.client, of.clientPort);
  put(server, of.server, of.serverPort);
  const meta = of.protocol | (isIpv6 ? META.AYAFLOW_META_IPV6 : 0);
  view.setUint32(KEY.meta.offset, meta | (of.ifindex << META.AYAFLOW_META_IFINDEX_SHIFT), true);
  view.setUint32(SLOT.gen.offset, of.generation, true);
  const clientBits = of.isClientB ? INFO.AYAFLOW_INFO_CLIENT_B | INFO.AYAFLOW_INFO_FIRST_B : 0;
  out[SLOT.info.offset] = clientBits | (of.isEgress ? INFO.AYAFLOW_INFO_FIRST_EGRESS : 0);
  out[SLOT.state.offset] = of.state;
  view.setBigUint64(SLOT.first_ns.offset, BigInt(of.firstSeenMs) * 1_000_000n, true);
  view.setUint32(SLOT.last_jiffies.offset, of.lastSeenMs, true);
  view.setUint32(SLOT.rtt_server_ns.offset, of.rttServerNs, true);
  view.setUint32(SLOT.rtt_client_ns.offset, of.rttClientNs, true);
  for (const [index, side] of [client, server].entries()) {
    const counts = SLOT.count.offset + side * STRUCTS.ayaflow_counters.size;
    const { packets, bytes } = STRUCTS.ayaflow_counters;
    view.setBigUint64(counts + packets.offset, BigInt(of.packets[index] ?? 0), true);
    view.setBigUint64(counts + bytes.offset, BigInt(of.bytes[index] ?? 0), true);
    const detail = SLOT.side.offset + side * SIDE.size;
    view.setUint32(detail + SIDE.retransmits.offset, of.retransmits[index] ?? 0, true);
  }
  return out;
}

export interface Viewed {
  view: ConnectionView;
  table: FlowTable;
  /** What the kernel has counted by now in a slot that is in use. */
  write: (slot: number, content: SlotContent) => void;
  /** Connections that were retired, by their primaries. */
  retired: number[];
  /** Slots given back. */
  freed: number[];
}

/** The table and the view of `contents`, slot by slot, over memory as the kernel's map would give it. */
export function viewOf(
  stack: DisposableStack,
  contents: readonly SlotContent[],
  interfaces: readonly string[] = ["", "eth0", "eth1", "lo"],
): Viewed {
  const capacity = Math.ceil(contents.length / CAPACITY_STEP) * CAPACITY_STEP;
  const fd = memfd("slots");
  stack.defer(() => closeFd(fd));
  ftruncateSync(fd, capacity * SLOT.size);
  const write = (slot: number, content: SlotContent) =>
    void writeSync(fd, encode(content), 0, SLOT.size, slot * SLOT.size);
  for (const [slot, content] of contents.entries()) write(slot, content);
  const slots = new Slots(fd, capacity);
  stack.defer(() => slots.close());
  const [retired, freed]: [number[], number[]] = [[], []];
  const free = (slot: number) => {
    slots.clear(slot);
    freed.push(slot);
  };
  const table = new FlowTable(
    { slots, retire: (slot) => slots.hide(slot), free },
    { capacity, timeoutMs: 60_000, opened() {}, retired: (primary) => void retired.push(primary) },
    0,
  );
  for (const slot of contents.keys()) table.open(slot, GENERATION, 0);
  const view = new ConnectionView(
    table,
    { fromBootNs: (ns) => ns / 1e6, fromJiffies: (low) => low },
    (ifindex) => interfaces[ifindex] ?? "",
    (slot) => contents[slot]?.naming ?? NO_NAMING,
  );
  return { view, table, write, retired, freed };
}
