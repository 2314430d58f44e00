import { latin1 } from "./http-text.ts";
import { MORE, NO, found, type Reading } from "./reading.ts";
import { isTlsAt } from "./starttls-bytes.ts";
import type { StartTls, StartTlsProtocol } from "./starttls-types.ts";

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
/** Longer than any command or element that starts TLS; what is before cannot belong to it. */
const MAX_COMMAND = 256;
/** XMPP (RFC 6120 section 5.4.2.1). */
const XMPP_ELEMENT = /<starttls(?:\s[^<>]*)?(?:\/|>\s*<\/starttls\s*)>\s*$/;

/** Commands that one protocol alone has. */
const COMMANDS: readonly (readonly [RegExp, StartTlsProtocol])[] = [
  // RFC 2595 section 4.
  [/^stls$/i, "pop3"],
  // RFC 4217 section 4, with the older spellings of the draft.
  [/^auth +(?:tls|ssl|tls-c|tls-p)$/i, "ftp"],
  // RFC 9051 section 6.2.1: a tag before it.
  [/^[^\s(){%*"\\]+ +starttls$/i, "imap"],
];

/** What speaks STARTTLS without a tag, by the client's first word: RFC 3207, RFC 4642; RFC 5804 needs none before. */
const FIRST_WORDS: readonly (readonly [RegExp, StartTlsProtocol])[] = [
  [/^(?:ehlo|helo)\b/i, "smtp"],
  [/^lhlo\b/i, "lmtp"],
  [/^(?:capabilities|mode)\b/i, "nntp"],
];

function isText(byte: number): boolean {
  return (byte >= SPACE && byte !== DELETE) || byte === TAB || byte === LF || byte === CR;
}

/** The protocol whose command to start TLS is what ends at `end`; null if none is. */
function commandBefore(bytes: Uint8Array, end: number): StartTlsProtocol | null {
  const tail = latin1(bytes.subarray(Math.max(0, end - MAX_COMMAND), end));
  if (XMPP_ELEMENT.test(tail)) return "xmpp";
  if (!tail.endsWith("\n")) return null;
  const before = tail.lastIndexOf("\n", tail.length - 2);
  // The line starts before the tail: too long for a command.
  if (before === -1 && end > MAX_COMMAND) return null;
  const line = tail.slice(before + 1).trimEnd();
  if (/^starttls$/i.test(line)) {
    const firstLine = latin1(bytes.subarray(0, MAX_COMMAND));
    return FIRST_WORDS.find(([word]) => word.test(firstLine))?.[1] ?? "managesieve";
  }
  return COMMANDS.find(([command]) => command.test(line))?.[1] ?? null;
}

/**
 * A session in lines of text: found where TLS directly follows a command to start it, whatever was said before, since a
 * server may refuse a first one. `no` at the first other byte that is not text.
 */
export function readTextSession(bytes: Uint8Array): Reading<StartTls> {
  const first = bytes[0];
  if (first === undefined) return MORE;
  if (first <= SPACE || first >= DELETE) return NO;
  const control = bytes.findIndex((byte) => !isText(byte));
  if (control === -1) return MORE;
  const isTls = isTlsAt(bytes, control);
  if (isTls !== true) return isTls === null ? MORE : NO;
  const protocol = commandBefore(bytes, control);
  return protocol === null ? NO : found({ protocol }, control);
}
