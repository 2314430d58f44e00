const TLS_HANDSHAKE = 0x16;
const TLS_MAJOR_VERSION = 3;

/** Whether `pattern` stands at `at`; null when the bytes end before that is decided. */
export function hasAt(bytes: Uint8Array, at: number, pattern: ArrayLike<number>): boolean | null {
  for (let i = 0; i < pattern.length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    if (byte !== pattern[i]) return false;
  }
  return true;
}

/** Whether a TLS handshake record starts at `at` (RFC 8446 section 5.1); null when the bytes end before that is decided. */
export function isTlsAt(bytes: Uint8Array, at: number): boolean | null {
  return hasAt(bytes, at, [TLS_HANDSHAKE, TLS_MAJOR_VERSION]);
}

/** Little-endian number of 4 bytes; zeros past the end. */
export function littleEndian32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return a + b * 0x100 + c * 0x1_0000 + d * 0x100_0000;
}
