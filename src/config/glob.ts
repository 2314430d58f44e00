const MAX_PATTERN_LENGTH = 64;
/** IFNAMSIZ of <linux/if.h> without the closing NUL. */
const MAX_NAME_BYTES = 15;

/** Whether `text` has glob characters: `*`, `?` or `[`. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** The test of a glob (`*`, `?`, `[a-c]`, `[!a]`) over whole names; undefined where the pattern is broken. */
export function compileGlob(pattern: string): ((name: string) => boolean) | undefined {
  const source = pattern.replace(/\[([!^]?)([^\]]+)\]|[\s\S]/g, (text, negation: string, set?: string) => {
    if (set !== undefined) return `[${negation === "" ? "" : "^"}${set.replace(/[\\[^]/g, "\\$&")}]`;
    if (text === "*") return ".*";
    if (text === "?") return ".";
    return text.replace(/[\\^$.|+(){}[\]/-]/g, "\\$&");
  });
  try {
    const expression = new RegExp(`^(?:${source})$`, "u");
    return (name) => expression.test(name);
  } catch {
    return undefined;
  }
}

/** Whether `text` can be an interface's name (dev_valid_name in net/core/dev.c) or a glob over names. */
export function isInterfacePattern(text: string): boolean {
  if (text === "" || text === "." || text === ".." || /[\s,/:\0]/.test(text)) return false;
  if (!isGlob(text)) return Buffer.byteLength(text) <= MAX_NAME_BYTES;
  const unclosed = /\[(?![!^]?[^\]]+\])/.test(text);
  return text.length <= MAX_PATTERN_LENGTH && !unclosed && compileGlob(text) !== undefined;
}
