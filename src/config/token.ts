import { type Files, readFailure } from "./files.ts";
import { showValue } from "./layer.ts";

/** A token from a file, or given directly (`text`), and the place that said so. */
export type TokenOrigin = { place: string; path: string } | { place: string; text: string };

export interface TokenResult {
  token: string | null;
  problems: string[];
  warnings: string[];
}

const MAX_LENGTH = 1024;
const SHORT = 16;
const READABLE_BY_ALL = 0o004;

function checkToken(token: string, what: string): TokenResult {
  const failed = (problem: string): TokenResult => ({ token: null, problems: [problem], warnings: [] });
  if (token === "")
    return failed(`${what} is empty; put a token there, for example from "openssl rand -hex 32"`);
  // RFC 6750 b64token is narrower; any visible ASCII passes through an Authorization header.
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > MAX_LENGTH) {
    return failed(
      `${what} is not a token; give one line of at most ${MAX_LENGTH} visible ASCII characters, no blanks`,
    );
  }
  const warnings =
    token.length < SHORT ? [`${what} is easy to guess; use at least ${SHORT} random characters`] : [];
  return { token, problems: [], warnings };
}

/** The API token, trimmed. A missing, empty or unusable token is a problem, never "no token". */
export function readToken(origin: TokenOrigin | undefined, files: Files): TokenResult {
  if (origin === undefined) return { token: null, problems: [], warnings: [] };
  if ("text" in origin) return checkToken(origin.text.trim(), `${origin.place}: the value`);
  const { place, path } = origin;
  try {
    const { text, mode } = files.read(path);
    const result = checkToken(text.trim(), `${place}: ${showValue(path)}`);
    const warnings =
      (mode & READABLE_BY_ALL) === 0
        ? []
        : [`${place}: ${showValue(path)} can be read by everyone on this host; chmod 600 it`];
    return { ...result, warnings: [...result.warnings, ...warnings] };
  } catch (error) {
    return {
      token: null,
      problems: [`${place}: cannot read ${showValue(path)}: ${readFailure(error)}`],
      warnings: [],
    };
  }
}
