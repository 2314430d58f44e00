import type { SqlConnection } from "./connection.ts";
import { ID_MS_SQL, ID_SUB_SQL, joinId } from "./rowid.ts";

/** The first id of the last `count` rows, or late rows, from `low` to `high`; `low` when there are fewer. */
export function chunkStart(
  db: SqlConnection,
  low: bigint,
  high: bigint,
  count: number,
  table: "rows" | "late" = "rows",
): bigint {
  const border = db
    .query<{ ms: number; sub: number }, [bigint, bigint, number]>(
      `SELECT ${ID_MS_SQL} AS ms, ${ID_SUB_SQL} AS sub FROM ${table} AS r WHERE r.id BETWEEN ? AND ?
       ORDER BY r.id DESC LIMIT 1 OFFSET ?`,
    )
    .get(low, high, count - 1);
  return border === null ? low : joinId(border.ms, border.sub);
}
