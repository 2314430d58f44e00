import { latin1 } from "./http-text.ts";
import { Reader } from "./reader.ts";
import { MORE, NO, found, type Reading } from "./reading.ts";
import { hasAt } from "./starttls-bytes.ts";

/** Line end included. */
const MAX_LINE = 107;
const TEXT_START = new TextEncoder().encode("PROXY ");
const LF = 0x0a;
const BINARY_START = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** Version 2 with the command LOCAL or PROXY. */
const BINARY_COMMANDS: readonly number[] = [0x20, 0x21];

export interface ProxyHeader {
  version: 1 | 2;
}

function readTextHeader(bytes: Uint8Array): Reading<ProxyHeader> {
  const lf = bytes.subarray(0, MAX_LINE).indexOf(LF);
  if (lf === -1) return bytes.length < MAX_LINE ? MORE : NO;
  const isHeader = /^PROXY (?:TCP[46] [\da-f.:]+ [\da-f.:]+ \d+ \d+|UNKNOWN(?: .*)?)\r$/i.test(
    latin1(bytes.subarray(0, lf)),
  );
  return isHeader ? found({ version: 1 }, lf + 1) : NO;
}

function readBinaryHeader(bytes: Uint8Array): Reading<ProxyHeader> {
  const reader = new Reader(bytes, BINARY_START.length);
  const command = reader.u8();
  if (reader.ok && !BINARY_COMMANDS.includes(command)) return NO;
  reader.skip(1);
  reader.skip(reader.u16());
  return reader.ok ? found({ version: 2 }, reader.at) : MORE;
}

/**
 * What a proxy or load balancer puts before the client's bytes to say whose they are (HAProxy's PROXY protocol, versions 1
 * and 2). `used` is where the client's own stream begins.
 */
export function readProxyHeader(stream: Uint8Array): Reading<ProxyHeader> {
  const isText = hasAt(stream, 0, TEXT_START);
  const isBinary = hasAt(stream, 0, BINARY_START);
  if (isText === true) return readTextHeader(stream);
  if (isBinary === true) return readBinaryHeader(stream);
  return isText === null || isBinary === null ? MORE : NO;
}
