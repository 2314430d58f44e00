/** An owner of connections that writes down what the inspector tells, and packets in short form. */
import { type Naming, NO_NAMING } from "../../src/flow/naming.ts";
import { mergeNaming, type NamingUpdate } from "../../src/inspect/connection-names.ts";
import { type ConnectionOwner, Inspector } from "../../src/inspect/inspector.ts";
import type { PayloadPacket, Side, Wanted } from "../../src/inspect/packet.ts";
import type { Ends, Inspected, Lookup, Outcome } from "../../src/inspect/types.ts";
import { INSPECTED, OUTCOMES } from "../../src/inspect/types.ts";

export interface StreamOptions extends Partial<PayloadPacket> {
  /** Sequence number of the side's first byte; of the first of these; bytes a segment. */
  start?: number;
  at?: number;
  size?: number;
}

export class Watcher implements ConnectionOwner {
  readonly inspector = new Inspector(this);
  readonly lookups: Lookup[] = [];
  /** What was wanted last, by connection. */
  readonly wanted = new Map<number, Wanted>();
  private readonly namings = new Map<number, Naming>();

  naming(connection = 0): Naming {
    return this.namings.get(connection) ?? NO_NAMING;
  }

  /** Outcomes that were counted, as `tls/found` with their number. */
  get outcomes(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const protocol of INSPECTED) {
      for (const outcome of OUTCOMES) {
        const count = this.inspector.counters.get(protocol, outcome);
        if (count > 0) counts[`${protocol satisfies Inspected}/${outcome satisfies Outcome}`] = count;
      }
    }
    return counts;
  }

  /** A packet; TCP from port 40000 to 443 on connection 0 unless said otherwise. */
  packet(side: Side, bytes: Uint8Array, rest: Partial<PayloadPacket> = {}): void {
    const [source, destination] = side === 0 ? [40_000, 443] : [443, 40_000];
    this.inspector.packet({
      connection: 0,
      side,
      sourcePort: source,
      destinationPort: destination,
      protocol: 6,
      timeMs: 0,
      sequence: 0,
      start: null,
      fragment: null,
      segment: 0,
      bytes,
      length: bytes.length,
      ...rest,
    });
  }

  /** All that `side` sends, in segments of `size` bytes; returns the sequence number behind it. */
  stream(side: Side, bytes: Uint8Array, options: StreamOptions = {}): number {
    const { start = 1000, size = 1400, at = start, ...rest } = options;
    for (let from = 0; from < bytes.length; from += size) {
      const part = bytes.subarray(from, from + size);
      this.packet(side, part, { ...rest, start, sequence: (at + from) >>> 0 });
    }
    return (at + bytes.length) >>> 0;
  }

  udp(side: Side, bytes: Uint8Array, serverPort: number, rest: Partial<PayloadPacket> = {}): void {
    const [sourcePort, destinationPort] = side === 0 ? [40_000, serverPort] : [serverPort, 40_000];
    this.packet(side, bytes, { protocol: 17, sourcePort, destinationPort, ...rest });
  }

  ends(_connection: number, side: Side): Ends {
    const client = { source: "192.0.2.1", sourcePort: 40_000 };
    const server = { source: "198.51.100.7", sourcePort: 53 };
    const [from, to] = side === 0 ? [client, server] : [server, client];
    return { interface: "eth0", ...from, destination: to.source, destinationPort: to.sourcePort };
  }

  learn(connection: number, update: NamingUpdate): void {
    this.namings.set(connection, mergeNaming(this.naming(connection), update));
  }

  want(connection: number, wanted: Wanted): void {
    this.wanted.set(connection, wanted);
  }

  lookup(lookup: Lookup): void {
    this.lookups.push(lookup);
  }
}

export const ascii = (text: string) => new TextEncoder().encode(text);
