import { Reader } from "./reader.ts";

const CLIENT_HELLO = 1;
const SSL2 = 0x0002;
const SSL3_MAJOR = 3;
const CIPHER_SPEC_BYTES = 3;
const SESSION_ID_BYTES = 16;
const MIN_CHALLENGE = 16;
const MAX_CHALLENGE = 32;
/** Type, version and three lengths, behind the two bytes of the record's length. */
const FIXED_BYTES = 9;

/**
 * Whether `stream` starts with a ClientHello in the form of SSL 2.0 (RFC 5246 appendix E.2), which has no extensions
 * and so no name. False while fewer than 11 bytes are there.
 */
export function isSslv2Hello(stream: Uint8Array): boolean {
  const reader = new Reader(stream);
  const header = reader.u16();
  const type = reader.u8();
  const version = reader.u16();
  const cipherSpecs = reader.u16();
  const sessionId = reader.u16();
  const challenge = reader.u16();
  if (!reader.ok || type !== CLIENT_HELLO || (version !== SSL2 && version >> 8 !== SSL3_MAJOR)) return false;
  const hasLengths =
    cipherSpecs > 0 &&
    cipherSpecs % CIPHER_SPEC_BYTES === 0 &&
    (sessionId === 0 || sessionId === SESSION_ID_BYTES) &&
    challenge >= MIN_CHALLENGE &&
    challenge <= MAX_CHALLENGE;
  // The high bit says that the header has two bytes, without padding.
  return hasLengths && header === 0x8000 + FIXED_BYTES + cipherSpecs + sessionId + challenge;
}
