import { Reader } from "./reader.ts";
import { MORE, NO, found, type Reading } from "./reading.ts";
import { hasAt, isTlsAt } from "./starttls-bytes.ts";
import type { StartTls } from "./starttls-types.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const MAX_INTEGER_BYTES = 4;
const LONG_LENGTH = 0x80;
const MAX_LENGTH_BYTES = 4;
const EXTENDED_REQUEST = 0x77;
const REQUEST_NAME = 0x80;
/** Tags of what a client sends (RFC 4511 section 4): bind, unbind, search, modify, add, delete, rename, compare, abandon. */
const REQUESTS: readonly number[] = [0x60, 0x42, 0x63, 0x66, 0x68, 0x4a, 0x6c, 0x6e, 0x50, EXTENDED_REQUEST];
/** RFC 4511 section 4.14.1. */
const START_TLS_OID = new TextEncoder().encode("1.3.6.1.4.1.1466.20037");

/** A definite length (X.690 section 8.1.3; RFC 4511 section 5.1 allows no other); null for anything else. */
function readLength(reader: Reader): number | null {
  const first = reader.u8();
  if (first < LONG_LENGTH) return first;
  const count = first - LONG_LENGTH;
  if (count === 0 || count > MAX_LENGTH_BYTES) return null;
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + reader.u8();
  return length;
}

/** Where the message at `at` ends and whether it asks for TLS; `more` until it is there whole. */
function readMessage(bytes: Uint8Array, at: number): Reading<boolean> {
  const reader = new Reader(bytes, at);
  if (reader.u8() !== SEQUENCE) return reader.ok ? NO : MORE;
  const length = readLength(reader);
  if (length === null) return NO;
  const end = reader.at + length;
  if (reader.u8() !== INTEGER) return reader.ok ? NO : MORE;
  const idBytes = reader.u8();
  if (reader.ok && (idBytes === 0 || idBytes > MAX_INTEGER_BYTES)) return NO;
  reader.skip(idBytes);
  const request = reader.u8();
  if (!reader.ok) return MORE;
  const requestLength = readLength(reader);
  if (requestLength === null || !REQUESTS.includes(request)) return NO;
  if (!reader.ok) return MORE;
  if (reader.at + requestLength > end) return NO;
  if (end > bytes.length) return MORE;
  const isName = request === EXTENDED_REQUEST && reader.u8() === REQUEST_NAME;
  const isStartTls = isName && readLength(reader) === START_TLS_OID.length;
  return found(isStartTls && hasAt(bytes, reader.at, START_TLS_OID) === true, end);
}

/** LDAP: messages of the client up to a StartTLS request that TLS follows (RFC 4511 section 4.14). */
export function readLdap(bytes: Uint8Array): Reading<StartTls> {
  let at = 0;
  for (;;) {
    const message = readMessage(bytes, at);
    if (message.state !== "found") return message;
    at = message.used;
    const isTls = message.value ? isTlsAt(bytes, at) : false;
    if (isTls === null) return MORE;
    if (isTls) return found({ protocol: "ldap" }, at);
  }
}
