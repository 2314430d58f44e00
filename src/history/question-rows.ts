import { findConversations, type IdRange } from "./candidates.ts";
import { chunkStart } from "./chunks.ts";
import { allOf, type Bound, type Condition } from "./condition.ts";
import type { Filter } from "./filter.ts";
import { DETAIL_JOIN } from "./naming-table.ts";
import type { Entries } from "./question-accumulator.ts";
import type { TimeSpan } from "./question-plan.ts";
import type { QuestionConnection } from "./question-pool.ts";
import { LATE_RANGE_SQL, LATE_ROWS_SQL } from "./rollup-reader.ts";
import type { RollupColumns } from "./rollup-types.ts";
import { ID_MS_SQL, idsBetween, msOfIdMs } from "./rowid.ts";

/** Rows read by one statement, some 1 ms; with a filter each takes longer. */
const CHUNK_ROWS = 2048;
const CHUNK_FILTERED_ROWS = 1024;

type N = number;
type Row = [N, N, N, N, N, N, N, N | null, N];

const COLUMNS = `r.conversation_id, r.direction, r.packets_sent, r.bytes_sent, r.packets_received, r.bytes_received,
  r.retransmits, r.rtt, ${ID_MS_SQL}`;
const CONVERSATION_JOIN = `CROSS JOIN conversations AS c ON c.id = r.conversation_id ${DETAIL_JOIN}`;

function columnsFor(capacity: number): RollupColumns {
  const column = () => new Float64Array(capacity);
  return {
    length: 0,
    conversation: column(),
    direction: new Uint8Array(capacity),
    rows: column().fill(1),
    packetsSent: column(),
    bytesSent: column(),
    packetsReceived: column(),
    bytesReceived: column(),
    retransmits: column(),
    tcpFlags: new Uint16Array(capacity),
    rttRows: column(),
    rttSumNs: column(),
  };
}

/** Reads rows as entries of one row each. The columns are used again for the next. */
export class RowSource {
  private readonly columns = columnsFor(CHUNK_ROWS);
  private readonly points = new Int32Array(CHUNK_ROWS);

  private readonly where: Condition | null;
  private readonly conversations: ReadonlySet<number> | null;
  private readonly rowsPerRead: number;

  constructor(
    private readonly connection: Pick<QuestionConnection, "db" | "walk">,
    /** null: all rows, told from one another by their conversation later. */
    private readonly filter: Filter | null,
    /** Tells the point of a time in milliseconds since the epoch. */
    private readonly pointOf: (ms: number) => number,
  ) {
    this.where = filter === null ? null : allOf(filter.row);
    this.conversations = filter === null ? null : findConversations(connection.db, filter);
    this.rowsPerRead = filter === null ? CHUNK_ROWS : Math.ceil(CHUNK_FILTERED_ROWS / filter.weight);
  }

  /** The rows of a time in whole milliseconds, newest first, and how many were looked at; or those that are late. */
  *read(table: "rows" | "late", { sinceMs, untilMs }: TimeSpan): Generator<Entries & { scanned: number }> {
    const { low, high } = idsBetween(sinceMs, untilMs);
    const ranges = table === "rows" ? this.candidates({ low, high }) : [{ low, high }];
    for (const range of ranges) {
      if (range === null) yield this.entries([], 0);
      else yield* this.readRange(table, range);
    }
  }

  /** Ranges that may have matching rows, which do not overlap, from the newest down; null after some that have none. */
  private *candidates(range: IdRange): Generator<IdRange | null> {
    const { filter, conversations } = this;
    if (filter === null || (conversations === null && filter.ports.length === 0)) {
      yield range;
      return;
    }
    if (conversations?.size === 0) return;
    let next = range.high;
    for (const { rest, found } of this.connection.walk.candidates(range, conversations, filter.ports)) {
      if (rest < next) next = rest;
      const low = found === null || found.low < range.low ? range.low : found.low;
      if (found === null || low > next) {
        yield null;
        continue;
      }
      yield { low, high: next };
      next = low - 1n;
    }
  }

  private *readRange(
    table: "rows" | "late",
    { low, high }: IdRange,
  ): Generator<Entries & { scanned: number }> {
    const { where, rowsPerRead } = this;
    const { db } = this.connection;
    const [source, inRange] =
      table === "rows" ? ["rows AS r", "r.id BETWEEN ? AND ?"] : [LATE_ROWS_SQL, LATE_RANGE_SQL];
    const sql = `SELECT ${COLUMNS} FROM ${source} ${where === null ? "" : CONVERSATION_JOIN}
      WHERE ${inRange} AND ${where?.sql ?? "true"}`;
    let last = high;
    while (last >= low) {
      const first = chunkStart(db, low, last, rowsPerRead, table);
      const found = db.query<unknown, Bound[]>(sql).values(first, last, ...(where?.bound ?? [])) as Row[];
      // As many as were looked at, but for the last, of which those that match are known.
      yield this.entries(found, first === low ? found.length : rowsPerRead);
      last = first - 1n;
    }
  }

  private entries(rows: readonly Row[], scanned: number): Entries & { scanned: number } {
    this.fill(rows);
    return { columns: this.columns, points: this.points, isFiltered: this.filter !== null, scanned };
  }

  private fill(rows: readonly Row[]): void {
    const { columns, points } = this;
    columns.length = rows.length;
    for (const [index, row] of rows.entries()) {
      const rtt = row[7];
      columns.conversation[index] = row[0];
      columns.direction[index] = row[1];
      columns.packetsSent[index] = row[2];
      columns.bytesSent[index] = row[3];
      columns.packetsReceived[index] = row[4];
      columns.bytesReceived[index] = row[5];
      columns.retransmits[index] = row[6];
      columns.rttRows[index] = rtt === null ? 0 : 1;
      columns.rttSumNs[index] = rtt ?? 0;
      points[index] = this.pointOf(msOfIdMs(row[8]));
    }
  }
}
