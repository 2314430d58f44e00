import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import ipaddr from "ipaddr.js";
import { join } from "node:path";
import { formatAddress } from "../../../src/flow/address.ts";
import { protocolName } from "../../../src/flow/protocol.ts";
import { HistoryQueryError } from "../../../src/history/errors.ts";
import type { History } from "../../../src/history/history.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import type { HistoryItem, HistoryQuery, HistoryRow } from "../../../src/history/types.ts";
import { connection, open, row, START_MS, temporaryFolder } from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const ROWS = 9000;
const SPAN_MS = 3_600_000;

/** Numbers that look random and are the same each time (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function ipv6(last: number): Uint8Array {
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
}

function makeRows(): HistoryRow[] {
  const pick = numbers(7);
  const connections = Array.from({ length: 400 }, (_, index) => {
    const isIpv6 = index % 5 === 0;
    return connection(index, {
      ...(isIpv6 ? { client: ipv6(index % 100), server: ipv6(200 + (index % 3)) } : {}),
      clientPort: index % 4 === 0 ? 443 : 40_000 + pick(300),
      serverPort: [443, 53, 8443][index % 3] ?? 0,
      protocol: [6, 17, 132, 47][index % 4] ?? 0,
      interface: `eth${index % 2}`,
      domain: index % 10 === 0 ? "Example.org" : null,
    });
  });
  return Array.from({ length: ROWS }, (_, index) => {
    // Mostly in order of time, now and then far back.
    const progress = pick(50) === 0 ? pick(ROWS) : index;
    const at = START_MS + Math.floor((progress / ROWS) * SPAN_MS);
    const isPacket = pick(3) === 0;
    const isReceived = pick(2) === 0;
    const of = connections[pick(400)] ?? connection(0);
    const direction = pick(2) === 0 ? "ingress" : "egress";
    if (!isPacket) return row(of, { timestampMs: Math.floor(at / 1000) * 1000, direction, bytesSent: index });
    return row(of, {
      kind: "packet",
      timestampMs: at + pick(1000) / 1000,
      direction,
      packetsSent: isReceived ? 0 : 1,
      bytesSent: isReceived ? 0 : index,
      packetsReceived: isReceived ? 1 : 0,
      bytesReceived: isReceived ? index : 0,
      rttNs: null,
    });
  });
}

function expectedItem(of: HistoryRow): HistoryItem {
  const { connection: c } = of;
  const isReversed = of.kind === "packet" && of.packetsReceived > 0;
  const client = [formatAddress(c.client), c.clientPort] as const;
  const server = [formatAddress(c.server), c.serverPort] as const;
  const [source, destination] = isReversed ? [server, client] : [client, server];
  return {
    timestamp: Math.floor(of.timestampMs),
    ...(of.kind === "packet" ? { timestamp_us: Math.round(of.timestampMs * 1000) } : {}),
    src_ip: source[0],
    dst_ip: destination[0],
    src_port: source[1],
    dst_port: destination[1],
    protocol: protocolName(c.protocol),
    length: of.bytesSent + of.bytesReceived,
    direction: of.direction,
    interface: c.interface,
    row_type: of.kind === "packet" ? "raw" : "aggregated",
    packet_count: of.packetsSent + of.packetsReceived,
    bytes_sent: of.bytesSent,
    bytes_received: of.bytesReceived,
    packets_sent: of.packetsSent,
    packets_received: of.packetsReceived,
    tcp_flags: of.tcpFlags,
    rtt_ms: of.rttNs === null ? null : of.rttNs / 1e6,
    retransmits: of.retransmits,
    ...(c.domain === null ? {} : { domain: c.domain.toLowerCase() }),
  };
}

function inNetwork(text: string, network: string): boolean {
  const address = ipaddr.parse(text);
  if (!network.includes("/"))
    return ipaddr.parse(network).toNormalizedString() === address.toNormalizedString();
  const [base, bits] = ipaddr.parseCIDR(network);
  return base.kind() === address.kind() && address.match([base, bits] as [ipaddr.IPv4, number]);
}

function exactMs(item: HistoryItem): number {
  return item.timestamp_us === undefined ? item.timestamp : item.timestamp_us / 1000;
}

function matches(item: HistoryItem, q: Omit<HistoryQuery, "limit">): boolean {
  const is = <T>(wanted: T | undefined, ...found: T[]) => wanted === undefined || found.includes(wanted);
  const isIn = (wanted: string | undefined, ...found: string[]) =>
    wanted === undefined || found.some((text) => inNetwork(text, wanted));
  return (
    exactMs(item) >= (q.sinceMs ?? 0) &&
    exactMs(item) <= (q.untilMs ?? Infinity) &&
    isIn(q.ip, item.src_ip, item.dst_ip) &&
    isIn(q.srcIp, item.src_ip) &&
    isIn(q.dstIp, item.dst_ip) &&
    is(q.port, item.src_port, item.dst_port) &&
    is(q.srcPort, item.src_port) &&
    is(q.dstPort, item.dst_port) &&
    is(q.protocol === undefined ? undefined : protocolName(q.protocol), item.protocol) &&
    is(q.interface, item.interface) &&
    is(q.direction, item.direction) &&
    is(q.domain?.toLowerCase(), item.domain) &&
    is(q.kind === undefined ? undefined : q.kind === "packet" ? "raw" : "aggregated", item.row_type)
  );
}

const sortKey = (item: HistoryItem) => JSON.stringify(item);
const sorted = (items: HistoryItem[]) => items.map(sortKey).sort();

const FILTERS: Omit<HistoryQuery, "limit">[] = [
  {},
  { sinceMs: START_MS + 1_000_000 },
  { untilMs: START_MS + 1_000_000 },
  { sinceMs: START_MS + 60_000, untilMs: START_MS + 120_000 },
  { sinceMs: START_MS + 60_000.5, untilMs: START_MS + 61_000.25 },
  { sinceMs: START_MS + 2 * SPAN_MS },
  { ip: "10.0.0.77" },
  { ip: "10.0.0.0/26" },
  { ip: "2001:db8::5" },
  { ip: "2001:db8::/121" },
  { ip: "0.0.0.0/0" },
  { ip: "::/0" },
  { ip: "203.0.113.9" },
  { srcIp: "192.0.2.3" },
  { dstIp: "192.0.2.3" },
  { srcIp: "10.0.0.77", dstIp: "192.0.2.0/24" },
  { srcIp: "192.0.2.0/24", dstIp: "10.0.0.77" },
  { port: 443 },
  { port: 8443 },
  { port: 40_007 },
  { port: 1 },
  { srcPort: 443 },
  { dstPort: 443 },
  { srcPort: 53, dstPort: 443 },
  { protocol: 132 },
  { protocol: 50 },
  { protocol: 0 },
  { interface: "eth1" },
  { interface: "eth9" },
  { direction: "ingress" },
  { kind: "packet" },
  { kind: "window" },
  { domain: "EXAMPLE.org" },
  { domain: "example.com" },
  { ip: "10.0.0.8", port: 53, protocol: 6, interface: "eth0", direction: "egress", kind: "window" },
  { port: 53, protocol: 17, sinceMs: START_MS + 600_000, untilMs: START_MS + 1_200_000, kind: "packet" },
];

describe("queries", () => {
  const stack = new AsyncDisposableStack();
  let history: History;
  let path: string;
  let all: HistoryItem[];

  beforeAll(async () => {
    const folder = temporaryFolder(stack);
    path = join(folder, "traffic.db");
    history = open(stack, folder);
    const rows = makeRows();
    all = rows.map(expectedItem);
    for (const each of rows) history.writer.append(each);
    await history.writer.flush(30_000);
    expect(history.status().rowsWritten).toBe(ROWS);
  });
  afterAll(() => stack.disposeAsync());

  const readAll = (reader: History["reader"], query: HistoryQuery): HistoryItem[] => {
    const items: HistoryItem[] = [];
    let cursor: string | undefined;
    do {
      const page = reader.query({ ...query, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.returned).toBe(page.items.length);
      expect(page.returned).toBeLessThanOrEqual(query.limit);
      expect(page.has_more).toBe(page.next_cursor !== null);
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  };

  test.each(FILTERS)("%p answers what a plain filter does", (filter) => {
    const expected = sorted(all.filter((item) => matches(item, filter)));
    for (const limit of [97, 1000]) {
      const items = readAll(history.reader, { ...filter, limit });
      expect(sorted(items)).toEqual(expected);
      expect(items.every((item, index) => item.timestamp <= (items[index - 1]?.timestamp ?? Infinity))).toBe(
        true,
      );
    }
  });

  test("a reader with no time to spare still gets through, page by page", () => {
    let ticks = 0;
    const hurried = createHistoryReader(path, () => (ticks += 1000));
    stack.defer(() => hurried.close());
    for (const filter of FILTERS) {
      const expected = sorted(all.filter((item) => matches(item, filter)));
      expect(sorted(readAll(hurried, { ...filter, limit: 500 }))).toEqual(expected);
      const skipped = readAll(hurried, { ...filter, limit: 500, offset: 30 });
      expect(skipped.length).toBe(Math.max(0, expected.length - 30));
    }
  });

  test("an offset leaves out the newest rows that match", () => {
    for (const filter of [{}, { protocol: 17 }, { port: 8443 }]) {
      const whole = readAll(history.reader, { ...filter, limit: 1000 });
      const page = history.reader.query({ ...filter, limit: 50, offset: 1100 });
      expect(page.items).toEqual(whole.slice(1100, 1150));
      expect(page.offset).toBe(1100);
    }
  });

  test("a page has at most 1000 rows, and at least one", () => {
    expect(history.reader.query({ limit: 5000 }).returned).toBe(1000);
    expect(history.reader.query({ limit: 0 }).returned).toBe(1);
  });

  test("the last page says so, exactly filled or not", () => {
    const count = all.filter((item) => item.src_ip === "10.0.0.77" || item.dst_ip === "10.0.0.77").length;
    const page = history.reader.query({ limit: count, ip: "10.0.0.77" });
    expect(page).toMatchObject({
      returned: count,
      has_more: false,
      next_cursor: null,
      limit: count,
      offset: 0,
    });
    expect(history.reader.query({ limit: count - 1, ip: "10.0.0.77" }).has_more).toBe(true);
  });

  test("bad questions are told from failures", () => {
    expect(() => history.reader.query({ limit: 1, cursor: "nonsense" })).toThrow(HistoryQueryError);
    expect(() => history.reader.query({ limit: 1, ip: "10.0.0.0/99" })).toThrow(
      'ip: "10.0.0.0/99" is not an address or CIDR',
    );
    expect(() => history.reader.query({ limit: 1, dstIp: "'; DROP TABLE rows" })).toThrow(HistoryQueryError);
    expect(history.reader.query({ limit: 1, interface: "'; DROP TABLE rows; --" }).returned).toBe(0);
  });
});

test("pages stay put while rows are added", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack));
  const add = async (from: number) => {
    for (let index = from; index < from + 100; index++) {
      history.writer.append(row(connection(index % 5), { timestampMs: START_MS + index, bytesSent: index }));
    }
    await history.writer.flush(5000);
  };
  await add(0);
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page = history.reader.query({
      limit: 30,
      ip: "10.0.0.0/8",
      ...(cursor === null ? {} : { cursor }),
    });
    seen.push(...page.items.map((item) => item.bytes_sent));
    cursor = page.next_cursor;
    await add(1000 + seen.length);
  } while (cursor !== null);
  expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => 99 - index));
});
