import { ENUMS } from "../bpf/layout.gen.ts";
import type { KernelPayload } from "../bpf/ring.ts";
import { splitMeta } from "../bpf/slots.ts";
import { formatAddress } from "../flow/address.ts";
import { wireAddress } from "../flow/wire.ts";
import { NO_POINT } from "../flow/points.ts";
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

/** What is wanted of a connection's payload, by primary; 0 is what the kernel's budget allows. */
const ENDED = 1;
const ALWAYS = 2;

/**
 * Looks into the payload that the kernel hands over, that of each packet once, however many interfaces it crosses; a
 * connection's number is its primary slot.
 */
export class LiveInspection implements ConnectionOwner {
  readonly inspector = new Inspector(this);
  /** Payloads whose connection had gone by the time they were read. */
  stalePayloads = 0;
  /** By connection and side: where its TCP stream starts, as far as payload told. */
  private readonly starts: Uint32Array;
  private readonly wanted: Uint8Array;

  constructor(private readonly options: LiveInspectionOptions) {
    this.starts = new Uint32Array(options.table.live.length * 2);
    this.wanted = new Uint8Array(options.table.live.length);
  }

  payload(payload: KernelPayload): void {
    const { table } = this.options;
    const { slot, gen, side, startSequence, fragment } = payload;
    if (!table.holds(slot, gen) && !table.open(slot, gen, this.options.now())) {
      this.stalePayloads++;
      return;
    }
    const { slots } = table.kernel;
    const connection = table.points.primary(slot);
    if (table.sums.owner(connection, side) !== slot) {
      // Another point has both sides before this one does.
      if (table.sums.owner(connection, side === 0 ? 1 : 0) !== slot) this.stopWhereSeen(connection, slot);
      return;
    }
    if (slots.isInspectionStopped(slot)) return;
    // The kernel begins anew with another connection only.
    if (this.isOfAnother(connection, side, startSequence) || this.wanted[connection] === ENDED) {
      this.restart(connection);
    }
    const isFragment = fragment !== FRAGMENT.AYAFLOW_FRAGMENT_NONE;
    this.inspector.packet({
      connection,
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

  /** A slot was taken up: the server of its connection may be known by an answer seen before on that interface. */
  opened(slot: number): void {
    const { table, names, interfaceName, wallMs } = this.options;
    const connection = table.points.primary(slot);
    const { ifindex } = splitMeta(table.meta(slot));
    const address = serverAddress(table, connection);
    const domain = this.inspector.addresses.find(interfaceName(ifindex), address, wallMs());
    if (domain !== null) names.learn(connection, { domain, domainSource: "dns" });
    // What is known to be wanted of the connection is wanted of its further points too.
    if (connection !== slot) this.setMode(slot, this.wanted[connection] ?? 0);
  }

  /** A connection's slots are about to be used again. */
  retired(connection: number): void {
    this.inspector.end(connection);
    this.starts.fill(0, connection * 2, connection * 2 + 2);
    this.wanted[connection] = 0;
  }

  /** Called about once a second. */
  tick(): void {
    this.inspector.tick(this.options.wallMs());
  }

  learn(connection: number, update: NamingUpdate): void {
    this.options.names.learn(connection, update);
  }

  want(connection: number, wanted: Wanted): void {
    const mode = wanted === "none" ? ENDED : wanted === "always" ? ALWAYS : 0;
    this.wanted[connection] = mode;
    this.options.table.points.each(connection, (slot) => this.setMode(slot, mode));
  }

  lookup(lookup: Lookup): void {
    this.options.lookup(lookup);
  }

  ends(connection: number, side: Side): Ends {
    const { table, interfaceName } = this.options;
    const { slots } = table.kernel;
    const { ifindex, ipv6 } = splitMeta(table.meta(connection));
    const other = side === 0 ? 1 : 0;
    return {
      interface: interfaceName(ifindex),
      source: formatAddress(wireAddress(slots.address(connection, side), ipv6)),
      sourcePort: slots.port(connection, side),
      destination: formatAddress(wireAddress(slots.address(connection, other), ipv6)),
      destinationPort: slots.port(connection, other),
    };
  }

  private setMode(slot: number, mode: number): void {
    const { slots } = this.options.table.kernel;
    if (mode === ENDED) slots.stopInspection(slot);
    // Where it was stopped, other points tell the same.
    else if (mode === ALWAYS && !slots.isInspectionStopped(slot)) slots.inspectAlways(slot);
  }

  /** Ends the hand-over of payload at a point when others have seen packets of both sides: it is not wanted there. */
  private stopWhereSeen(connection: number, slot: number): void {
    const { points, kernel } = this.options.table;
    let [a, b] = [0, 0];
    for (let point = connection; point !== slot && point !== NO_POINT; point = points.next(point)) {
      a += kernel.slots.sidePackets(point, 0);
      b += kernel.slots.sidePackets(point, 1);
    }
    if (a > 0 && b > 0) kernel.slots.stopInspection(slot);
  }

  /** Whether a SYN has begun another connection with the same addresses and ports since its last payload. */
  private isOfAnother(connection: number, side: Side, start: number): boolean {
    if (start === 0) return false;
    const at = connection * 2 + side;
    const known = this.starts[at] ?? 0;
    this.starts[at] = start;
    return known !== 0 && known !== start;
  }

  /** What was known is of the connection before. */
  private restart(connection: number): void {
    this.inspector.end(connection);
    this.wanted[connection] = 0;
    this.options.names.forget(connection);
    this.opened(connection);
  }
}

/** The address of a live connection's server, 4 or 16 bytes. */
export function serverAddress(table: FlowTable, slot: number): Uint8Array {
  const { slots } = table.kernel;
  const { ipv6 } = splitMeta(table.meta(slot));
  return wireAddress(slots.address(slot, slots.client(slot) === 0 ? 1 : 0), ipv6);
}
