import { concat, fields } from "./bytes.ts";

const RECORD_HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const GREASE = 0x1a1a;
/** RFC 8446 section 4.1.3. */
const RETRY_RANDOM = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex");

export interface TlsExtension {
  type: number;
  data: Uint8Array;
}

/** Text as UTF-8, bytes as they are. */
type Name = string | Uint8Array;

export interface ClientHelloOptions {
  /** Without: no server_name extension. */
  serverName?: Name;
  /** Without: no ALPN extension. */
  alpn?: readonly Name[];
  /** Of supported_versions; empty: no such extension. TLS 1.3 and 1.2 unless said otherwise. */
  versions?: readonly number[];
  /** TLS_AES_128_GCM_SHA256 and TLS_AES_256_GCM_SHA384 unless said otherwise. */
  ciphers?: readonly number[];
  /** Without: no signature_algorithms extension. */
  signatureAlgorithms?: readonly number[];
  /** Added behind the others. */
  extensions?: readonly TlsExtension[];
  /** Puts a GREASE value first in ciphers, extensions, versions and signature algorithms. */
  greaseFirst?: boolean;
  /** Adds encrypted_client_hello of this type. */
  ech?: "outer" | "inner";
  legacyVersion?: number;
  sessionId?: Uint8Array;
  /** Leaves out the length of the extensions too, as clients of SSL 3.0 do. */
  withoutExtensions?: boolean;
}

export interface ServerHelloOptions {
  /** Of supported_versions; without: no such extension. */
  version?: number;
  legacyVersion?: number;
  cipher?: number;
  alpn?: string;
  isRetryRequest?: boolean;
  extensions?: readonly TlsExtension[];
}

function bytesOf(name: Name): Uint8Array {
  return typeof name === "string" ? new TextEncoder().encode(name) : name;
}

/** `data` behind its length. */
function vector(lengthBytes: 1 | 2, ...data: readonly Uint8Array[]): Uint8Array {
  const all = concat(...data);
  return concat(fields([all.length, lengthBytes]), all);
}

function numbers(values: readonly number[]): Uint8Array {
  return fields(...values.map((value) => [value, 2] as const));
}

function extension({ type, data }: TlsExtension): Uint8Array {
  return concat(fields([type, 2]), vector(2, data));
}

/** Data of a server_name extension with one host name. */
export function serverNameData(name: Name): Uint8Array {
  return vector(2, Uint8Array.of(0), vector(2, bytesOf(name)));
}

/** Data of an ALPN extension. */
export function alpnData(protocols: readonly Name[]): Uint8Array {
  return vector(2, ...protocols.map((protocol) => vector(1, bytesOf(protocol))));
}

/** A handshake message with its 4-byte header. */
export function handshake(type: number, body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type, body.length >> 16), fields([body.length & 0xffff, 2]), body);
}

/** A ClientHello message with its 4-byte header, extensions in the order of the options. */
export function clientHello(options: ClientHelloOptions = {}): Uint8Array {
  const grease = options.greaseFirst === true ? [GREASE] : [];
  const versions = options.versions ?? [0x0304, 0x0303];
  const extensions: TlsExtension[] = grease.map((type) => ({ type, data: new Uint8Array() }));
  if (options.serverName !== undefined)
    extensions.push({ type: 0, data: serverNameData(options.serverName) });
  if (options.alpn !== undefined) extensions.push({ type: 16, data: alpnData(options.alpn) });
  if (versions.length > 0) {
    extensions.push({ type: 43, data: vector(1, numbers([...grease, ...versions])) });
  }
  if (options.signatureAlgorithms !== undefined) {
    const algorithms = numbers([...grease, ...options.signatureAlgorithms]);
    extensions.push({ type: 13, data: vector(2, algorithms) });
  }
  if (options.ech !== undefined) {
    extensions.push({ type: 0xfe0d, data: Uint8Array.of(options.ech === "outer" ? 0 : 1) });
  }
  extensions.push(...(options.extensions ?? []));
  return handshake(
    CLIENT_HELLO,
    concat(
      fields([options.legacyVersion ?? 0x0303, 2]),
      new Uint8Array(32).fill(0x5a),
      vector(1, options.sessionId ?? new Uint8Array()),
      vector(2, numbers([...grease, ...(options.ciphers ?? [0x1301, 0x1302])])),
      vector(1, Uint8Array.of(0)),
      options.withoutExtensions === true ? new Uint8Array() : vector(2, ...extensions.map(extension)),
    ),
  );
}

/** A ServerHello message with its 4-byte header, extensions in the order of the options. */
export function serverHello(options: ServerHelloOptions = {}): Uint8Array {
  const extensions: TlsExtension[] = [];
  if (options.version !== undefined) extensions.push({ type: 43, data: numbers([options.version]) });
  if (options.alpn !== undefined) extensions.push({ type: 16, data: alpnData([options.alpn]) });
  extensions.push(...(options.extensions ?? []));
  return handshake(
    SERVER_HELLO,
    concat(
      fields([options.legacyVersion ?? 0x0303, 2]),
      options.isRetryRequest === true ? RETRY_RANDOM : new Uint8Array(32).fill(0xa5),
      vector(1, new Uint8Array(32)),
      fields([options.cipher ?? 0x1301, 2], [0, 1]),
      vector(2, ...extensions.map(extension)),
    ),
  );
}

/** One record of the TLS record layer; handshake, version 3.1 unless said otherwise. */
export function tlsRecord(content: Uint8Array, type = RECORD_HANDSHAKE, version = 0x0301): Uint8Array {
  return concat(fields([type, 1], [version, 2]), vector(2, content));
}

/**
 * `message` in handshake records: of these sizes in turn, the rest in one more; or all of one size; or in one record.
 */
export function tlsRecords(message: Uint8Array, recordSizes: readonly number[] | number = []): Uint8Array {
  const sizes =
    typeof recordSizes === "number"
      ? Array.from({ length: Math.ceil(message.length / recordSizes) - 1 }, () => recordSizes)
      : recordSizes;
  const records: Uint8Array[] = [];
  let at = 0;
  for (const size of [...sizes, message.length]) {
    records.push(tlsRecord(message.subarray(at, at + size)));
    at += size;
  }
  return concat(...records);
}
