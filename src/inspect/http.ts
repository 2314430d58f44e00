import { authorityName } from "./http-authority.ts";
import { readRequestLine } from "./http-request-line.ts";
import { isBlank, latin1, lineEnd, trimmed } from "./http-text.ts";
import { BAD, MORE, found, type Reading } from "./reading.ts";

/** The most of a head that is looked at. */
const MAX_HEAD = 16_384;
const COLON = 0x3a;

/** What a request says about where it goes. */
export interface HttpRequest {
  /** Name without port, as hostName makes it; null when there is none or it is an address. */
  host: string | null;
  isConnect: boolean;
  /** It offers HTTP/2 on this connection, as far as its fields have come (RFC 7540 section 3.2). */
  isUpgradeH2c: boolean;
}

interface Fields {
  /** Behind the empty line that ends the head; null until it is there. */
  headEnd: number | null;
  /** Where the first field that is not complete starts. */
  at: number;
  /** Of the first Host field; undefined until it is there. */
  host: string | null | undefined;
  isUpgradeH2c: boolean;
}

/** Behind the field line at `at` and what is folded under it (RFC 9112 section 5.2); null until the next line starts. */
function fieldEnd(bytes: Uint8Array, at: number): number | null {
  for (let line = lineEnd(bytes, at); line !== null; line = lineEnd(bytes, line.next)) {
    if (line.next === bytes.length) return null;
    if (!isBlank(bytes[line.next])) return line.next;
  }
  return null;
}

function takeField(bytes: Uint8Array, start: number, end: number, fields: Fields): void {
  const colon = bytes.subarray(start, end).indexOf(COLON);
  if (colon === -1) return;
  const name = latin1(trimmed(bytes, start, start + colon)).toLowerCase();
  const value = trimmed(bytes, start + colon + 1, end);
  if (name === "host" && fields.host === undefined) fields.host = authorityName(value);
  if (name === "upgrade") fields.isUpgradeH2c ||= /(?:^|[\s,])h2c(?:$|[\s,])/i.test(latin1(value));
}

function readFields(bytes: Uint8Array, start: number): Fields {
  const fields: Fields = { headEnd: null, at: start, host: undefined, isUpgradeH2c: false };
  for (;;) {
    const line = lineEnd(bytes, fields.at);
    if (line?.end === fields.at) fields.headEnd = line.next;
    const end = fields.headEnd === null ? fieldEnd(bytes, fields.at) : null;
    if (end === null) return fields;
    takeField(bytes, fields.at, end, fields);
    fields.at = end;
  }
}

/**
 * The request at the start of a client's stream (RFC 9112): found once its host is known, CONNECT once its head has
 * ended. The host is that of the target if it has one (RFC 9112 section 3.2.2), else of the first Host field. `used` is
 * the head as far as it has come. A head that goes past 16 KiB without saying is `bad`.
 */
export function readHttpRequest(stream: Uint8Array): Reading<HttpRequest> {
  const bytes = stream.subarray(0, MAX_HEAD);
  const unfinished = bytes.length < MAX_HEAD ? MORE : BAD;
  const line = readRequestLine(bytes);
  if (line.state === "more") return unfinished;
  if (line.state !== "found") return line;
  const { isConnect } = line.value;
  const fields = readFields(bytes, line.used);
  const host = line.value.host === undefined ? fields.host : line.value.host;
  const isKnown = fields.headEnd !== null || (!isConnect && host !== undefined);
  if (!isKnown) return unfinished;
  return found(
    { host: host ?? null, isConnect, isUpgradeH2c: fields.isUpgradeH2c },
    fields.headEnd ?? fields.at,
  );
}
