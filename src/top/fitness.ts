import { UsageError } from "../errors.ts";
import { isUtf8 } from "../cli/ask-terminal.ts";
import type { Environment } from "../config/environment.ts";

/** Terminals that cannot move their cursor. */
const DUMB = new Set(["", "dumb", "unknown"]);
/** Terminals without colours, by the beginning of their name. */
const MONOCHROME = /^(vt(100|102|220|320)|xterm-mono|.*-m$)/;

export const SMALLEST = { columns: 60, rows: 10 };

/** What the terminal can show. */
export interface Looks {
  ascii: boolean;
  color: boolean;
}

/** Throws UsageError when there is no terminal to show a screen on. */
export function checkTerminal(env: Environment, isTerminal: { stdin: boolean; stdout: boolean }): void {
  const instead = "use ayaflow history or the API instead";
  for (const [name, is] of Object.entries(isTerminal)) {
    if (!is) throw new UsageError([`top: ${name} is not a terminal; ${instead}`]);
  }
  const term = env.TERM ?? "";
  if (DUMB.has(term)) {
    throw new UsageError([`top: a terminal of type "${term}" (TERM) cannot show a full screen; ${instead}`]);
  }
}

/** What may be shown, by what was asked for, the locale, https://no-color.org and the type of the terminal. */
export function looksOf(options: Looks, env: Environment): Looks {
  const isPlain = (env.NO_COLOR ?? "") !== "" || MONOCHROME.test(env.TERM ?? "");
  return { ascii: options.ascii || !isUtf8(env), color: options.color && !isPlain };
}
