import { parseAddress } from "../flow/address.ts";
import { hostName } from "./names.ts";

const AT = 0x40;
const COLON = 0x3a;
const FIRST_NON_ASCII = 0x80;
/** RFC 3986 section 3.2.2: what may stand in a reg-name. */
const NAME_CHARACTERS = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;="),
);

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/**
 * A host as someone asks for it, if it is a name (RFC 3986 section 3.2.2); null for an address, for an empty one and for
 * bytes that cannot be a host. Bytes beyond ASCII pass: some clients send names in UTF-8.
 */
export function registeredName(host: Uint8Array): string | null {
  if (!host.every((byte) => byte >= FIRST_NON_ASCII || NAME_CHARACTERS.has(byte))) return null;
  const name = hostName(host);
  return name === null || parseAddress(name) !== null ? null : name;
}

/** The name in `[userinfo "@"] host [":" port]` (RFC 3986 section 3.2); null as registeredName says. */
export function authorityName(authority: Uint8Array): string | null {
  // Behind the last at sign: what stands before may be a password.
  const host = authority.subarray(authority.lastIndexOf(AT) + 1);
  const colon = host.lastIndexOf(COLON);
  const hasPort = colon !== -1 && host.subarray(colon + 1).every(isDigit);
  return registeredName(hasPort ? host.subarray(0, colon) : host);
}
