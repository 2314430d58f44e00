import type { FilterSubject } from "../filter/types.ts";
import { handshakeNs, type SideCounters, splitMeta } from "../bpf/slots.ts";
import type { DomainSource, Naming } from "./naming.ts";
import { pathOf } from "./point-paths.ts";
import type { FlowTable } from "./table.ts";
import { type ConnectionState, type Direction, TCP_STATES } from "./types.ts";
import { directionName } from "./wire.ts";

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/** The connection of one primary slot at a time, read when asked: made once, it makes no garbage of its own. */
export class SlotSubject implements FilterSubject {
  readonly isReversed = false;
  protocol = 0;
  private slot = 0;
  private isIpv6 = false;
  private clientSide: 0 | 1 = 0;
  private readonly counters: SideCounters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
  private readonly client4 = new Uint8Array(IPV4_BYTES);
  private readonly client6 = new Uint8Array(IPV6_BYTES);
  private readonly server4 = new Uint8Array(IPV4_BYTES);
  private readonly server6 = new Uint8Array(IPV6_BYTES);

  constructor(
    private readonly table: FlowTable,
    private readonly interfaceName: (ifindex: number) => string,
    private readonly naming: (slot: number) => Naming,
  ) {}

  moveTo(slot: number): this {
    const { protocol, ipv6 } = splitMeta(this.table.meta(slot));
    this.slot = slot;
    this.protocol = protocol;
    this.isIpv6 = ipv6;
    this.clientSide = this.table.kernel.slots.client(slot);
    return this;
  }

  /** Valid until the next move, as `server` is. */
  get client(): Uint8Array {
    return this.copyAddress(this.clientSide, this.isIpv6 ? this.client6 : this.client4);
  }

  get server(): Uint8Array {
    return this.copyAddress(this.serverSide, this.isIpv6 ? this.server6 : this.server4);
  }

  get clientPort(): number {
    return this.table.kernel.slots.port(this.slot, this.clientSide);
  }

  get serverPort(): number {
    return this.table.kernel.slots.port(this.slot, this.serverSide);
  }

  get interface(): string {
    return pathOf(this.table, this.slot, this.interfaceName);
  }

  get direction(): Direction {
    return directionName(this.table.kernel.slots.clientDirection(this.slot));
  }

  get domain(): string | null {
    return this.naming(this.slot).domain;
  }

  get domainSource(): DomainSource | null {
    return this.naming(this.slot).domainSource;
  }

  get alpn(): readonly string[] {
    return this.naming(this.slot).alpn;
  }

  get ja4(): string | null {
    return this.naming(this.slot).ja4;
  }

  get state(): ConnectionState {
    return TCP_STATES[this.table.kernel.slots.state(this.slot)] ?? "none";
  }

  get bytes(): number {
    const { bytesA, bytesB } = this.read();
    return bytesA + bytesB;
  }

  get packets(): number {
    const { packetsA, packetsB } = this.read();
    return packetsA + packetsB;
  }

  get rttNs(): number | null {
    return handshakeNs(this.table.sums.handshake(this.slot));
  }

  get retransmits(): number {
    const { sums } = this.table;
    return sums.retransmits(this.slot, 0) + sums.retransmits(this.slot, 1);
  }

  private get serverSide(): 0 | 1 {
    return this.clientSide === 0 ? 1 : 0;
  }

  private read(): SideCounters {
    this.table.sums.counters(this.slot, this.counters);
    return this.counters;
  }

  private copyAddress(side: 0 | 1, into: Uint8Array): Uint8Array {
    this.table.kernel.slots.copyAddress(this.slot, side, into);
    return into;
  }
}
