import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { type DomainSource, NO_NAMING } from "../../../src/flow/naming.ts";
import type { History } from "../../../src/history/history.ts";
import type { DomainQuery, DomainTotals, TrafficSums } from "../../../src/history/types.ts";
import { append, connection, named, open, row, START_MS, temporaryFolder } from "./fixture.ts";

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
      append(
        history,
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
    expect(totals.notes).toEqual([]);
  };

  test("is what a plain sum says, largest first", async () => {
    const totals = await history.reader.domains(EVERYTHING);
    expectSums(totals, plainSums());
    const { sinceMs, untilMs } = EVERYTHING;
    expect(totals).toMatchObject({
      rows: ROWS,
      pruned: false,
      sinceMs,
      untilMs,
      level: "raw",
      scanned: ROWS,
    });
    expect(totals.parts).toEqual([{ level: "raw", sinceMs, untilMs }]);
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
    [{ source: "dns", interface: "eth0" }, "t.source = 'dns' AND i.name = 'eth0'"],
    [
      { sinceMs: START_MS + 5000, untilMs: START_MS + 20_000 },
      `rows.id >> 22 BETWEEN (SELECT min(id >> 22) + 5000 FROM rows) AND (SELECT min(id >> 22) + 19999 FROM rows)`,
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

  test("domains are folded into those that were registered", async () => {
    const totals = await history.reader.domains({ ...EVERYTHING, isFolded: true });
    expect(totals.domains.map(({ domain }) => domain).sort()).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((site) => `site${site}.example`),
    );
    const all = [...plainSums()].filter(([name]) => name !== null).map(([, sums]) => sums);
    expect(sum(totals.domains)).toEqual(sum(all));
  });
});
