import { visibleText } from "./names.ts";
import { Reader } from "./reader.ts";
import { BAD, found, type Reading } from "./reading.ts";
import {
  ALPN,
  ENCRYPTED_CLIENT_HELLO,
  ENCRYPTED_SERVER_NAME,
  type Extension,
  isGrease,
  numbers,
  numbersOf,
  protocolsOf,
  readExtensions,
  SERVER_NAME,
  serverNameOf,
  SIGNATURE_ALGORITHMS,
  SUPPORTED_VERSIONS,
} from "./tls-extensions.ts";
import { partOfHandshake, readHandshake } from "./tls-records.ts";

const CLIENT_HELLO = 1;
const MAJOR_VERSION = 3;
const RANDOM_BYTES = 32;
const MAX_SESSION_ID = 32;
/** RFC 9849 section 5: the type of ECH in the hello that everyone sees. */
const OUTER = 0;

/** What a client offers. Numbers are as on the wire, GREASE (RFC 8701) among them unless said otherwise. */
export interface ClientHello {
  legacyVersion: number;
  /** As hostName makes it; null without one. With `ech` perhaps a cover for the true one. */
  serverName: string | null;
  /** In the client's order; letter case kept, as visibleText makes it. */
  alpn: string[];
  /** The first of `alpn` as it is on the wire; empty without one. */
  alpnBytes: Uint8Array;
  /** Of supported_versions, without GREASE. */
  versions: number[];
  ciphers: number[];
  /** Types in the order of the wire. */
  extensions: number[];
  signatureAlgorithms: number[];
  /** Offers Encrypted ClientHello or the ESNI before it, or pretends to (GREASE ECH): nobody between can tell. */
  ech: boolean;
  /** The hello goes on behind what could be read. */
  isCut: boolean;
}

/** Data of the first extension of `type`; another one is not allowed (RFC 8446 section 4.2). */
function dataOf(extensions: readonly Extension[], type: number): Uint8Array | undefined {
  return extensions.find((extension) => extension.type === type)?.data;
}

/**
 * The body of a ClientHello without the message's 4-byte header (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2);
 * null when it is none. With `cut` it may end anywhere behind the cipher suites.
 */
export function parseClientHello(body: Uint8Array, options: { cut?: boolean } = {}): ClientHello | null {
  const isCut = options.cut ?? false;
  const reader = new Reader(body);
  const legacyVersion = reader.u16();
  reader.skip(RANDOM_BYTES);
  const sessionId = reader.u8();
  reader.skip(sessionId);
  const ciphers = reader.take(reader.u16());
  if (!reader.ok || legacyVersion >> 8 !== MAJOR_VERSION) return null;
  if (sessionId > MAX_SESSION_ID || ciphers.length % 2 !== 0) return null;
  reader.skip(reader.u8());
  if (!reader.ok && !isCut) return null;
  const extensions = readExtensions(reader, isCut);
  if (extensions === null) return null;

  const serverName = dataOf(extensions, SERVER_NAME);
  const protocols = protocolsOf(dataOf(extensions, ALPN) ?? new Uint8Array());
  const versions = numbersOf(dataOf(extensions, SUPPORTED_VERSIONS) ?? new Uint8Array(), 1);
  return {
    legacyVersion,
    serverName: serverName === undefined ? null : serverNameOf(serverName),
    alpn: protocols.map(visibleText),
    // A copy: the hello outlives the packet.
    alpnBytes: protocols[0]?.slice() ?? new Uint8Array(),
    versions: versions.filter((version) => !isGrease(version)),
    ciphers: numbers(ciphers),
    extensions: extensions.map(({ type }) => type),
    signatureAlgorithms: numbersOf(dataOf(extensions, SIGNATURE_ALGORITHMS) ?? new Uint8Array(), 2),
    ech:
      dataOf(extensions, ENCRYPTED_CLIENT_HELLO)?.[0] === OUTER ||
      dataOf(extensions, ENCRYPTED_SERVER_NAME) !== undefined,
    isCut,
  };
}

/**
 * The ClientHello at the start of what a client sent over TCP, in TLS records (see readHandshake). `isCut` when it is
 * longer than the 16 KiB that are looked at.
 */
export function readClientHello(stream: Uint8Array): Reading<ClientHello> {
  const message = readHandshake(stream, CLIENT_HELLO);
  if (message.state !== "found") return message;
  const hello = parseClientHello(message.value.body, { cut: message.value.isCut });
  return hello === null ? BAD : found(hello, message.used);
}

/** What can be read of a ClientHello that `stream` ends within; null before the end of its cipher suites. */
export function salvageClientHello(stream: Uint8Array): ClientHello | null {
  const message = partOfHandshake(stream, CLIENT_HELLO);
  return message === null ? null : parseClientHello(message.body, { cut: message.isCut });
}
