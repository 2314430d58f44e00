import type { QuestionOrder, Sums } from "./question-types.ts";
import type { RollupColumns } from "./rollup-types.ts";

const WIDTH = 8;
const ROWS = 0;
const PACKETS_SENT = 1;
const BYTES_SENT = 2;
const PACKETS_RECEIVED = 3;
const BYTES_RECEIVED = 4;
const RETRANSMITS = 5;
const RTT_ROWS = 6;
const RTT_SUM_NS = 7;

/** What is added up for each order. */
const ORDERED: Readonly<Record<QuestionOrder, readonly number[]>> = {
  bytes: [BYTES_SENT, BYTES_RECEIVED],
  packets: [PACKETS_SENT, PACKETS_RECEIVED],
  bytes_sent: [BYTES_SENT],
  bytes_received: [BYTES_RECEIVED],
  packets_sent: [PACKETS_SENT],
  packets_received: [PACKETS_RECEIVED],
  retransmits: [RETRANSMITS],
  rows: [ROWS],
};

/** Sums by number, 64 bytes each. */
export class SumTable {
  private cells: Float64Array;

  constructor(capacity = 64) {
    this.cells = new Float64Array(capacity * WIDTH);
  }

  /** Makes room for sums of numbers below `count`. */
  reserve(count: number): void {
    if (count * WIDTH <= this.cells.length) return;
    const cells = new Float64Array(Math.max(count, (this.cells.length / WIDTH) * 2) * WIDTH);
    cells.set(this.cells);
    this.cells = cells;
  }

  /** Adds entry `index` of `columns`. */
  add(to: number, columns: RollupColumns, index: number): void {
    const { cells } = this;
    const at = to * WIDTH;
    cells[at + ROWS]! += columns.rows[index] ?? 0;
    cells[at + PACKETS_SENT]! += columns.packetsSent[index] ?? 0;
    cells[at + BYTES_SENT]! += columns.bytesSent[index] ?? 0;
    cells[at + PACKETS_RECEIVED]! += columns.packetsReceived[index] ?? 0;
    cells[at + BYTES_RECEIVED]! += columns.bytesReceived[index] ?? 0;
    cells[at + RETRANSMITS]! += columns.retransmits[index] ?? 0;
    cells[at + RTT_ROWS]! += columns.rttRows[index] ?? 0;
    cells[at + RTT_SUM_NS]! += columns.rttSumNs[index] ?? 0;
  }

  /** Adds what another table has at `from`. */
  addFrom(to: number, table: SumTable, from: number): void {
    for (let column = 0; column < WIDTH; column++) {
      this.cells[to * WIDTH + column]! += table.cells[from * WIDTH + column] ?? 0;
    }
  }

  hasRows(at: number): boolean {
    return (this.cells[at * WIDTH + ROWS] ?? 0) > 0;
  }

  /** What groups are ordered by. */
  size(at: number, order: QuestionOrder): number {
    return ORDERED[order].reduce((size, column) => size + (this.cells[at * WIDTH + column] ?? 0), 0);
  }

  read(at: number): Sums {
    const cell = (column: number) => this.cells[at * WIDTH + column] ?? 0;
    const rttRows = cell(RTT_ROWS);
    return {
      rows: cell(ROWS),
      packetsSent: cell(PACKETS_SENT),
      bytesSent: cell(BYTES_SENT),
      packetsReceived: cell(PACKETS_RECEIVED),
      bytesReceived: cell(BYTES_RECEIVED),
      retransmits: cell(RETRANSMITS),
      rttMeanNs: rttRows === 0 ? null : cell(RTT_SUM_NS) / rttRows,
    };
  }
}
