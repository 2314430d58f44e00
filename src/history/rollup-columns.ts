import type { RollupColumns } from "./rollup-types.ts";

/** Columns for `capacity` entries, empty. */
export function newColumns(capacity: number): RollupColumns {
  return {
    length: 0,
    conversation: new Float64Array(capacity),
    direction: new Uint8Array(capacity),
    rows: new Float64Array(capacity),
    packetsSent: new Float64Array(capacity),
    bytesSent: new Float64Array(capacity),
    packetsReceived: new Float64Array(capacity),
    bytesReceived: new Float64Array(capacity),
    retransmits: new Float64Array(capacity),
    tcpFlags: new Uint16Array(capacity),
    rttRows: new Float64Array(capacity),
    rttSumNs: new Float64Array(capacity),
  };
}

/** Appends an entry without anything in it; there must be room. */
export function beginEntry(to: RollupColumns, conversation: number, direction: number): void {
  const at = to.length++;
  to.conversation[at] = conversation;
  to.direction[at] = direction;
  to.rows[at] = 0;
  to.packetsSent[at] = 0;
  to.bytesSent[at] = 0;
  to.packetsReceived[at] = 0;
  to.bytesReceived[at] = 0;
  to.retransmits[at] = 0;
  to.tcpFlags[at] = 0;
  to.rttRows[at] = 0;
  to.rttSumNs[at] = 0;
}

/** Appends entry `index` of `from`; there must be room. */
export function appendEntry(to: RollupColumns, from: RollupColumns, index: number): void {
  beginEntry(to, from.conversation[index] ?? 0, from.direction[index] ?? 0);
  addEntry(to, to.length - 1, from, index);
}

/** Adds the sums of entry `index` of `from` to those of entry `at`. */
export function addEntry(to: RollupColumns, at: number, from: RollupColumns, index: number): void {
  to.rows[at]! += from.rows[index] ?? 0;
  to.packetsSent[at]! += from.packetsSent[index] ?? 0;
  to.bytesSent[at]! += from.bytesSent[index] ?? 0;
  to.packetsReceived[at]! += from.packetsReceived[index] ?? 0;
  to.bytesReceived[at]! += from.bytesReceived[index] ?? 0;
  to.retransmits[at]! += from.retransmits[index] ?? 0;
  to.tcpFlags[at]! |= from.tcpFlags[index] ?? 0;
  to.rttRows[at]! += from.rttRows[index] ?? 0;
  to.rttSumNs[at]! += from.rttSumNs[index] ?? 0;
}

/** Below 0, 0 or above 0 as entry `i` of `a` comes before, with or after entry `j` of `b`: by conversation, then direction. */
export function compareEntries(a: RollupColumns, i: number, b: RollupColumns, j: number): number {
  return (a.conversation[i] ?? 0) - (b.conversation[j] ?? 0) || (a.direction[i] ?? 0) - (b.direction[j] ?? 0);
}
