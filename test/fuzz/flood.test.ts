import { expect, test } from "bun:test";
import { MEMORY_LIMIT } from "../../src/inspect/inspection-pool.ts";
import { FLOODS, runFlood } from "./flooding.ts";

const MEBIBYTE = 1024 * 1024;
const TIMEOUT_MS = 60_000;
/** What the runtime keeps of code and tables besides. */
const BESIDES = MEBIBYTE;
/** Enough to go past the limit with the least that a connection takes. */
const CONNECTIONS = 15_000;
const DNS_CONNECTIONS = 4000;
const DNS_PORT = 53;
/** Packets that are enough where each connection sends many. */
const PACKETS = 160_000;
const BYTES = 5_000_000;
/** Tables of questions and of names have limits of their own. */
const TABLES = 64 * MEBIBYTE;

test.each([...FLOODS])(
  "$name, unfinished, takes no more memory than stated",
  async (flood) => {
    const parts = flood.parts(0);
    const bytes = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    const most = flood.port === DNS_PORT ? DNS_CONNECTIONS : CONNECTIONS;
    const connections = Math.min(most, Math.ceil(PACKETS / parts.length), Math.ceil(BYTES / bytes));
    const report = await runFlood(flood, connections);
    const { size, evicted, stated, mostStated, heap, lookups, addresses } = report;
    expect(mostStated).toBeLessThanOrEqual(MEMORY_LIMIT);
    const hasTables = lookups + addresses > 0;
    expect(heap).toBeLessThanOrEqual((hasTables ? TABLES : stated) + BESIDES);
    // Each is still held or was given up: none has come to an end by itself.
    if (!hasTables) expect(size + evicted).toBe(connections);
  },
  TIMEOUT_MS,
);
