import { expect, test } from "bun:test";
import { ConnectionView } from "../../../src/flow/connections.ts";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { FlowTable } from "../../../src/flow/table.ts";

const META_TCP_IPV4 = 6;

/** A view of one connection for each of `namings`. */
function viewOf(namings: readonly Naming[]): ConnectionView {
  const slots = {
    counters: (slot: number, into: Record<string, number>) =>
      Object.assign(into, { packetsA: 100 - slot, bytesA: 0, packetsB: 0, bytesB: 0 }),
    generation: () => 1,
    detail: () => ({
      addressA: new Uint8Array(16),
      addressB: new Uint8Array(16),
      client: 0,
      clientDirection: 0,
      state: 0,
      firstBootNs: 0,
      lastJiffies: 0,
      retransmits: [0, 0],
      outOfOrder: [0, 0],
      flags: [0, 0],
    }),
  };
  const table = {
    kernel: { slots },
    live: Uint32Array.from(namings.keys()),
    size: namings.length,
    meta: () => META_TCP_IPV4,
    packetRate: [],
    byteRate: [],
  };
  return new ConnectionView(
    table as unknown as FlowTable,
    { fromBootNs: () => 0, fromJiffies: () => 0 },
    () => "eth0",
    (slot) => namings[slot] ?? NO_NAMING,
  );
}

test("live connections are found by domain", () => {
  const named = (domain: string): Naming => ({ ...NO_NAMING, domain, domainSource: "sni" });
  const view = viewOf([named("example.org"), NO_NAMING, named("www.example.org"), named("notexample.org")]);
  const domains = (domain?: string) => {
    const query = { limit: 10, sort: "packets" as const, ...(domain === undefined ? {} : { domain }) };
    return view.live(query).connections.map(({ naming }) => naming.domain);
  };
  expect(domains()).toEqual(["example.org", null, "www.example.org", "notexample.org"]);
  expect(domains("example.org")).toEqual(["example.org"]);
  expect(domains("*.example.org")).toEqual(["example.org", "www.example.org"]);
  expect(domains("example.net")).toEqual([]);
});
