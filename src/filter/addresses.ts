/** Below 0, 0 or above 0 as `a` comes before `b`, is the same or comes after it, byte by byte, shorter ones first. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
