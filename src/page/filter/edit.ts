import { FilterError } from "../../filter/errors.ts";
import { quoted } from "../../filter/format.ts";
import { parseFilter } from "../../filter/parse.ts";
import type { FilterExpression } from "../../filter/types.ts";
import { splitPath } from "../../flow/path.ts";

export type Checked =
  | { isValid: true; expression: FilterExpression | null }
  | { isValid: false; message: string; at: number; length: number };

/** What a filter says, or what is wrong with it and where. */
export function checkFilter(text: string): Checked {
  try {
    return { isValid: true, expression: parseFilter(text) };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { isValid: false, message: error.problem, at: error.at, length: error.length };
  }
}

/** The filter that asks for a term besides what it asked for before; one that makes no sense is replaced. */
export function addTerm(text: string, term: string): string {
  const checked = checkFilter(text);
  if (!checked.isValid || checked.expression === null) return term;
  const before = text.trim();
  const isThere =
    before === term || ` ${before} `.endsWith(` and ${term} `) || before.startsWith(`${term} and `);
  if (isThere) return before;
  return checked.expression.kind === "or" ? `(${before}) and ${term}` : `${before} and ${term}`;
}

/** The term for one value of what sums are grouped by; null where a filter cannot ask for it. */
export function termOf(key: string, value: string | number | null): string | null {
  const term = wordsOf(key, value);
  return term !== null && checkFilter(term).isValid ? term : null;
}

function wordsOf(key: string, value: string | number | null): string | null {
  switch (key) {
    case "domain":
      return value === null ? "domain none" : `domain ${quoted(String(value))}`;
    case "registered_domain":
      return value === null ? "domain none" : `domain ${quoted(`*.${value}`)}`;
    case "client":
      return `client ${value}`;
    case "server":
      return `server ${value}`;
    case "server_port":
      return `server port ${value}`;
    case "protocol":
      return `proto ${protocolWord(String(value))}`;
    case "interface":
      return pathTerm(splitPath(String(value)));
    default:
      return null;
  }
}

/** What one connection crosses: all of it in one term. */
function pathTerm(names: readonly string[]): string {
  const terms = names.map((name) => `iface ${quoted(name)}`);
  return terms.length === 1 ? terms.join("") : `(${terms.join(" and ")})`;
}

/** `IP(47)` as the API shows a protocol without a name is 47 in a filter. */
function protocolWord(name: string): string {
  return (/^IP\((\d+)\)$/.exec(name)?.[1] ?? name).toLowerCase();
}

/** The filter for all of several values. */
export function termsOf(key: Record<string, string | number | null>): string {
  return Object.entries(key)
    .map(([name, value]) => termOf(name, value))
    .filter((term) => term !== null)
    .join(" and ");
}
