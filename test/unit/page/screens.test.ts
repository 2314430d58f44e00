import { describe, expect, test } from "bun:test";
import { parseFilter } from "../../../src/filter/parse.ts";
import type { GroupAnswer, LookupAnswer } from "../../../src/page/data/answers.ts";
import { scrollTo, windowAt } from "../../../src/page/parts/window.ts";
import { conversationId, parseConversationId } from "../../../src/page/screens/conversation-id.ts";
import { chooseLookups, countRcodes, latencyAt, latencyBars } from "../../../src/page/screens/dns-summary.ts";
import { mergeNames } from "../../../src/page/screens/name-rows.ts";
import { questionEvery } from "../../../src/page/state/every.ts";

describe("the window of a long table", () => {
  test("has all rows that are seen, wherever one is", () => {
    for (let top = 0; top < 3000; top += 7) {
      const { offset, limit } = windowAt(top, 500, 33);
      expect(offset).toBeLessThanOrEqual(Math.floor(top / 33));
      expect(offset + limit).toBeGreaterThanOrEqual(Math.ceil((top + 500) / 33));
      expect(limit).toBeLessThanOrEqual(48);
    }
  });

  test("stays the same for a little scrolling", () => {
    expect(windowAt(1000, 500, 33)).toEqual(windowAt(1010, 500, 33));
  });

  test("scrolls no further than to see a row", () => {
    expect(scrollTo(0, 100, 500, 33)).toBe(0);
    expect(scrollTo(5, 100, 500, 33)).toBe(100);
    expect(scrollTo(30, 100, 500, 33)).toBe(31 * 33 - 500);
  });
});

const lookup = (change: Partial<LookupAnswer>): LookupAnswer => ({
  time: "2026-05-12T12:00:00.000Z",
  interface: "eth0",
  transport: "udp",
  client: "10.0.0.1",
  client_port: 40_000,
  server: "10.0.0.53",
  server_port: 53,
  name: "www.example.org",
  type: "A",
  rcode: "NOERROR",
  latency_ms: 2,
  answers: [],
  truncated: false,
  ...change,
});

describe("lookups", () => {
  const all = [
    lookup({}),
    lookup({ name: "API.github.com", client: "10.0.0.2", latency_ms: 40 }),
    lookup({ rcode: "NXDOMAIN", name: "nothing.invalid" }),
    lookup({ rcode: null, latency_ms: null, transport: "tcp" }),
  ];
  const choose = (q: string, onlyFailures = false) =>
    chooseLookups(all, { filter: parseFilter(q), sinceMs: 0, untilMs: Infinity, onlyFailures }).map((found) =>
      all.indexOf(found),
    );

  test("obey the filter: the name asked for is the domain", () => {
    expect(choose("")).toHaveLength(4);
    expect(choose("domain *.github.com")).toEqual([1]);
    expect(choose("client 10.0.0.2 or tcp")).toEqual([1, 3]);
    expect(choose("rtt >= 10ms")).toEqual([1]);
    expect(choose("", true)).toEqual([2, 3]);
  });

  test("obey the time", () => {
    const at = Date.parse("2026-05-12T12:00:00Z");
    const within = { filter: null, onlyFailures: false };
    expect(chooseLookups(all, { ...within, sinceMs: at, untilMs: at })).toHaveLength(4);
    expect(chooseLookups(all, { ...within, sinceMs: at + 1, untilMs: Infinity })).toHaveLength(0);
  });

  test("are counted by how they ended and how fast", () => {
    expect(countRcodes(all)).toEqual([
      { rcode: "NOERROR", count: 2 },
      { rcode: "NXDOMAIN", count: 1 },
      { rcode: null, count: 1 },
    ]);
    expect(latencyBars(all).map(({ count }) => count)).toEqual([0, 2, 0, 0, 1, 0, 0, 0]);
    expect(latencyAt(all, 0.5)).toBe(2);
    expect(latencyAt(all, 0.95)).toBe(40);
    expect(latencyAt([], 0.5)).toBeNull();
  });
});

test("names are merged over their sources, largest first", () => {
  const group = (
    domain: string | null,
    source: string | null,
    bytes: number,
    rtt: number | null,
  ): GroupAnswer => ({
    key: { domain, source },
    bytes,
    packets: 1,
    bytes_sent: bytes / 4,
    bytes_received: (bytes * 3) / 4,
    packets_sent: 1,
    packets_received: 0,
    retransmits: 0,
    rtt_ms: rtt,
    rows: 1,
  });
  const rows = mergeNames(
    [group("a", "sni", 80, 10), group(null, null, 100, null), group("a", "dns", 40, 30)],
    "domain",
  );
  expect(rows).toMatchObject([
    { name: "a", bytes: 120, sent: 30, received: 90, rttMs: 20, sources: ["sni", "dns"] },
    { name: null, bytes: 100, rttMs: null, sources: [] },
  ]);
});

test("a conversation of the URL is what it was grouped by, and nonsense is none", () => {
  const key = { client: "10.0.0.1", server_port: 443, domain: null };
  expect(parseConversationId(conversationId(key))).toEqual(key);
  for (const id of ["12-3", "c:", "c:[1]", 'c:{"client":{}}', "c:null"])
    expect(parseConversationId(id)).toBeNull();
});

test("a question is asked the less often the more work it is, and not again where nothing changes", () => {
  const now = Date.parse("2026-05-12T12:00:00Z");
  const live = questionEvery({ kind: "live" }, () => now);
  expect(live({ scanned: 10 })).toBe(5000);
  expect(live({ scanned: 100_000 })).toBe(50_000);
  expect(live({ scanned: 10_000_000 })).toBe(60_000);
  const past = (untilMs: number) =>
    questionEvery({ kind: "past", sinceMs: 0, untilMs }, () => now)({ scanned: 10 });
  expect(past(now - 600_000)).toBe(Infinity);
  expect(past(now - 1000)).toBe(5000);
  let clock = now;
  const justPast = questionEvery({ kind: "past", sinceMs: 0, untilMs: now - 1000 }, () => clock);
  expect(justPast({})).toBe(5000);
  clock += 60_000;
  expect(justPast({})).toBe(Infinity);
});
