import type { Lookup } from "../../src/inspect/types.ts";

const START_MS = Date.parse("2026-03-01T12:00:00Z");

/** An answered lookup of a time of its own: `index` seconds after noon. */
export function lookup(index: number, changes: Partial<Lookup> = {}): Lookup {
  return {
    timeMs: START_MS + index * 1000,
    interface: "eth0",
    transport: "udp",
    client: "192.0.2.1",
    clientPort: 40_000 + index,
    server: "192.0.2.53",
    serverPort: 53,
    name: `host${index}.example.org`,
    type: "A",
    rcode: "NOERROR",
    latencyMs: 2,
    answers: [],
    truncated: false,
    ...changes,
  };
}
