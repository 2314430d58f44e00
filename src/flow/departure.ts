import { splitMeta } from "../bpf/slots.ts";
import { NO_POINT } from "./points.ts";
import type { FlowTable } from "./table.ts";

/**
 * An interface went. A connection that is seen at none that is watched any more is over: the same addresses and ports at
 * another interface begin a new one. Otherwise that would count only once it had more packets than the one before.
 */
export function endUnseen(table: FlowTable, ifindex: number, isWatched: (ifindex: number) => boolean): void {
  const ifindexOf = (slot: number) => splitMeta(table.meta(slot)).ifindex;
  for (const slot of table.live.subarray(0, table.size)) {
    if (ifindexOf(slot) !== ifindex) continue;
    const primary = table.points.primary(slot);
    let isSeen = false;
    for (let point = primary; point !== NO_POINT; point = table.points.next(point)) {
      isSeen ||= isWatched(ifindexOf(point));
    }
    if (!isSeen) table.points.close(primary);
  }
}
