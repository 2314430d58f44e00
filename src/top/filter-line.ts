import { completeFilter, type CompletionValues } from "../filter/complete.ts";
import { FilterError } from "../filter/errors.ts";
import { parseFilter } from "../filter/parse.ts";
import type { Problem } from "./state.ts";

/** What is wrong with a filter; null for one that can be asked. */
export function problemOf(text: string): Problem | null {
  try {
    parseFilter(text);
    return null;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { message: error.problem, position: { at: error.at, length: error.length } };
  }
}

/** What Tab makes of a line. */
export interface Completed {
  text: string;
  cursor: number;
  /** What may stand there, when it is not one thing only. */
  offered: readonly string[];
}

/** As much as all of them begin with, in any case of letters. */
function commonStart(words: readonly string[]): string {
  const [first = "", ...others] = words;
  const differs = (at: number) => others.some((word) => word[at]?.toLowerCase() !== first[at]?.toLowerCase());
  let length = 0;
  while (length < first.length && !differs(length)) length++;
  return first.slice(0, length);
}

/** Completes the word at the cursor as a shell does: as far as there is no choice, and what there is to choose from. */
export function completed(text: string, cursor: number, values: CompletionValues): Completed {
  const found = completeFilter(text, cursor, values);
  const [first] = found;
  if (first === undefined) return { text, cursor, offered: [] };
  const words = found.map((completion) => completion.text);
  const start = commonStart(words);
  const isOnly = words.length === 1;
  const typed = text.slice(first.from, cursor);
  // Values that only contain what was typed have no common start with it.
  const isLonger = start.toLowerCase().startsWith(typed.toLowerCase());
  if (!isOnly && !isLonger) return { text, cursor, offered: words };
  const inserted = isOnly ? `${first.text} ` : start;
  const before = text.slice(0, first.from) + inserted;
  const after = text.slice(first.to);
  return {
    text: before + (isOnly ? after.trimStart() : after),
    cursor: before.length,
    offered: isOnly ? [] : words,
  };
}
