const SUBDOMAINS = "*.";
/** A name of 255 bytes (RFC 1035 section 2.3.4) with every byte written as `\DDD`. */
const MAX_TEXT = 1020;

/** What a domain pattern asks for. */
export interface DomainPattern {
  /** Lower case, without the final dot. */
  name: string;
  /** Names below `name` match too. */
  withSubdomains: boolean;
}

/** ASCII letters only (RFC 4343), as safeText of inspect does. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * The canonical text of a domain pattern: a name, or `*.` and a name for that name and all below it; lower case,
 * without the final dot. Undefined for what is neither.
 */
export function canonicalDomainPattern(text: string): string | undefined {
  const pattern = text.length > 1 && text.endsWith(".") ? text.slice(0, -1) : text;
  const { name } = splitPattern(pattern);
  const isName = name.length <= MAX_TEXT && /^[^\s*]+$/.test(name) && (name === "." || !name.startsWith("."));
  return isName ? lowerCase(pattern) : undefined;
}

function splitPattern(pattern: string): DomainPattern {
  const withSubdomains = pattern.startsWith(SUBDOMAINS);
  return { name: withSubdomains ? pattern.slice(SUBDOMAINS.length) : pattern, withSubdomains };
}

/** The parts of a pattern, in lower case. */
export function parseDomainPattern(pattern: string): DomainPattern {
  return splitPattern(lowerCase(pattern));
}

/** A test of names in lower case against a pattern; null, no name, never matches. */
export function domainMatcher(pattern: string): (domain: string | null) => boolean {
  const { name, withSubdomains } = parseDomainPattern(pattern);
  const ending = `.${name}`;
  return (domain) => domain === name || (withSubdomains && domain !== null && domain.endsWith(ending));
}
