/** Traffic of some days, folded, and what plain SQL over its rows says. */
import { join } from "node:path";
import type { Database } from "bun:sqlite";
import ipaddr from "ipaddr.js";
import { formatAddress } from "../../../src/flow/address.ts";
import { NO_NAMING, type Naming } from "../../../src/flow/naming.ts";
import { protocolName } from "../../../src/flow/protocol.ts";
import type { History, HistoryOptions } from "../../../src/history/history.ts";
import type { GroupKey, Sums } from "../../../src/history/question-types.ts";
import { EPOCH_MS } from "../../../src/history/rowid.ts";
import { Random } from "../../fuzz/random.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { append, connection, named, open, row } from "./fixture.ts";

export const DAY_MS = 86_400_000;
export const FIRST_MS = Date.UTC(2026, 2, 1);
export const DAYS = 3;
export const UNTIL_MS = FIRST_MS + DAYS * DAY_MS;

/** Names, and what was registered for them. */
const REGISTERED: Readonly<Record<string, string>> = {
  "www.example.co.uk": "example.co.uk",
  "mail.example.co.uk": "example.co.uk",
  "example.org": "example.org",
  localhost: "localhost",
};

const NAMINGS: readonly Naming[] = [
  NO_NAMING,
  named("www.example.co.uk"),
  named("www.example.co.uk", { domainSource: "dns" }),
  named("mail.example.co.uk", { domainSource: "quic", ja4: "q13d" }),
  named("example.org", { ja4: "t13d" }),
  named("localhost", { domainSource: "ptr" }),
];

/** Rows of DAYS days: windows of ten seconds and some packets, mostly of the last hours. */
export function makeTraffic(rows: number, seed = 3): HistoryRow[] {
  const random = new Random(seed);
  const connections = Array.from({ length: 250 }, (_, index) =>
    connection(index, {
      client: Uint8Array.of(10, 0, index % 3, index % 100),
      ...(index % 6 === 0
        ? {
            client: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, index % 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, index % 50),
            server: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, index % 5),
          }
        : {}),
      serverPort: [443, 53, 8443][index % 3] ?? 0,
      protocol: [6, 17, 132, 47][index % 4] ?? 0,
      interface: `eth${index % 2}`,
      naming: NAMINGS[index % NAMINGS.length] ?? NO_NAMING,
    }),
  );
  return Array.from({ length: rows }, (_, index) => {
    const isPacket = random.oneIn(10);
    const at = random.oneIn(3)
      ? UNTIL_MS - 1 - random.below(3_600_000)
      : FIRST_MS + random.below(DAYS * DAY_MS);
    const isReceived = random.oneIn(2);
    return row(connections[random.below(250)] ?? connection(0), {
      direction: random.oneIn(2) ? "ingress" : "egress",
      kind: isPacket ? "packet" : "window",
      timestampMs: isPacket ? at + random.below(1000) / 1000 : Math.floor(at / 10_000) * 10_000,
      packetsSent: isPacket && isReceived ? 0 : 1 + random.below(9),
      bytesSent: isPacket && isReceived ? 0 : index,
      packetsReceived: isPacket && !isReceived ? 0 : 1 + random.below(5),
      bytesReceived: isPacket && !isReceived ? 0 : random.below(100_000),
      retransmits: random.oneIn(5) ? random.below(4) : 0,
      rttNs: random.oneIn(3) ? null : random.below(50_000_000),
    });
  });
}

/** Writes rows, in order of time, and folds what can be at the end of the last day. */
export async function writeFolded(
  stack: AsyncDisposableStack,
  folder: string,
  rows: readonly HistoryRow[],
  changes: Partial<HistoryOptions> = {},
): Promise<{ history: History; path: string }> {
  // The last minutes are not folded.
  const history = open(stack, folder, { now: () => UNTIL_MS - 120_000, ...changes });
  for (const each of rows.toSorted((a, b) => a.timestampMs - b.timestampMs)) append(history, each);
  await history.writer.flush(60_000);
  history.folding.start();
  await history.folding.settled();
  return { history, path: join(folder, "traffic.db") };
}

/** Rows of one conversation, or of one and a point of time, added up. */
interface SummedRows {
  client: Uint8Array;
  server: Uint8Array;
  server_port: number;
  protocol: number;
  interface: string;
  domain: string | null;
  source: string | null;
  point: number;
  rows: number;
  packetsSent: number;
  bytesSent: number;
  packetsReceived: number;
  bytesReceived: number;
  retransmits: number;
  rttRows: number;
  rttSum: number;
}

function networkOf(address: Uint8Array): string {
  const parsed = ipaddr.fromByteArray([...address]);
  const [length, whole] = parsed.kind() === "ipv4" ? [24, 4] : [48, 16];
  const bytes = parsed.toByteArray().map((byte, index) => (index < length / 8 ? byte : 0));
  return `${ipaddr.fromByteArray(bytes.slice(0, whole)).toString()}/${length}`;
}

const VALUES: Readonly<Record<GroupKey, (of: SummedRows) => string | number | null>> = {
  client: ({ client }) => formatAddress(client),
  server: ({ server }) => formatAddress(server),
  server_port: ({ server_port }) => server_port,
  protocol: ({ protocol }) => protocolName(protocol),
  interface: (of) => of.interface,
  domain: ({ domain }) => domain,
  registered_domain: ({ domain }) => (domain === null ? null : (REGISTERED[domain] ?? domain)),
  source: ({ source }) => source,
  client_network: ({ client }) => networkOf(client),
  server_network: ({ server }) => networkOf(server),
};

/** Sums that add up: without a mean. */
export type PlainSums = Omit<Sums, "rttMeanNs"> & { rttRows: number; rttSum: number };

export function addUp(parts: readonly PlainSums[]): PlainSums {
  const add = (pick: (part: PlainSums) => number) => parts.reduce((sum, part) => sum + pick(part), 0);
  return {
    rows: add((part) => part.rows),
    packetsSent: add((part) => part.packetsSent),
    bytesSent: add((part) => part.bytesSent),
    packetsReceived: add((part) => part.packetsReceived),
    bytesReceived: add((part) => part.bytesReceived),
    retransmits: add((part) => part.retransmits),
    rttRows: add((part) => part.rttRows),
    rttSum: add((part) => part.rttSum),
  };
}

export function withMean({ rttRows, rttSum, ...sums }: PlainSums): Sums {
  return { ...sums, rttMeanNs: rttRows === 0 ? null : rttSum / rttRows };
}

export interface PlainGroup {
  sums: PlainSums;
  /** By the start of the point. */
  points: Map<number, PlainSums>;
}

/** Groups of the rows of a time by JSON of their values, summed in SQL by all that tells conversations apart. */
export function plainGroups(
  db: Database,
  spans: readonly { sinceMs: number; untilMs: number }[],
  where: string,
  groupBy: readonly GroupKey[],
  stepMs = 1e15,
): Map<string, PlainGroup> {
  const groups = new Map<string, PlainGroup>();
  for (const { sinceMs, untilMs } of spans) {
    const found = db
      .query<SummedRows, []>(
        `SELECT client, server, server_port, protocol, i.name AS interface, d.name AS domain,
           nullif(t.source, '') AS source,
           ((r.id >> 22) + ${EPOCH_MS}) / ${stepMs} * ${stepMs} AS point, count(*) AS rows,
           sum(packets_sent) AS packetsSent, sum(bytes_sent) AS bytesSent, sum(packets_received) AS packetsReceived,
           sum(bytes_received) AS bytesReceived, sum(retransmits) AS retransmits, count(rtt) AS rttRows,
           coalesce(sum(rtt), 0) AS rttSum
         FROM rows AS r JOIN conversations AS c ON c.id = conversation_id LEFT JOIN domains AS d ON d.id = c.domain_id
           LEFT JOIN details AS t ON t.id = c.detail_id JOIN interfaces AS i ON i.id = c.interface_id
         WHERE r.id >= ${sinceMs - EPOCH_MS} << 22 AND r.id < ${untilMs - EPOCH_MS} << 22 AND ${where}
         GROUP BY conversation_id, point`,
      )
      .all();
    for (const each of found) {
      const key = JSON.stringify(groupBy.map((name) => VALUES[name](each)));
      const group = groups.get(key) ?? { sums: addUp([]), points: new Map<number, PlainSums>() };
      group.sums = addUp([group.sums, each]);
      group.points.set(each.point, addUp([group.points.get(each.point) ?? addUp([]), each]));
      groups.set(key, group);
    }
  }
  return groups;
}
