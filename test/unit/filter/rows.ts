import * as fc from "fast-check";
import type { FilterSubject } from "../../../src/filter/types.ts";
import { parseAddress } from "../../../src/flow/address.ts";
import { DOMAIN_SOURCES, NO_NAMING } from "../../../src/flow/naming.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { START_MS } from "../history/fixture.ts";
import { ADDRESSES, ALPN, DOMAINS, JA4, NUMBERS, PATHS, PORTS, PROTOCOLS } from "./arbitrary.ts";

const bytesOf = (text: string) => parseAddress(text) ?? new Uint8Array(4);
const families = [4, 16].map((length) => ADDRESSES.map(bytesOf).filter((bytes) => bytes.length === length));
const ends = fc.oneof(
  ...families.map((family) => fc.tuple(fc.constantFrom(...family), fc.constantFrom(...family))),
);
const number = fc.constantFrom(...NUMBERS);

const naming = fc.record({
  domain: fc.constantFrom(null, ...DOMAINS),
  domainSource: fc.constantFrom(null, ...DOMAIN_SOURCES),
  alpn: fc.subarray(ALPN),
  ja4: fc.constantFrom(null, ...JA4),
});

const row = fc
  .record({
    ends,
    clientPort: fc.constantFrom(...PORTS),
    serverPort: fc.constantFrom(...PORTS),
    protocol: fc.constantFrom(...PROTOCOLS),
    interface: fc.constantFrom(...PATHS),
    naming,
    kind: fc.constantFrom("window" as const, "packet" as const),
    direction: fc.constantFrom("ingress" as const, "egress" as const),
    isReceived: fc.boolean(),
    sent: fc.tuple(number, number),
    received: fc.tuple(number, number),
    rttNs: fc.option(number),
    retransmits: number,
  })
  .map(
    ({
      ends: [client, server],
      kind,
      isReceived,
      sent,
      received,
      ...of
    }): Omit<HistoryRow, "timestampMs"> => {
      const isPacket = kind === "packet";
      return {
        connection: {
          client,
          server,
          clientPort: of.clientPort,
          serverPort: of.serverPort,
          protocol: of.protocol,
          interface: of.interface,
          naming: { ...NO_NAMING, ...of.naming },
        },
        kind,
        direction: of.direction,
        packetsSent: isPacket ? Number(!isReceived) : sent[0],
        bytesSent: isPacket && isReceived ? 0 : sent[1],
        packetsReceived: isPacket ? Number(isReceived) : received[0],
        bytesReceived: isPacket && !isReceived ? 0 : received[1],
        tcpFlags: 0,
        rttNs: of.rttNs,
        retransmits: of.retransmits,
      };
    },
  );

/** Rows of all kinds, the same each time; the time of each, in whole milliseconds, is its own. */
export function sampleRows(count: number): HistoryRow[] {
  return fc
    .sample(row, { numRuns: count, seed: 11 })
    .map((each, index) => ({ ...each, timestampMs: START_MS + index }));
}

/** What a predicate sees of a row. */
export function subjectOf({ connection: c, ...of }: HistoryRow): FilterSubject {
  return {
    client: c.client,
    server: c.server,
    clientPort: c.clientPort,
    serverPort: c.serverPort,
    protocol: c.protocol,
    interface: c.interface,
    direction: of.direction,
    domain: c.naming.domain,
    domainSource: c.naming.domainSource,
    alpn: c.naming.alpn,
    ja4: c.naming.ja4,
    state: "none",
    bytes: of.bytesSent + of.bytesReceived,
    packets: of.packetsSent + of.packetsReceived,
    rttNs: of.rttNs,
    retransmits: of.retransmits,
    isReversed: of.kind === "packet" && of.packetsReceived > 0,
  };
}
