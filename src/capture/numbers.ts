/** The big-endian 16-bit number at `at`; bytes past the end count as zeros. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The big-endian 32-bit number at `at`; bytes past the end count as zeros. */
export function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
}
