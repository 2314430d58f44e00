export type Bound = number | bigint | Uint8Array | string;

/** A condition in SQL with its parameters, in order. */
export interface Condition {
  sql: string;
  bound: Bound[];
}

/** Conditions joined by AND; none always hold. */
export function allOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(" AND ") || "true",
    bound: conditions.flatMap(({ bound }) => bound),
  };
}
