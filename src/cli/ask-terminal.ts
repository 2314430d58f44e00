/** What the terminal that a command writes to can show. */
export interface Terminal {
  /** Cells of a line of standard output; Infinity where that is no terminal. */
  width: number;
  /** Nothing beyond ASCII. */
  ascii: boolean;
  /** Somebody reads standard error as it comes. */
  hasErrors: boolean;
}

const DEFAULT_WIDTH = 80;

/** POSIX: the first of these that is set and not empty says the locale. */
export function isUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== "");
  return /utf-?8/i.test(locale ?? "");
}

/** The terminal of this process. A file or a pipe gets UTF-8 and lines of any length. */
export function thisTerminal(): Terminal {
  const isTerminal = process.stdout.isTTY;
  return {
    width: isTerminal ? process.stdout.columns || DEFAULT_WIDTH : Number.POSITIVE_INFINITY,
    ascii: isTerminal && !isUtf8(process.env),
    hasErrors: process.stderr.isTTY,
  };
}
