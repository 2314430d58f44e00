import type { ClientHello } from "./client-hello.ts";

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x0002, "SSL 2.0"],
  [0x0300, "SSL 3.0"],
  [0x0301, "TLS 1.0"],
  [0x0302, "TLS 1.1"],
  [0x0303, "TLS 1.2"],
  [0x0304, "TLS 1.3"],
  [0xfeff, "DTLS 1.0"],
  [0xfefd, "DTLS 1.2"],
  [0xfefc, "DTLS 1.3"],
]);
/** High byte of a draft of TLS 1.3: 0x7f00 and the draft's number, at Facebook 0xfb00 and it. */
const DRAFTS: readonly number[] = [0x7f, 0xfb];

/** `TLS 1.3` for 0x0304 and for its drafts, `0x1234` for a version without a name. */
export function tlsVersionName(version: number): string {
  if (DRAFTS.includes(version >> 8)) return "TLS 1.3";
  return NAMES.get(version) ?? `0x${version.toString(16).padStart(4, "0")}`;
}

/** The highest number in supported_versions (RFC 8446 section 4.2.1); without that extension the hello's own version. */
export function highestVersion(hello: ClientHello): number {
  return hello.versions.reduce((highest, version) => Math.max(highest, version), 0) || hello.legacyVersion;
}
