import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { type DomainSource, NO_NAMING } from "../../../src/flow/naming.ts";
import { DomainTally } from "../../../src/history/domain-tally.ts";
import { HistoryQueryError } from "../../../src/history/errors.ts";
import type { History } from "../../../src/history/history.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import type { DomainQuery, DomainTotals, TrafficSums } from "../../../src/history/types.ts";
import { connection, named, open, row, START_MS, temporaryFolder } from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const ROWS = 30_000;
const SOURCES = ["sni", "dns", "quic"] as const;
const EVERYTHING: DomainQuery = {
  sinceMs: START_MS,
  untilMs: START_MS + ROWS,
  limit: 1000,
  order: "bytes",
};

function sum(parts: readonly TrafficSums[]): TrafficSums {
  const add = (pick: (part: TrafficSums) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    bytesSent: add((part) => part.bytesSent),
    bytesReceived: add((part) => part.bytesReceived),
    packetsSent: add((part) => part.packetsSent),
    packetsReceived: add((part) => part.packetsReceived),
  };
}

describe("traffic by domain", () => {
  const stack = new AsyncDisposableStack();
  let history: History;
  let path: string;

  beforeAll(async () => {
    const folder = temporaryFolder(stack);
    path = join(folder, "traffic.db");
    history = open(stack, folder);
    const connections = Array.from({ length: 300 }, (_, index) =>
      connection(index, {
        interface: `eth${index % 2}`,
        naming:
          index % 3 === 0
            ? NO_NAMING
            : named(`host${index % 40}.site${index % 7}.example`, {
                domainSource: SOURCES[index % 3] ?? "ptr",
                ja4: `t13d${index}`,
              }),
      }),
    );
    for (let index = 0; index < ROWS; index++) {
      const of = connections[(index * 7919) % 300] ?? connection(0);
      const isPacket = index % 5 === 0;
      history.writer.append(
        row(of, {
          timestampMs: START_MS + index + (isPacket ? 0.25 : 0),
          kind: isPacket ? "packet" : "window",
          bytesSent: index,
          bytesReceived: (index * 31) % 1000,
          packetsSent: index % 4,
          packetsReceived: index % 9,
        }),
      );
    }
    await history.writer.flush(30_000);
    expect(history.status().rowsWritten).toBe(ROWS);
  });
  afterAll(() => stack.disposeAsync());

  /** What SQL says of `where`, by domain, null for none. */
  const plainSums = (where = "true"): Map<string | null, TrafficSums> => {
    using db = new Database(path, { readonly: true });
    const found = db
      .query<TrafficSums & { name: string | null }, []>(
        `SELECT d.name, sum(bytes_sent) AS bytesSent, sum(bytes_received) AS bytesReceived,
           sum(packets_sent) AS packetsSent, sum(packets_received) AS packetsReceived
         FROM rows JOIN conversations AS c ON c.id = conversation_id LEFT JOIN domains AS d ON d.id = c.domain_id
           LEFT JOIN details AS t ON t.id = c.detail_id JOIN interfaces AS i ON i.id = c.interface_id
         WHERE ${where} GROUP BY d.name`,
      )
      .all();
    return new Map(found.map(({ name, ...sums }) => [name, sums]));
  };

  const expectSums = (totals: DomainTotals, expected: Map<string | null, TrafficSums>) => {
    const answered = totals.domains.map((traffic) => [traffic.domain, sum([traffic])] as const);
    const withName = [...expected].filter(([name]) => name !== null);
    expect(new Map<string | null, TrafficSums>(answered)).toEqual(new Map(withName));
    expect(totals.unnamed).toEqual(expected.get(null) ?? sum([]));
    expect(totals.other).toEqual(sum([]));
    expect(totals.nextCursor).toBeNull();
  };

  test("is what a plain sum says, largest first", async () => {
    const totals = await history.reader.domains(EVERYTHING);
    expectSums(totals, plainSums());
    expect(totals).toMatchObject({ rows: ROWS, pruned: false, summedSinceMs: START_MS });
    const sizes = totals.domains.map(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    const bySource = (source: DomainSource) =>
      totals.domains.reduce((bytes, { sources }) => bytes + (sources[source] ?? 0), 0);
    for (const source of ["dns", "quic"] as const) {
      const { bytesSent, bytesReceived } = sum([...plainSums(`t.source = '${source}'`).values()]);
      expect([source, bySource(source)]).toEqual([source, bytesSent + bytesReceived]);
      expect(bySource(source)).toBeGreaterThan(0);
    }
  });

  test.each<[Partial<DomainQuery>, string]>([
    [{ interface: "eth1" }, "i.name = 'eth1'"],
    [{ source: "dns" }, "t.source = 'dns'"],
    [{ source: "ptr" }, "false"],
    [
      { sinceMs: START_MS + 5000, untilMs: START_MS + 20_000 },
      `rows.id >> 22 BETWEEN (SELECT min(id >> 22) + 5000 FROM rows) AND (SELECT min(id >> 22) + 20000 FROM rows) AND bytes_sent <> 20000`,
    ],
  ])("%p: likewise", async (changes, where) => {
    expectSums(await history.reader.domains({ ...EVERYTHING, ...changes }), plainSums(where));
  });

  test("what is not among the largest is in `other`, and everything is somewhere", async () => {
    const totals = await history.reader.domains({ ...EVERYTHING, limit: 5, order: "packets" });
    const all = plainSums();
    const packets = ({ packetsSent, packetsReceived }: TrafficSums) => packetsSent + packetsReceived;
    const largest = [...all]
      .filter(([name]) => name !== null)
      .map(([, sums]) => packets(sums))
      .sort((a, b) => b - a)
      .slice(0, 5);
    expect(totals.domains.map(packets)).toEqual(largest);
    expect(sum([...totals.domains, totals.other, totals.unnamed])).toEqual(sum([...all.values()]));
  });

  test("domains are folded into what they are counted under", async () => {
    const fold = (domain: string) => domain.split(".").slice(-2).join(".");
    const totals = await history.reader.domains({ ...EVERYTHING, fold });
    expect(totals.domains.map(({ domain }) => domain).sort()).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((site) => `site${site}.example`),
    );
    const all = [...plainSums()].filter(([name]) => name !== null).map(([, sums]) => sums);
    expect(sum(totals.domains)).toEqual(sum(all));
  });

  test("a sum that time does not suffice for says where to go on", async () => {
    let ticks = 0;
    const hurried = createHistoryReader(path, () => (ticks += 3000));
    const parts: DomainTotals[] = [];
    let cursor: string | null = null;
    do {
      parts.push(await hurried.domains({ ...EVERYTHING, ...(cursor === null ? {} : { cursor }) }));
      cursor = parts.at(-1)?.nextCursor ?? null;
    } while (cursor !== null);
    hurried.close();
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.reduce((rows, part) => rows + part.rows, 0)).toBe(ROWS);
    const all = parts.flatMap(({ domains, other, unnamed }) => [...domains, other, unnamed]);
    expect(sum(all)).toEqual(sum([...plainSums().values()]));
    const reached = parts.map(({ summedSinceMs }) => summedSinceMs);
    expect(reached).toEqual(reached.toSorted((a, b) => b - a));
    expect(reached.at(-1)).toBe(START_MS);
    using db = new Database(path, { readonly: true });
    const newest = (sinceMs: number) =>
      db
        .query("SELECT count(*) AS n FROM rows WHERE id >> 22 >= (SELECT min(id >> 22) FROM rows) + ?")
        .get(sinceMs - START_MS);
    expect(newest(parts[0]?.summedSinceMs ?? 0)).toEqual({ n: (parts[0]?.rows ?? 0) - 1 });
  });

  test("the event loop runs meanwhile, and a sum nobody waits for ends", async () => {
    let ticks = 0;
    const slow = createHistoryReader(path, () => (ticks += 100));
    const abort = new AbortController();
    let turns = 0;
    const turn = () => {
      turns++;
      if (turns === 3) abort.abort();
      else setImmediate(turn);
    };
    setImmediate(turn);
    const totals = await slow.domains({ ...EVERYTHING, signal: abort.signal });
    expect(turns).toBe(3);
    expect(totals.nextCursor).not.toBeNull();
    expect(totals.rows).toBeLessThan(ROWS);
    slow.close();
  });

  test("closing ends a sum that is under way", async () => {
    let ticks = 0;
    const slow = createHistoryReader(path, () => (ticks += 100));
    const running = slow.domains(EVERYTHING);
    slow.close();
    expect((await running).nextCursor).not.toBeNull();
  });

  test("a bad cursor is told from a failure", async () => {
    expect(history.reader.domains({ ...EVERYTHING, cursor: "nonsense" })).rejects.toBeInstanceOf(
      HistoryQueryError,
    );
  });
});

test("with more domains than are kept, the large ones stay and nothing is lost", () => {
  const tally = new DomainTally("bytes", 100, 50);
  const part = (domain: string, bytesSent: number) => ({
    domain,
    source: "sni",
    bytesSent,
    bytesReceived: 0,
    packetsSent: 1,
    packetsReceived: 0,
  });
  for (let index = 0; index < 1000; index++) {
    tally.add(part(`small${index}.example`, 1));
    if (index % 100 === 0) tally.add(part("large.example", 1000));
  }
  const domains = tally.finish(10);
  expect(tally.pruned).toBe(true);
  expect(domains).toHaveLength(10);
  expect(domains[0]).toMatchObject({ domain: "large.example", bytesSent: 10_000, sources: { sni: 10_000 } });
  expect(sum([...domains, tally.other]).bytesSent).toBe(11_000);
});
