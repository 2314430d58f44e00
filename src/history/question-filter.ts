import { filterNeeds, filterWeight, simplifyForRollup } from "../filter/needs.ts";
import { compileSql } from "../filter/sql.ts";
import type { FilterExpression } from "../filter/types.ts";
import { buildFilter, type Filter } from "./filter.ts";
import type { EntryFilter } from "./question-lookup.ts";
import type { LevelChoice } from "./question-plan.ts";

/** How a filter is applied to what is read. */
export interface QuestionFilter {
  choice: LevelChoice;
  /** Of single rows; null where `entries` does for them too. */
  rows: Filter | null;
  /** Of sums by conversation and direction; null where all pass. */
  entries: EntryFilter | null;
}

function entryFilter(expression: FilterExpression | boolean): EntryFilter | null {
  if (expression === true) return null;
  if (expression === false)
    return { condition: { sql: "false", bound: [] }, usesDirection: false, weight: 1 };
  return {
    condition: compileSql(expression),
    usesDirection: filterNeeds(expression).has("direction"),
    weight: filterWeight(expression),
  };
}

/**
 * What can be asked of rollups is; client ports and who sent a packet of rows while there are any, and of rollups as far
 * as they tell; the counts of single rows of rows only. @throws FilterError for a test that history cannot answer.
 */
export function questionFilter(expression: FilterExpression | null): QuestionFilter {
  if (expression === null) return { choice: "coarsest", rows: null, entries: null };
  const needs = filterNeeds(expression);
  const rows = buildFilter({ limit: 1, filter: expression });
  if (needs.has("row_numbers")) return { choice: "raw_only", rows, entries: null };
  if (needs.has("client_port") || needs.has("packet_source")) {
    return { choice: "raw_first", rows, entries: entryFilter(simplifyForRollup(expression)) };
  }
  return { choice: "coarsest", rows: null, entries: entryFilter(expression) };
}
