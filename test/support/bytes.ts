import ipaddr from "ipaddr.js";

/** One array of all the parts. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `length` bytes of a fixed pattern, the same for the same `seed`. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + seed) & 0xff);
}

/** Big-endian numbers one after another, each as `[value, bytes]`. */
export function fields(...list: readonly (readonly [value: number, bytes: 1 | 2 | 4])[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(list.reduce((length, [, bytes]) => length + bytes, 0)));
  let at = 0;
  for (const [value, bytes] of list) {
    if (bytes === 1) out.setUint8(at, value);
    else if (bytes === 2) out.setUint16(at, value);
    else out.setUint32(at, value);
    at += bytes;
  }
  return new Uint8Array(out.buffer);
}

/** A copy of `bytes` with the 16-bit number at `offset` replaced, big-endian. */
export function withUint16(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const out = bytes.slice();
  out[offset] = value >> 8;
  out[offset + 1] = value & 0xff;
  return out;
}

/** Internet checksum (RFC 1071) of `bytes`. */
export function checksum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

/** 4 or 16 bytes of an address, network order. */
export function addressBytes(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

/** 6 bytes of a MAC address written with colons. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
}
