/** RFC 1035 section 2.3.4: the most a name takes on the wire. */
export const MAX_NAME = 255;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Stands for what cannot be shown. */
const REPLACEMENT = "\ufffd";
/** Controls, separators other than the space, formats (which reorder text), what is not assigned. */
const HIDDEN = /(?! )[\p{C}\p{Z}]/gu;
const ASCII_END = 0x80;
/** Controls that C has a letter for, from 7 on. */
const C_LETTERS = "abtnvfr";
const FIRST_C_LETTER = 7;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code >= ASCII_END) return REPLACEMENT;
  return `\\${C_LETTERS[code - FIRST_C_LETTER] ?? code.toString(8).padStart(3, "0")}`;
}

/**
 * Bytes of the wire as text that is safe in a terminal, in JSON and as text in HTML, written as Wireshark writes names: visible
 * characters of UTF-8 and the space as they are, ASCII controls as C escapes or octal (`\r`, `\033`), U+FFFD for bytes
 * that are no UTF-8 and for characters that are not visible or turn text around.
 */
export function visibleText(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(HIDDEN, shown);
}

/** A name as visibleText makes it, ASCII letters in lower case (RFC 4343). */
export function safeText(bytes: Uint8Array): string {
  return visibleText(bytes).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** A host name as a client asks for it, without the final dot; null when empty or too long to be one. */
export function hostName(bytes: Uint8Array): string | null {
  const end = bytes.at(-1) === 0x2e ? bytes.length - 1 : bytes.length;
  return end === 0 || end > MAX_NAME ? null : safeText(bytes.subarray(0, end));
}
