import { visibleText } from "./names.ts";
import { Reader } from "./reader.ts";
import { BAD, found, MORE, type Reading } from "./reading.ts";
import { ALPN, numbers, protocolsOf, readExtensions, SUPPORTED_VERSIONS } from "./tls-extensions.ts";
import { readHandshake } from "./tls-records.ts";

const SERVER_HELLO = 2;
const MAJOR_VERSION = 3;
/** Drafts of TLS 1.3 before the 22nd: 0x7f00 and the draft's number, with no session ID and no compression method. */
const OLD_DRAFT = 0x7f;
const RANDOM_BYTES = 32;
const MAX_SESSION_ID = 32;
/** RFC 8446 section 4.1.3: the SHA-256 of "HelloRetryRequest", in the place of the random. */
const RETRY_RANDOM = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex");

/** A plaintext alert record of level warning (RFC 5246 section 7.2). */
const ALERT = 21;
const ALERT_BYTES = 2;
const WARNING = 1;
const ALERT_RECORD = 7;
const MAX_WARNINGS = 4;

/** What a server chose. */
export interface ServerHello {
  /** Of supported_versions, else the hello's own. */
  version: number;
  cipher: number;
  /** Null without one, and in TLS 1.3, which encrypts it. */
  alpn: string | null;
  /** A HelloRetryRequest (RFC 8446 section 4.1.4): the client has to send another hello. */
  isRetryRequest: boolean;
}

/** The body of a ServerHello without the message's 4-byte header (RFC 8446 section 4.1.3); null when it is none. */
export function parseServerHello(body: Uint8Array): ServerHello | null {
  const reader = new Reader(body);
  const legacyVersion = reader.u16();
  const isOldDraft = legacyVersion >> 8 === OLD_DRAFT;
  const random = reader.take(RANDOM_BYTES);
  const sessionId = isOldDraft ? 0 : reader.u8();
  reader.skip(sessionId);
  const cipher = reader.u16();
  if (!isOldDraft) reader.skip(1);
  if (!reader.ok || sessionId > MAX_SESSION_ID) return null;
  if (!isOldDraft && legacyVersion >> 8 !== MAJOR_VERSION) return null;
  const extensions = readExtensions(reader, false);
  if (extensions === null) return null;
  const chosen = extensions.find(({ type }) => type === SUPPORTED_VERSIONS);
  const protocols = extensions.find(({ type }) => type === ALPN);
  const [protocol] = protocols === undefined ? [] : protocolsOf(protocols.data);
  return {
    version: (chosen === undefined ? undefined : numbers(chosen.data)[0]) ?? legacyVersion,
    cipher,
    alpn: protocol === undefined ? null : visibleText(protocol),
    isRetryRequest: RETRY_RANDOM.equals(random),
  };
}

/** Bytes of warnings that `stream` starts with: some servers do not know the name, say so, and go on. */
function warningBytes(stream: Uint8Array): number {
  let at = 0;
  while (at < MAX_WARNINGS * ALERT_RECORD) {
    const [type, major, , high, low, level] = stream.subarray(at, at + ALERT_RECORD);
    const isAlert = type === ALERT && major === MAJOR_VERSION && high === 0 && low === ALERT_BYTES;
    if (!isAlert || level !== WARNING) break;
    at += ALERT_RECORD;
  }
  return at;
}

/**
 * The ServerHello at the start of what a server sent over TCP, in TLS records (see readHandshake), behind at most four
 * alerts of level warning. A fatal alert is `no`: the server refuses as TLS wants it, and no hello follows.
 */
export function readServerHello(stream: Uint8Array): Reading<ServerHello> {
  const start = warningBytes(stream);
  const isPartOfAlert = stream[start] === ALERT && stream.length - start < ALERT_RECORD;
  if (isPartOfAlert) return MORE;
  const message = readHandshake(stream.subarray(start), SERVER_HELLO);
  if (message.state !== "found") return message;
  const hello = parseServerHello(message.value.body);
  return hello === null ? BAD : found(hello, start + message.used);
}
