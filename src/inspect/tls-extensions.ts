import { hostName } from "./names.ts";
import { Reader } from "./reader.ts";

/** Numbers of the IANA registry "TLS ExtensionType Values"; ESNI is the draft that came before ECH. */
export const SERVER_NAME = 0;
export const SIGNATURE_ALGORITHMS = 13;
export const ALPN = 16;
export const SUPPORTED_VERSIONS = 43;
export const ENCRYPTED_CLIENT_HELLO = 0xfe0d;
export const ENCRYPTED_SERVER_NAME = 0xffce;

const HOST_NAME = 0;
const EXTENSION_HEADER = 4;

export interface Extension {
  type: number;
  data: Uint8Array;
}

/** Whether `value` is one of those that stand for nothing (RFC 8701): 0x0a0a, 0x1a1a, ... 0xfafa. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/**
 * The extensions that a hello ends with (RFC 8446 section 4.2), none where nothing is left of it; null where a length
 * reaches past what holds it. Bytes left over are passed over, as every extension is whole without them. With `isCut`
 * the bytes may end anywhere, and the last extension may lack some of its data.
 */
export function readExtensions(reader: Reader, isCut: boolean): Extension[] | null {
  if (reader.left === 0) return [];
  const length = reader.u16();
  if (!isCut && (!reader.ok || length > reader.left)) return null;
  const block = reader.sub(Math.min(length, reader.left));
  const extensions: Extension[] = [];
  while (block.left >= EXTENSION_HEADER) {
    const type = block.u16();
    const size = block.u16();
    if (!isCut && size > block.left) return null;
    extensions.push({ type, data: block.take(Math.min(size, block.left)) });
  }
  return extensions;
}

/** A reader of what a list with its length in front of it holds, as far as that is there. */
function list(data: Uint8Array, lengthBytes: 1 | 2): Reader {
  const reader = new Reader(data);
  const length = lengthBytes === 1 ? reader.u8() : reader.u16();
  return reader.sub(Math.min(length, reader.left));
}

/** The first host name of a server_name extension (RFC 6066 section 3); null without a whole one. */
export function serverNameOf(data: Uint8Array): string | null {
  const names = list(data, 2);
  while (names.left > 0) {
    const type = names.u8();
    const name = names.take(names.u16());
    // Of a name that is not there whole, take gives nothing, which is no name.
    if (type === HOST_NAME) return hostName(name);
  }
  return null;
}

/** The protocols of an ALPN extension (RFC 7301 section 3.1) that are there whole. */
export function protocolsOf(data: Uint8Array): Uint8Array[] {
  const names = list(data, 2);
  const protocols: Uint8Array[] = [];
  while (names.left > 0) {
    const name = names.take(names.u8());
    if (names.ok) protocols.push(name);
  }
  return protocols;
}

/** 16-bit numbers one after another; an odd byte at the end is left out. */
export function numbers(data: Uint8Array): number[] {
  const reader = new Reader(data);
  return Array.from({ length: data.length >> 1 }, () => reader.u16());
}

/** The 16-bit numbers of an extension that is one list of them behind its length in bytes. */
export function numbersOf(data: Uint8Array, lengthBytes: 1 | 2): number[] {
  const items = list(data, lengthBytes);
  return numbers(items.take(items.left));
}
