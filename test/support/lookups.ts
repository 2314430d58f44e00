import { LookupTracker } from "../../src/inspect/dns-lookups.ts";
import { parseDns } from "../../src/inspect/dns-message.ts";
import type { DnsTransport, Ends, Lookup } from "../../src/inspect/types.ts";

const RESPONSE_BIT = 0x80;

/** Ends of a question of plain DNS over UDP. */
export const TO_SERVER: Ends = {
  interface: "eth0",
  source: "10.0.0.2",
  sourcePort: 40_000,
  destination: "10.0.0.1",
  destinationPort: 53,
};

/** Ends of the packet the other way. */
export function swap(ends: Ends): Ends {
  return {
    interface: ends.interface,
    source: ends.destination,
    sourcePort: ends.destinationPort,
    destination: ends.source,
    destinationPort: ends.sourcePort,
  };
}

/** A tracker and the lookups it gives out. `observe` takes a message as bytes, of TO_SERVER's exchange unless said. */
export function tracking(options: { capacity?: number; timeoutMs?: number } = {}) {
  const lookups: Lookup[] = [];
  const tracker = new LookupTracker({ ...options, onLookup: (lookup) => void lookups.push(lookup) });
  const observe = (
    bytes: Uint8Array,
    timeMs: number,
    ends: Ends = ((bytes[2] ?? 0) & RESPONSE_BIT) === 0 ? TO_SERVER : swap(TO_SERVER),
    transport: DnsTransport = "udp",
    isCut = false,
  ): void => {
    const message = parseDns(bytes, { strict: false, isCut });
    if (message === null) throw new Error("not a DNS message");
    tracker.observe(message, ends, transport, timeMs);
  };
  return { tracker, lookups, observe };
}
