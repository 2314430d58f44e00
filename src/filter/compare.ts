import { shown } from "./errors.ts";
import type { Comparison, End, FilterTest } from "./types.ts";
import { MAX_PORT, readValue, type Reading, type Value } from "./values.ts";
import type { Field } from "./words.ts";

type PortTest = Extract<FilterTest, { kind: "port" }>;

/** The ports that compare so with one port, or with a range. */
function comparePort(test: PortTest, comparison: Comparison, text: string): Reading {
  const { low, high } = test;
  if (comparison === "=" || comparison === "!=") return { test, isNegated: comparison === "!=" };
  if (low !== high) return { problem: `${shown(text)} is a range: write it with = or !=` };
  const range = comparison.startsWith("<") ? { low: 0, high: low } : { low, high: MAX_PORT };
  if (comparison === "<") range.high--;
  if (comparison === ">") range.low++;
  if (range.low > range.high) return { problem: `no port is ${comparison} ${low}` };
  return { test: { ...test, ...range } };
}

/** What `field` of `end` comparing so with `value` means; null where the field has no order. */
export function readComparison(field: Field, end: End, comparison: Comparison, value: Value): Reading | null {
  const reading = readValue(field, end, value);
  if ("problem" in reading) return reading;
  const { test, isNegated = false } = reading;
  if (test.kind === "number") return { test: { ...test, comparison } };
  if (test.kind === "port") return comparePort(test, comparison, value.text);
  if (comparison === "=") return reading;
  return comparison === "!=" ? { test, isNegated: !isNegated } : null;
}
