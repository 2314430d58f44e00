import type * as Grammar from "./grammar.ts";
import { FilterError } from "./errors.ts";
import type { FilterExpression } from "./types.ts";

/** UTF-16 units of a filter at most. */
export const MAX_FILTER = 4096;

/**
 * Reads a filter; null for blank text, which asks for everything. See docs/filter.md for the language.
 * @throws FilterError saying what is wrong and where.
 */
export function parseFilter(text: string): FilterExpression | null {
  if (text.length > MAX_FILTER) {
    const problem = `the filter is ${text.length} characters long; at most ${MAX_FILTER} are read`;
    throw new FilterError(problem, MAX_FILTER, text.length - MAX_FILTER, text);
  }
  // Half a surrogate pair is bound to SQL as another character than it is to a predicate.
  return text.trim() === "" ? null : grammar().parse(text.toWellFormed());
}

/** The grammar, loaded when it is first needed: the parser library takes some megabytes, and a filter may never come. */
export function grammar(): typeof Grammar {
  return require("./grammar.ts") as typeof Grammar;
}
