import { MORE, NO, found, type Reading } from "./reading.ts";
import { readMysql, readPostgres, readRdp } from "./starttls-binary.ts";
import { isTlsAt } from "./starttls-bytes.ts";
import { readLdap } from "./starttls-ldap.ts";
import { readProxyHeader } from "./starttls-proxy.ts";
import { readTextSession } from "./starttls-text.ts";
import type { StartTls } from "./starttls-types.ts";

/** The most that is looked at before TLS. */
const MAX_PLAINTEXT = 16_384;
const SESSIONS = [readTextSession, readLdap, readPostgres, readMysql, readRdp];

function readSession(bytes: Uint8Array): Reading<StartTls> {
  let isOpen = false;
  for (const read of SESSIONS) {
    const reading = read(bytes);
    if (reading.state === "found") return reading;
    if (reading.state === "more") isOpen = true;
  }
  return isOpen ? MORE : NO;
}

function readBehindProxy(bytes: Uint8Array): Reading<StartTls> {
  const proxy = readProxyHeader(bytes);
  if (proxy.state === "more") return MORE;
  if (proxy.state !== "found") return readSession(bytes);
  if (isTlsAt(bytes, proxy.used) === true) return found({ protocol: "proxy" }, proxy.used);
  const rest = bytes.subarray(proxy.used);
  const session = readSession(rest);
  if (session.state === "found") return found(session.value, proxy.used + session.used);
  return isTlsAt(bytes, proxy.used) === null ? MORE : session;
}

/**
 * What a client spoke in the clear before TLS on the same connection; found once the first bytes of TLS are there, which
 * begins at `used`. `no` when TLS can no longer follow, and when it has not within 16 KiB; never `bad`.
 */
export function readStartTls(stream: Uint8Array): Reading<StartTls> {
  const bytes = stream.subarray(0, MAX_PLAINTEXT);
  const reading = readBehindProxy(bytes);
  return reading.state === "more" && bytes.length === MAX_PLAINTEXT ? NO : reading;
}
