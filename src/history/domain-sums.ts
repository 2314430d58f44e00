import { chunkStart } from "./chunks.ts";
import type { SqlConnection } from "./connection.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { type DomainPart, DomainTally } from "./domain-tally.ts";
import { allOf, type Bound, type Condition } from "./filter.ts";
import { DETAIL_JOIN } from "./naming-table.ts";
import { msAfterId } from "./rowid.ts";
import { timeConditions, timeRange } from "./time-range.ts";
import type { DomainQuery, DomainTotals } from "./types.ts";

/** The event loop is held for about so long at a time, and all is over after so long. */
const SLICE_MS = 4;
const TOTAL_MS = 5000;
/** Rows summed between two looks at the clock: some 2 ms. */
const CHUNK_ROWS = 2048;

interface Group extends DomainPart {
  rows: number;
}

function conditionsOf(query: DomainQuery): Condition[] {
  const conditions = timeConditions(query);
  if (query.interface !== undefined) {
    const sql = "c.interface_id = (SELECT id FROM interfaces WHERE name = ?)";
    conditions.push({ sql, bound: [query.interface] });
  }
  if (query.source !== undefined) conditions.push({ sql: "t.source = ?", bound: [query.source] });
  return conditions;
}

function readGroups(db: SqlConnection, where: Condition, first: bigint, last: bigint): Group[] {
  const sql = `SELECT (SELECT name FROM domains WHERE id = c.domain_id) AS domain, t.source AS source,
      sum(r.bytes_sent) AS bytesSent, sum(r.bytes_received) AS bytesReceived,
      sum(r.packets_sent) AS packetsSent, sum(r.packets_received) AS packetsReceived, count(*) AS rows
    FROM rows AS r CROSS JOIN conversations AS c ON c.id = r.conversation_id ${DETAIL_JOIN}
    WHERE r.id BETWEEN ? AND ? AND ${where.sql} GROUP BY c.domain_id, t.source`;
  return db.query<Group, Bound[]>(sql).all(first, last, ...where.bound);
}

/**
 * Sums the traffic of a time range by domain, from the newest row down, in slices between which the event loop runs.
 * Time and memory are bounded: the answer says what was left out. `clock` gives monotonic milliseconds.
 * @throws HistoryQueryError for a bad cursor.
 */
export async function sumDomains(
  db: SqlConnection,
  clock: () => number,
  query: DomainQuery,
  isClosed: () => boolean,
): Promise<DomainTotals> {
  const deadline = clock() + TOTAL_MS;
  const range = timeRange(query, query.cursor === undefined ? null : decodeCursor(query.cursor));
  const where = allOf(conditionsOf(query));
  const tally = new DomainTally(query.order);
  const fold = query.fold ?? ((domain) => domain);
  let rows = 0;
  let next = range.high;
  let sliceEnd = clock() + SLICE_MS;
  while (next >= range.low) {
    const first = chunkStart(db, range.low, next, CHUNK_ROWS);
    for (const group of readGroups(db, where, first, next)) {
      rows += group.rows;
      tally.add(group.domain === null ? group : { ...group, domain: fold(group.domain) });
    }
    next = first - 1n;
    if (clock() < sliceEnd) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (isClosed() || query.signal?.aborted === true || clock() >= deadline) break;
    sliceEnd = clock() + SLICE_MS;
  }
  const isWhole = next < range.low;
  return {
    domains: tally.finish(query.limit),
    other: tally.other,
    unnamed: tally.unnamed,
    rows,
    pruned: tally.pruned,
    nextCursor: isWhole ? null : encodeCursor({ before: next + 1n, skip: 0 }),
    summedSinceMs: isWhole ? query.sinceMs : msAfterId(next),
  };
}
