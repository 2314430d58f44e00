import { splitMeta } from "../bpf/slots.ts";
import { PATH_SEPARATOR } from "./path.ts";
import { NO_POINT } from "./points.ts";
import type { FlowTable } from "./table.ts";

/** The interfaces that saw a connection, given by its primary, as a path (see path.ts). */
export function pathOf(
  table: FlowTable,
  primary: number,
  interfaceName: (ifindex: number) => string,
): string {
  const { points } = table;
  let path = interfaceName(splitMeta(table.meta(primary)).ifindex);
  for (let point = points.next(primary); point !== NO_POINT; point = points.next(point)) {
    path += PATH_SEPARATOR + interfaceName(splitMeta(table.meta(point)).ifindex);
  }
  return path;
}
