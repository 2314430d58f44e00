import { registeredName } from "./http-authority.ts";
import { Reader } from "./reader.ts";
import { BAD, MORE, NO, found, type Reading } from "./reading.ts";

const SOCKS4 = 4;
const SOCKS5 = 5;
const CONNECT = 1;
/** Of SOCKS5; bind is 2. */
const UDP_ASSOCIATE = 3;
const METHOD_GSSAPI = 1;
const METHOD_PASSWORD = 2;
const METHOD_NONE_ACCEPTABLE = 0xff;
const PASSWORD_VERSION = 1;
const ADDRESS_IPV4 = 1;
const ADDRESS_NAME = 3;
const ADDRESS_IPV6 = 4;
/** SOCKS4: version, command, port, address. */
const SOCKS4_HEAD = 8;
/** SOCKS4 states no limits; SOCKS5 has one byte for each length. */
const MAX_TEXT = 255;

/** What a client asks a SOCKS proxy for. */
export interface SocksRequest {
  version: 4 | 5;
  /** Name to connect to; null when it asks for an address. */
  host: string | null;
}

/** The text at `at` up to its NUL; null until that has come, undefined when this is no such text. */
function terminated(bytes: Uint8Array, at: number): Uint8Array | null | undefined {
  for (let end = at; end <= at + MAX_TEXT; end++) {
    const byte = bytes[end];
    if (byte === undefined) return null;
    if (byte === 0) return bytes.subarray(at, end);
    if (byte < 0x20 || byte === 0x7f) return undefined;
  }
  return undefined;
}

function readSocks4(stream: Uint8Array): Reading<SocksRequest> {
  const reader = new Reader(stream, 1);
  if (reader.u8() !== CONNECT) return reader.ok ? NO : MORE;
  const port = reader.u16();
  const address = reader.u32();
  if (!reader.ok) return MORE;
  // SOCKS4a: 0.0.0.x, x not zero, announces a name.
  const isNamed = address > 0 && address <= 0xff;
  if (port === 0 || (address <= 0xffffff && !isNamed)) return NO;
  const user = terminated(stream, SOCKS4_HEAD);
  if (user === undefined) return NO;
  if (user === null) return MORE;
  const afterUser = SOCKS4_HEAD + user.length + 1;
  if (!isNamed) return found({ version: SOCKS4, host: null }, afterUser);
  const name = terminated(stream, afterUser);
  if (name === undefined || name?.length === 0) return NO;
  if (name === null) return MORE;
  return found({ version: SOCKS4, host: registeredName(name) }, afterUser + name.length + 1);
}

/** Whether a client can mean this offer of authentication methods: some, each once, none of them "none acceptable". */
function isOffer(methods: Uint8Array): boolean {
  return (
    methods.length > 0 &&
    !methods.includes(METHOD_NONE_ACCEPTABLE) &&
    new Set(methods).size === methods.length
  );
}

/** Skips user name and password (RFC 1929). */
function skipPassword(reader: Reader): void {
  reader.skip(1);
  reader.skip(reader.u8());
  reader.skip(reader.u8());
}

function readAddress(reader: Reader, type: number): string | null {
  if (type === ADDRESS_NAME) return registeredName(reader.take(reader.u8()));
  reader.skip(type === ADDRESS_IPV4 ? 4 : 16);
  return null;
}

function readSocks5(stream: Uint8Array): Reading<SocksRequest> {
  const reader = new Reader(stream, 1);
  const methods = reader.take(reader.u8());
  if (!reader.ok) return stream[1] === 0 ? NO : MORE;
  if (!isOffer(methods)) return NO;
  if (stream[reader.at] === PASSWORD_VERSION && methods.includes(METHOD_PASSWORD)) skipPassword(reader);
  // What follows GSSAPI (RFC 1961) may be encrypted.
  else if (stream[reader.at] === PASSWORD_VERSION && methods.includes(METHOD_GSSAPI)) return BAD;
  const version = reader.u8();
  if (!reader.ok) return MORE;
  if (version !== SOCKS5) return NO;
  const command = reader.u8();
  const reserved = reader.u8();
  const type = reader.u8();
  if (!reader.ok) return MORE;
  if (command < CONNECT || command > UDP_ASSOCIATE || reserved !== 0) return NO;
  if (type !== ADDRESS_IPV4 && type !== ADDRESS_NAME && type !== ADDRESS_IPV6) return NO;
  const host = readAddress(reader, type);
  reader.skip(2);
  return reader.ok ? found({ version: SOCKS5, host: command === CONNECT ? host : null }, reader.at) : MORE;
}

/**
 * What the client's side of a SOCKS4, SOCKS4a or SOCKS5 (RFC 1928) stream asks for, behind a user name and password if
 * there are any; these are skipped and never kept. `used` is where the relayed stream begins.
 */
export function readSocks(stream: Uint8Array): Reading<SocksRequest> {
  if (stream.length === 0) return MORE;
  if (stream[0] === SOCKS4) return readSocks4(stream);
  return stream[0] === SOCKS5 ? readSocks5(stream) : NO;
}
