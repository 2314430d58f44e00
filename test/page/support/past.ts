/** History from before the agent was started: real rows of the last weeks, written and folded as the agent does it. */
import { openHistory } from "../../../src/history/history.ts";
import { NO_NAMING } from "../../../src/flow/naming.ts";
import type { Identity } from "../../../src/history/types.ts";
import { addressBytes } from "../../support/bytes.ts";
import { type HistoryRow, RowFeed } from "../../support/history-rows.ts";
import { VETH } from "../../lab/support/lab.ts";
import { options, until } from "../../unit/history/fixture.ts";
import { numbers } from "../../unit/history/rows.ts";
import { busyness, CAST, clientAddress, clientPort, type Role } from "./cast.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 10_000;
const PACKET_BYTES = 1100;
const ACK_BYTES = 80;
const WRITTEN_AT_ONCE = 20_000;
const [TCP, UDP] = [6, 17];

export interface PastOptions {
  /** History begins so long before now, in whole days. */
  days: number;
  /** It ends so long before now. */
  endsAgoMs: number;
  /** Of a time of day at which days are busiest; in the afternoon unless given. */
  peakMs?: number;
}

/** A stretch of history: a row each so long. */
interface Stretch {
  sinceMs: number;
  untilMs: number;
  everyMs: number;
}

function identity(role: Role, index: number): Identity {
  const hasHello = role.source === "sni" || role.source === "quic";
  return {
    client: addressBytes(clientAddress(index)),
    server: addressBytes(role.server),
    clientPort: clientPort(role, index),
    serverPort: role.port,
    protocol: role.protocol === "tcp" ? TCP : UDP,
    interface: VETH,
    naming: {
      ...NO_NAMING,
      domain: role.name,
      domainSource: role.source,
      ...(hasHello
        ? { alpn: role.source === "sni" ? ["h2", "http/1.1"] : ["h3"], tlsVersion: "TLS 1.3" }
        : {}),
    },
  };
}

/** Finer towards now, as what one looks at is. */
function stretches({ days, endsAgoMs }: PastOptions, nowMs: number): Stretch[] {
  const hours = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  const end = nowMs - endsAgoMs;
  const edges = [
    { sinceMs: hours - days * DAY_MS, everyMs: HOUR_MS },
    { sinceMs: hours - DAY_MS, everyMs: 10 * MINUTE_MS },
    { sinceMs: hours - 2 * HOUR_MS, everyMs: MINUTE_MS },
    { sinceMs: Math.floor((nowMs - 20 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS, everyMs: WINDOW_MS },
  ];
  return edges.map(({ sinceMs, everyMs }, index) => ({
    sinceMs,
    untilMs: Math.min(edges[index + 1]?.sinceMs ?? end, end),
    everyMs,
  }));
}

/** Rows of all stretches, oldest first, the same each time but for the time they begin at. */
export function pastRows(past: PastOptions, nowMs: number): HistoryRow[] {
  const pick = numbers(11);
  const connections = CAST.flatMap((role) =>
    Array.from({ length: role.clients }, (_, index) => ({ role, connection: identity(role, index) })),
  );
  return stretches(past, nowMs).flatMap(({ sinceMs, untilMs, everyMs }) => {
    const times = Array.from(
      { length: Math.max(0, Math.ceil((untilMs - sinceMs) / everyMs)) },
      (_, index) => sinceMs + index * everyMs,
    );
    return times.flatMap((timestampMs) =>
      connections.map(({ role, connection }): HistoryRow => {
        const amount = (busyness(timestampMs, past.peakMs) * everyMs * (40 + pick(120))) / HOUR_MS / 100;
        const bytesSent = 60 + Math.round(role.sent * amount);
        const bytesReceived = 60 + Math.round(role.received * amount);
        return {
          connection,
          timestampMs,
          kind: "window",
          direction: "ingress",
          packetsSent:
            1 + Math.floor(bytesSent / PACKET_BYTES) + Math.floor(bytesReceived / PACKET_BYTES / 4),
          bytesSent: bytesSent + Math.floor(bytesReceived / PACKET_BYTES / 4) * ACK_BYTES,
          packetsReceived: 1 + Math.floor(bytesReceived / PACKET_BYTES),
          bytesReceived,
          tcpFlags: role.protocol === "tcp" ? 0x18 : 0,
          rttNs: role.rttMs === null ? null : Math.round(role.rttMs * 1e6 * (0.9 + pick(20) / 100)),
          retransmits: role.protocol === "tcp" && pick(6) === 0 ? 1 + pick(3) : 0,
        };
      }),
    );
  });
}

/** Writes rows to a new database at `path` and folds what can be folded. */
export async function writePast(path: string, rows: readonly HistoryRow[]): Promise<void> {
  const history = openHistory({ ...options("/", {}), path });
  const feed = new RowFeed(history.writer);
  for (let from = 0; from < rows.length; from += WRITTEN_AT_ONCE) {
    for (const row of rows.slice(from, from + WRITTEN_AT_ONCE)) {
      if (!feed.append(row)) throw new Error("a row was dropped");
    }
    await until(() => history.status().queued === 0);
  }
  history.folding.start();
  await history.folding.settled();
  await history.close();
}

export interface Sums {
  bytes: number;
  sent: number;
  received: number;
}

/** Sums over the rows from `sinceMs` to before `untilMs` by what `keyOf` says, largest first. */
export function sumRows(
  rows: readonly HistoryRow[],
  sinceMs: number,
  untilMs: number,
  keyOf: (row: HistoryRow) => string,
): [key: string, sums: Sums][] {
  const all = new Map<string, Sums>();
  for (const row of rows) {
    if (row.timestampMs < sinceMs || row.timestampMs >= untilMs) continue;
    const sums = all.get(keyOf(row)) ?? { bytes: 0, sent: 0, received: 0 };
    sums.sent += row.bytesSent;
    sums.received += row.bytesReceived;
    sums.bytes += row.bytesSent + row.bytesReceived;
    all.set(keyOf(row), sums);
  }
  return [...all].toSorted(([, a], [, b]) => b.bytes - a.bytes);
}
