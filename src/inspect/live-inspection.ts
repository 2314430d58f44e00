import { ENUMS } from "../bpf/layout.gen.ts";
import type { KernelPayload } from "../bpf/ring.ts";
import { splitMeta } from "../bpf/slots.ts";
import { formatAddress } from "../flow/address.ts";
import { wireAddress } from "../flow/wire.ts";
import type { FlowTable } from "../flow/table.ts";
import type { ConnectionNames, NamingUpdate } from "./connection-names.ts";
import { type ConnectionOwner, Inspector } from "./inspector.ts";
import type { Side, Wanted } from "./packet.ts";
import type { Ends, Lookup } from "./types.ts";

const FRAGMENT = ENUMS.ayaflow_fragment;

export interface LiveInspectionOptions {
  table: FlowTable;
  names: ConnectionNames;
  interfaceName: (ifindex: number) => string;
  fromBootNs: (ns: number) => number;
  /** Monotonic milliseconds; milliseconds since the epoch. */
  now: () => number;
  wallMs: () => number;
  lookup: (lookup: Lookup) => void;
}

/** Looks into the payload that the kernel hands over; a connection's number is its slot. */
export class LiveInspection implements ConnectionOwner {
  readonly inspector = new Inspector(this);
  /** Payloads whose connection had gone by the time they were read. */
  stalePayloads = 0;
  /** By slot and side: where its TCP stream starts, as far as payload told. */
  private readonly starts: Uint32Array;
  /** By slot: its connection's inspection has ended. */
  private readonly ended: Uint8Array;

  constructor(private readonly options: LiveInspectionOptions) {
    this.starts = new Uint32Array(options.table.live.length * 2);
    this.ended = new Uint8Array(options.table.live.length);
  }

  payload(payload: KernelPayload): void {
    const { table } = this.options;
    const { slot, gen, side, startSequence, fragment } = payload;
    if (!table.holds(slot, gen) && !table.open(slot, gen, this.options.now())) {
      this.stalePayloads++;
      return;
    }
    const { slots } = table.kernel;
    if (slots.isInspectionStopped(slot)) return;
    // The kernel begins anew with another connection only.
    if (this.isOfAnother(slot, side, startSequence) || this.ended[slot] === 1) this.restart(slot);
    const isFragment = fragment !== FRAGMENT.AYAFLOW_FRAGMENT_NONE;
    this.inspector.packet({
      connection: slot,
      side,
      sourcePort: slots.port(slot, side),
      destinationPort: slots.port(slot, side === 0 ? 1 : 0),
      protocol: payload.protocol,
      timeMs: this.options.fromBootNs(payload.bootNs),
      sequence: payload.sequence,
      start: startSequence === 0 ? null : startSequence,
      fragment: isFragment
        ? {
            id: payload.fragmentId,
            offset: payload.fragmentOffset,
            more: fragment !== FRAGMENT.AYAFLOW_FRAGMENT_LAST,
          }
        : null,
      segment: payload.segment,
      bytes: payload.bytes,
      length: payload.length,
    });
  }

  /** A connection was taken up: its server may be known by an answer seen before. */
  opened(slot: number): void {
    const { table, names, interfaceName, wallMs } = this.options;
    const { ifindex } = splitMeta(table.meta(slot));
    const address = serverAddress(table, slot);
    const domain = this.inspector.addresses.find(interfaceName(ifindex), address, wallMs());
    if (domain !== null) names.learn(slot, { domain, domainSource: "dns" });
  }

  /** A connection's slot is about to be used again. */
  retired(slot: number): void {
    this.inspector.end(slot);
    this.starts.fill(0, slot * 2, slot * 2 + 2);
    this.ended[slot] = 0;
  }

  /** Called about once a second. */
  tick(): void {
    this.inspector.tick(this.options.wallMs());
  }

  learn(slot: number, update: NamingUpdate): void {
    this.options.names.learn(slot, update);
  }

  want(slot: number, wanted: Wanted): void {
    const { slots } = this.options.table.kernel;
    this.ended[slot] = wanted === "none" ? 1 : 0;
    if (wanted === "none") slots.stopInspection(slot);
    else if (wanted === "always") slots.inspectAlways(slot);
  }

  lookup(lookup: Lookup): void {
    this.options.lookup(lookup);
  }

  ends(slot: number, side: Side): Ends {
    const { table, interfaceName } = this.options;
    const { slots } = table.kernel;
    const { ifindex, ipv6 } = splitMeta(table.meta(slot));
    const other = side === 0 ? 1 : 0;
    return {
      interface: interfaceName(ifindex),
      source: formatAddress(wireAddress(slots.address(slot, side), ipv6)),
      sourcePort: slots.port(slot, side),
      destination: formatAddress(wireAddress(slots.address(slot, other), ipv6)),
      destinationPort: slots.port(slot, other),
    };
  }

  /** Whether a SYN has begun another connection in the slot since its last payload. */
  private isOfAnother(slot: number, side: Side, start: number): boolean {
    if (start === 0) return false;
    const at = slot * 2 + side;
    const known = this.starts[at] ?? 0;
    this.starts[at] = start;
    return known !== 0 && known !== start;
  }

  /** What was known is of the connection before. */
  private restart(slot: number): void {
    this.inspector.end(slot);
    this.ended[slot] = 0;
    this.options.names.forget(slot);
    this.opened(slot);
  }
}

/** The address of a live connection's server, 4 or 16 bytes. */
export function serverAddress(table: FlowTable, slot: number): Uint8Array {
  const { slots } = table.kernel;
  const { ipv6 } = splitMeta(table.meta(slot));
  return wireAddress(slots.address(slot, slots.client(slot) === 0 ? 1 : 0), ipv6);
}
