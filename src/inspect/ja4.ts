import { createHash } from "node:crypto";
import type { ClientHello } from "./client-hello.ts";
import { ALPN, isGrease, SERVER_NAME } from "./tls-extensions.ts";
import { highestVersion } from "./tls-version.ts";

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
  [0x0002, "s2"],
  [0xfeff, "d1"],
  [0xfefd, "d2"],
  [0xfefc, "d3"],
]);
const UNKNOWN_VERSION = "00";
const NO_PROTOCOL = "00";
const NO_HASH = "000000000000";
const MAX_COUNT = 99;

function isAlphanumeric(byte: number): boolean {
  return /[0-9A-Za-z]/.test(String.fromCharCode(byte));
}

/** First and last character of the first protocol, of its hexadecimal digits where one is not alphanumeric. */
function protocolEnds(protocol: Uint8Array): string {
  const first = protocol.at(0);
  const last = protocol.at(-1);
  if (first === undefined || last === undefined) return NO_PROTOCOL;
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return (first >> 4).toString(16) + (last & 0xf).toString(16);
}

function count(values: readonly number[]): string {
  return String(Math.min(values.length, MAX_COUNT)).padStart(2, "0");
}

function hex(values: readonly number[]): string {
  return values.map((value) => value.toString(16).padStart(4, "0")).join(",");
}

function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function hash(text: string): string {
  return text === "" ? NO_HASH : createHash("sha256").update(text).digest("hex").slice(0, NO_HASH.length);
}

function withoutGrease(values: readonly number[]): number[] {
  return values.filter((value) => !isGrease(value));
}

/**
 * The JA4 fingerprint of a client, as FoxIO's technical_details/JA4.md defines it: no GREASE anywhere, drafts of
 * TLS 1.3 are an unknown version. That of a cut hello is one of what could be read.
 */
export function ja4(hello: ClientHello, transport: "tcp" | "quic"): string {
  const ciphers = withoutGrease(hello.ciphers);
  const extensions = withoutGrease(hello.extensions);
  const kind = transport === "tcp" ? "t" : "q";
  const version = VERSIONS.get(highestVersion(hello)) ?? UNKNOWN_VERSION;
  const destination = extensions.includes(SERVER_NAME) ? "d" : "i";
  const hashed = hex(ascending(extensions.filter((type) => type !== SERVER_NAME && type !== ALPN)));
  const algorithms = hex(withoutGrease(hello.signatureAlgorithms));
  return [
    kind + version + destination + count(ciphers) + count(extensions) + protocolEnds(hello.alpnBytes),
    hash(hex(ascending(ciphers))),
    hash(algorithms === "" ? hashed : `${hashed}_${algorithms}`),
  ].join("_");
}
