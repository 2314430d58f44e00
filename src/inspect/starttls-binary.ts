import { Reader } from "./reader.ts";
import { MORE, NO, found, type Reading } from "./reading.ts";
import { hasAt, isTlsAt, littleEndian32 } from "./starttls-bytes.ts";
import type { StartTls, StartTlsProtocol } from "./starttls-types.ts";

/** PostgreSQL message formats: SSLRequest and GSSENCRequest, length 8 and a code in place of the version. */
const SSL_REQUEST = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const GSSENC_REQUEST = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
const POSTGRES_REQUEST_BYTES = 8;

const MYSQL_HEADER_BYTES = 4;
const CLIENT_PROTOCOL_41 = 0x0200;
const CLIENT_SSL = 0x0800;
/** SSLRequest: flags, packet size, character set, 23 unused bytes, of which MariaDB uses the last four. */
const MYSQL_REQUEST_BYTES = 32;
const MYSQL_UNUSED_AT = 9;
const MYSQL_UNUSED_END = 28;
/** The one of clients before MySQL 4.1: two bytes of flags, three of packet size. */
const OLD_MYSQL_REQUEST_BYTES = 5;

/** RFC 1006: version and reserved byte of a TPKT; then its length. */
const TPKT = [3, 0];
const TPKT_BYTES = 4;
const CONNECTION_REQUEST = 0xe0;
/** TPKT, and the fixed part of a connection request (X.224 section 13.3). */
const RDP_FIXED_BYTES = 11;
/** MS-RDPBCGR section 2.2.1.1.1: type, flags, length, protocols. */
const NEGOTIATION_REQUEST = 1;
const NEGOTIATION_BYTES = 8;
const MAX_RDP_REQUEST = 1024;
const CR_LF = [0x0d, 0x0a];

/** TLS behind the first `end` bytes, which asked for it in `protocol`. */
function tlsBehind(bytes: Uint8Array, end: number, protocol: StartTlsProtocol): Reading<StartTls> {
  const isTls = isTlsAt(bytes, end);
  if (isTls === null) return MORE;
  return isTls ? found({ protocol }, end) : NO;
}

/** PostgreSQL: SSLRequest, possibly behind a GSSENCRequest that the server refused, or the other way round. */
export function readPostgres(bytes: Uint8Array): Reading<StartTls> {
  for (let at = 0; ; at += POSTGRES_REQUEST_BYTES) {
    const isSsl = hasAt(bytes, at, SSL_REQUEST);
    const isGss = hasAt(bytes, at, GSSENC_REQUEST);
    if (isSsl === null || isGss === null) return MORE;
    if (!isSsl && !isGss) return NO;
    const tls = isSsl ? tlsBehind(bytes, at + POSTGRES_REQUEST_BYTES, "postgresql") : NO;
    if (tls.state !== "no") return tls;
  }
}

function isMysqlRequest(payload: Uint8Array): boolean {
  const flags = (payload[0] ?? 0) | ((payload[1] ?? 0) << 8);
  if ((flags & CLIENT_SSL) === 0) return false;
  if (payload.length === OLD_MYSQL_REQUEST_BYTES) return (flags & CLIENT_PROTOCOL_41) === 0;
  const unused = payload.subarray(MYSQL_UNUSED_AT, MYSQL_UNUSED_END);
  return (flags & CLIENT_PROTOCOL_41) !== 0 && unused.every((byte) => byte === 0);
}

/** MySQL and MariaDB: the client's first packet is an SSLRequest (Protocol::SSLRequest), number 1 of the exchange. */
export function readMysql(bytes: Uint8Array): Reading<StartTls> {
  const length = bytes[0];
  if (length === undefined) return MORE;
  if (length !== MYSQL_REQUEST_BYTES && length !== OLD_MYSQL_REQUEST_BYTES) return NO;
  const hasHeader = hasAt(bytes, 1, [0, 0, 1]);
  if (hasHeader === false) return NO;
  const end = MYSQL_HEADER_BYTES + length;
  if (bytes.length < end) return MORE;
  return isMysqlRequest(bytes.subarray(MYSQL_HEADER_BYTES, end)) ? tlsBehind(bytes, end, "mysql") : NO;
}

/** Whether a connection request offers a security protocol, all of which are TLS at first, behind a cookie or token. */
function offersTls(request: Uint8Array): boolean {
  let at = RDP_FIXED_BYTES;
  if (request[at] !== NEGOTIATION_REQUEST) {
    while (at < request.length && hasAt(request, at, CR_LF) !== true) at++;
    at += CR_LF.length;
  }
  const isNegotiation = request[at] === NEGOTIATION_REQUEST && hasAt(request, at + 2, [NEGOTIATION_BYTES, 0]);
  return isNegotiation === true && littleEndian32(request, at + 4) !== 0;
}

/** RDP: an X.224 connection request that offers TLS or CredSSP (MS-RDPBCGR section 2.2.1.1). */
export function readRdp(bytes: Uint8Array): Reading<StartTls> {
  const isTpkt = hasAt(bytes, 0, TPKT);
  if (isTpkt !== true) return isTpkt === null ? MORE : NO;
  const reader = new Reader(bytes, TPKT.length);
  const end = reader.u16();
  const indicated = reader.u8();
  const type = reader.u8();
  if (!reader.ok) return MORE;
  if (end > MAX_RDP_REQUEST || indicated !== end - TPKT_BYTES - 1 || type !== CONNECTION_REQUEST) return NO;
  if (bytes.length < end) return MORE;
  return offersTls(bytes.subarray(0, end)) ? tlsBehind(bytes, end, "rdp") : NO;
}
