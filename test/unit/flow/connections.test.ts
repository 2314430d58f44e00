import { afterAll, describe, expect, test } from "bun:test";
import { parseFilter } from "../../../src/filter/parse.ts";
import { parseAddress } from "../../../src/flow/address.ts";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import { protocolName } from "../../../src/flow/protocol.ts";
import {
  type Connection,
  LIVE_ORDERS,
  LIVE_SORTS,
  type LiveSort,
  TCP_STATES,
} from "../../../src/flow/types.ts";
import { CONTENT, type SlotContent, viewOf } from "./slots.fixture.ts";

const stack = new DisposableStack();
afterAll(() => stack.dispose());

const named = (domain: string, changes: Partial<Naming> = {}): Naming => ({
  ...NO_NAMING,
  domain,
  domainSource: "sni",
  ...changes,
});

const NAMINGS = [
  NO_NAMING,
  named("example.org"),
  named("www.example.org"),
  named("exampld.org"),
  named("\u00fcber.example"),
];

/** Connections that differ in everything, with many equal values. */
function contents(count: number): SlotContent[] {
  return Array.from({ length: count }, (_, index) => {
    const isIpv6 = index % 3 === 0;
    const low = (index * 7919) % 251;
    return {
      client: isIpv6
        ? Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, index % 2, 0, 0, 0, 0, 0, 0, 1, low)
        : Uint8Array.of(10, 0, index % 4, low),
      server: isIpv6
        ? Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, index % 5)
        : Uint8Array.of(192, 0, 2, index % 5),
      clientPort: 40_000 + (index % 17),
      serverPort: [443, 53, 8080][index % 3] ?? 0,
      protocol: [6, 17, 253][index % 3] ?? 0,
      ifindex: 1 + (index % 3),
      isClientB: index % 2 === 0,
      isEgress: index % 5 === 0,
      state: index % 7,
      packets: [index % 11, index % 13],
      bytes: [(index * 31) % 997, (index * 17) % 991],
      retransmits: [index % 3, index % 2],
      rttServerNs: index % 4 === 0 ? 0 : 1000 + (index % 10),
      rttClientNs: 500,
      firstSeenMs: 1000 + (index % 9),
      lastSeenMs: 1500 + (index % 8),
      naming: NAMINGS[index % NAMINGS.length] ?? NO_NAMING,
      generation: 1,
    };
  });
}

function valueOf(sort: LiveSort, of: Connection): number | string | null {
  switch (sort) {
    case "packets":
      return of.sent.packets + of.received.packets;
    case "bytes":
      return of.sent.bytes + of.received.bytes;
    case "rate":
      return of.bytesPerSecond;
    case "rtt":
      return of.rttNs;
    case "bytes_sent":
      return of.sent.bytes;
    case "bytes_received":
      return of.received.bytes;
    case "packets_sent":
      return of.sent.packets;
    case "packets_received":
      return of.received.packets;
    case "retransmits":
      return of.retransmitsSent + of.retransmitsReceived;
    case "first_seen":
      return of.firstSeenMs;
    case "last_seen":
      return of.lastSeenMs;
    case "client":
      return end(of.clientAddress, of.clientPort);
    case "server":
      return end(of.serverAddress, of.serverPort);
    case "server_port":
      return of.serverPort;
    case "domain":
      return of.naming.domain;
    case "protocol":
      return protocolName(of.protocol);
    case "interface":
      return of.interface;
    case "state":
      return TCP_STATES.indexOf(of.state);
  }
}

/** Text that sorts as the bytes of the address and the port do, IPv4 first. */
function end(address: string, port: number): string {
  const bytes = [...(parseAddress(address) ?? [])].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${bytes.length > 4 ? 6 : 4}${bytes.join("")}${String(port).padStart(5, "0")}`;
}

function inOrder(all: Connection[], sort: LiveSort, order: "asc" | "desc"): Connection[] {
  const compare = (a: Connection, b: Connection) => {
    const [first, second] = [valueOf(sort, a), valueOf(sort, b)];
    if (first === second) return 0;
    if (first === null || second === null) return first === null ? 1 : -1;
    return (first < second ? -1 : 1) * (order === "asc" ? 1 : -1);
  };
  // Stable: of equal ones the lower slot stays first.
  return all.toSorted(compare);
}

const COUNT = 1000;

describe("live connections", () => {
  const { view, table } = viewOf(stack, contents(COUNT));
  for (let slot = 0; slot < COUNT; slot++) table.byteRate[slot] = (slot * 37) % 101;
  const all = Array.from({ length: COUNT }, (_, slot) => view.connection(slot));
  const ids = (connections: readonly Connection[]) => connections.map(({ id }) => id);

  test.each(LIVE_SORTS.flatMap((sort) => LIVE_ORDERS.map((order) => [sort, order] as const)))(
    "in the order of %s, %s",
    (sort, order) => {
      const wanted = ids(inOrder(all, sort, order));
      for (const [offset, limit] of [
        [0, 1],
        [0, 10],
        [500, 20],
        [990, 50],
        [0, 5000],
      ] as const) {
        const { connections, matched } = view.live({ sort, order, offset, limit });
        expect(ids(connections)).toEqual(wanted.slice(offset, offset + limit));
        expect(matched).toBe(COUNT);
      }
    },
  );

  test("the largest come first unless asked otherwise", () => {
    const { connections } = view.live({ sort: "bytes", limit: 5 });
    expect(ids(connections)).toEqual(ids(inOrder(all, "bytes", "desc").slice(0, 5)));
  });

  test("nothing is behind the last", () => {
    expect(view.live({ sort: "bytes", limit: 5, offset: COUNT })).toEqual({
      connections: [],
      matched: COUNT,
    });
  });

  const found = (text: string) => {
    const filter = parseFilter(text);
    return view.live({
      sort: "first_seen",
      order: "asc",
      limit: COUNT,
      ...(filter === null ? {} : { filter }),
    });
  };
  const holding = (holds: (of: Connection) => boolean) => ids(all.filter(holds)).toSorted();

  test.each<[string, (of: Connection) => boolean]>([
    ["host 10.0.1.0/24", (of) => of.clientAddress.startsWith("10.0.1.")],
    ["server host fd00::3", (of) => of.serverAddress === "fd00::3"],
    ["client host 192.0.2.0/24", () => false],
    [
      "src host 2001:db8::/32 and dst port 443",
      (of) => of.clientAddress.includes(":") && of.serverPort === 443,
    ],
    ["client port 40005-40007", (of) => of.clientPort >= 40_005 && of.clientPort <= 40_007],
    ["proto 253", (of) => of.protocol === 253],
    ["iface eth*", (of) => of.interface.startsWith("eth")],
    ["egress", (of) => of.direction === "egress"],
    ["state established or syn_sent", (of) => ["established", "syn_sent"].includes(of.state)],
    ["domain *.example.org", (of) => of.naming.domain?.endsWith("example.org") === true],
    ["domain none", (of) => of.naming.domain === null],
    [
      "source sni and bytes > 1k",
      (of) => of.naming.domain !== null && of.sent.bytes + of.received.bytes > 1000,
    ],
    ["packets = 0", (of) => of.sent.packets + of.received.packets === 0],
    ["retrans >= 3", (of) => of.retransmitsSent + of.retransmitsReceived >= 3],
    ["rtt > 1505ns", (of) => (of.rttNs ?? 0) > 1505],
    ["not rtt > 1505ns", (of) => !((of.rttNs ?? 0) > 1505)],
  ])("%s", (text, holds) => {
    const { connections, matched } = found(text);
    expect(ids(connections).toSorted()).toEqual(holding(holds));
    expect(matched).toBe(connections.length);
  });

  test("a filter holds besides the parameters", () => {
    const filter = parseFilter("not port 443");
    if (filter === null) throw new Error("no filter");
    const { connections } = view.live({
      sort: "bytes",
      limit: COUNT,
      filter,
      ip: "10.0.0.0/8",
      interface: "eth1",
      state: "closed",
      domain: "*.example.org",
      protocol: 17,
      port: 53,
    });
    const wanted = holding(
      (of) =>
        of.clientAddress.startsWith("10.") &&
        of.interface === "eth1" &&
        of.state === "closed" &&
        of.naming.domain?.endsWith("example.org") === true &&
        of.serverPort === 53,
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(ids(connections).toSorted()).toEqual(wanted);
  });

  test("an address that is none is told", () => {
    expect(() => view.live({ sort: "bytes", limit: 1, ip: "10.0.0.0/99" })).toThrow(
      '"10.0.0.0/99" is neither an IP address nor a network',
    );
  });
});

test("live connections are found by domain", () => {
  const names = ["example.org", null, "www.example.org", "notexample.org"];
  const { view } = viewOf(
    stack,
    names.map((name, index) => ({
      ...CONTENT,
      clientPort: 40_000 + index,
      packets: [100 - index, 0],
      naming: name === null ? NO_NAMING : named(name),
    })),
  );
  const domains = (domain?: string) => {
    const query = { limit: 10, sort: "packets" as const, ...(domain === undefined ? {} : { domain }) };
    return view.live(query).connections.map(({ naming }) => naming.domain);
  };
  expect(domains()).toEqual(names);
  expect(domains("example.org")).toEqual(["example.org"]);
  expect(domains("*.example.org")).toEqual(["example.org", "www.example.org"]);
  expect(domains("example.net")).toEqual([]);
});
