import { splitMeta } from "../bpf/slots.ts";
import type { Naming } from "../flow/naming.ts";
import { pathOf } from "../flow/point-paths.ts";
import type { FlowTable } from "../flow/table.ts";
import { type Identities, NOBODY } from "./identities.ts";
import type { Identity } from "./types.ts";

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

export interface IdentityOptions {
  table: FlowTable;
  interfaceName: (ifindex: number) => string;
  /** Of a live connection, by its primary, up to and including its retirement: another object whenever more is known. */
  naming: (primary: number) => Naming;
}

/** Who the rows of each live connection, given by its primary slot, are about. */
export class ConnectionIdentities {
  /** Of the connection that has had a row, held; else NOBODY. */
  private readonly known: Uint32Array;
  private readonly clients: Uint8Array;
  /** Observation points that it had then. */
  private readonly points: Uint16Array;

  constructor(
    private readonly identities: Identities,
    private readonly options: IdentityOptions,
  ) {
    const capacity = options.table.live.length;
    this.known = new Uint32Array(capacity);
    this.clients = new Uint8Array(capacity);
    this.points = new Uint16Array(capacity);
  }

  isKnown(primary: number): boolean {
    return (this.known[primary] ?? NOBODY) !== NOBODY;
  }

  /** Side that was the client when the identity was made. */
  client(primary: number): number {
    return this.clients[primary] ?? 0;
  }

  /** The identity of a connection: another once more is known of it, so that earlier rows keep theirs. */
  of(primary: number): number {
    const { table, interfaceName, naming: namingOf } = this.options;
    const known = this.known[primary] ?? NOBODY;
    const naming = namingOf(primary);
    const points = table.points.count(primary);
    const isSame = this.points[primary] === points && this.identities.naming(known) === naming;
    if (known !== NOBODY && isSame) return known;
    this.forget(primary);
    const { slots } = table.kernel;
    const { protocol, ipv6 } = splitMeta(table.meta(primary));
    const client = slots.client(primary);
    const server = client === 0 ? 1 : 0;
    const of: Identity = {
      client: slots.address(primary, client),
      server: slots.address(primary, server),
      clientPort: slots.port(primary, client),
      serverPort: slots.port(primary, server),
      protocol,
      interface: pathOf(table, primary, interfaceName),
      naming,
    };
    const identity = this.identities.open(of, ipv6 ? IPV6_BYTES : IPV4_BYTES);
    this.clients[primary] = client;
    this.points[primary] = points;
    this.known[primary] = identity;
    return identity;
  }

  forget(primary: number): void {
    const known = this.known[primary] ?? NOBODY;
    if (known === NOBODY) return;
    this.identities.release(known);
    this.known[primary] = NOBODY;
  }

  /** `heir` stands for the connection of `primary` from now on. */
  replace(primary: number, heir: number): void {
    this.forget(heir);
    this.known[heir] = this.known[primary] ?? NOBODY;
    this.clients[heir] = this.clients[primary] ?? 0;
    this.points[heir] = this.points[primary] ?? 0;
    this.known[primary] = NOBODY;
  }
}
