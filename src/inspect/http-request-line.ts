import { authorityName } from "./http-authority.ts";
import { latin1, trimmed } from "./http-text.ts";
import { MORE, NO, found, type Reading } from "./reading.ts";

const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const DELETE = 0x7f;
/** Longer than any registered method. */
const MAX_METHOD = 32;
/** A line without its end that is longer is a request only if the method is known. */
const MAX_UNKNOWN_LINE = 2048;
/** RFC 9110 section 5.6.2. */
const TOKEN_CHARACTERS = new Set(
  Buffer.from("!#$%&'*+-.^_`|~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
);
/** RFC 9110 section 9, RFC 5789, RFC 4918 (WebDAV), RFC 3253 (REPORT), RFC 5323 (SEARCH), UPnP. */
const METHODS = new Set(
  (
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH " +
    "NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH"
  ).split(" "),
);

export interface RequestLine {
  isConnect: boolean;
  /** Of the target; undefined when the target names no host, null when that is an address or nonsense. */
  host: string | null | undefined;
}

function isText(byte: number): boolean {
  return (byte >= SPACE && byte !== DELETE) || byte === TAB;
}

/** Where the text that starts at `at` ends: at the first control other than a tab, or at the end of the bytes. */
function textEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && isText(bytes[end] ?? 0)) end++;
  return end;
}

/** Behind the line end at `at`; -1 if the line cannot end there, null until that can be told. */
function afterLineEnd(bytes: Uint8Array, at: number): number | null {
  const lf = bytes[at] === CR ? at + 1 : at;
  if (lf >= bytes.length) return null;
  return bytes[lf] === LF ? lf + 1 : -1;
}

function targetHost(target: Uint8Array, isConnect: boolean): string | null | undefined {
  if (isConnect) return authorityName(target);
  const absolute = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(latin1(target));
  if (absolute === null) return undefined;
  const end = absolute[0].length;
  return authorityName(target.subarray(end - (absolute[1]?.length ?? 0), end));
}

/**
 * The request line of HTTP/1.x at the start of a stream (RFC 9112 section 3). Any token will do as method, and white
 * space within the target is let pass; `no` for a simple request of HTTP/0.9 and for what is not a request.
 */
export function readRequestLine(bytes: Uint8Array): Reading<RequestLine> {
  let methodEnd = 0;
  while (TOKEN_CHARACTERS.has(bytes[methodEnd] ?? SPACE)) methodEnd++;
  if (methodEnd > MAX_METHOD) return NO;
  if (methodEnd === bytes.length) return MORE;
  if (methodEnd === 0 || bytes[methodEnd] !== SPACE) return NO;
  const method = latin1(bytes.subarray(0, methodEnd));
  const end = textEnd(bytes, methodEnd);
  const next = afterLineEnd(bytes, end);
  if (next === null) return METHODS.has(method) || end <= MAX_UNKNOWN_LINE ? MORE : NO;
  const version = / HTTP\/1\.\d$/.exec(latin1(bytes.subarray(Math.max(methodEnd, end - 9), end)));
  if (next === -1 || version === null) return NO;
  const target = trimmed(bytes, methodEnd, end - version[0].length);
  const isConnect = method === "CONNECT";
  return target.length === 0 ? NO : found({ isConnect, host: targetHost(target, isConnect) }, next);
}
