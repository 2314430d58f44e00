import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { HistoryQueryError } from "../../../src/history/errors.ts";
import type { History } from "../../../src/history/history.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import type { HistoryItem, HistoryQuery } from "../../../src/history/types.ts";
import { append, connection, open, row, START_MS, temporaryFolder } from "./fixture.ts";
import { expectedItem, makeRows, matches, ROWS, SPAN_MS } from "./rows.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

type ExpectedItem = Omit<HistoryItem, "connection_id">;

const sortKey = (item: ExpectedItem) => JSON.stringify({ ...item, connection_id: undefined });
const sorted = (items: ExpectedItem[]) => items.map(sortKey).sort();

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
  { domain: "*.example.org" },
  { domain: "*.EXAMPLE.org", protocol: 17 },
  { domain: "*.www.example.org", ip: "10.0.0.0/25" },
  { domain: "*.org" },
  { domain: "*.xample.org" },
  { domain: "b\u00fccher.example.org" },
  { ip: "10.0.0.8", port: 53, protocol: 6, interface: "eth0", direction: "egress", kind: "window" },
  { port: 53, protocol: 17, sinceMs: START_MS + 600_000, untilMs: START_MS + 1_200_000, kind: "packet" },
];

describe("queries", () => {
  const stack = new AsyncDisposableStack();
  let history: History;
  let path: string;
  let all: ExpectedItem[];

  beforeAll(async () => {
    const folder = temporaryFolder(stack);
    path = join(folder, "traffic.db");
    history = open(stack, folder);
    const rows = makeRows();
    all = rows.map(expectedItem);
    for (const each of rows) append(history, each);
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
      expect(readAll(history.reader, { ...filter, limit: 50, offset: 1100 })).toEqual(whole.slice(1100));
      expect(history.reader.query({ ...filter, limit: 50, offset: 1100 }).offset).toBe(1100);
    }
  });

  test("the rows of one connection are those with its id", () => {
    const whole = readAll(history.reader, { limit: 1000 });
    const { connection_id: first } = whole[0] ?? { connection_id: "" };
    expect(first).toMatch(/^h\d+-\d+$/);
    for (const id of new Set([first, ...whole.slice(100, 130).map((item) => item.connection_id)])) {
      const ofConnection = whole.filter((item) => item.connection_id === id);
      expect(readAll(history.reader, { limit: 7, connectionId: id })).toEqual(ofConnection);
      const ends = ofConnection.map((item) => [
        `${item.src_ip} ${item.src_port}`,
        `${item.dst_ip} ${item.dst_port}`,
      ]);
      expect(new Set(ends.map((pair) => JSON.stringify([...pair.toSorted(), id]))).size).toBe(1);
    }
    expect(history.reader.query({ limit: 5, connectionId: "h999999-443" }).items).toEqual([]);
    for (const bad of ["", "h1", "h1-70000", "17", "h1-2-3"]) {
      expect(() => history.reader.query({ limit: 1, connectionId: bad })).toThrow(HistoryQueryError);
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
      append(history, row(connection(index % 5), { timestampMs: START_MS + index, bytesSent: index }));
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
