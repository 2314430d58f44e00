import { AyaflowError } from "../errors.ts";
import { parseAddress } from "./address.ts";

/** An address or a CIDR network. */
export interface Network {
  /** `address` has 4 or 16 bytes; another family never matches. */
  contains(address: Uint8Array): boolean;
}

/** Base address and prefix length of `10.0.0.0/8`, `fd00::/8` or a single address; null for anything else. */
function split(text: string): { base: Uint8Array; prefix: number } | null {
  const [address = "", suffix, ...rest] = text.split("/");
  const base = parseAddress(address);
  const bits = (base?.length ?? 0) * 8;
  const prefix = suffix === undefined ? bits : Number(suffix);
  const isNumber = suffix === undefined || /^\d{1,3}$/.test(suffix);
  return base === null || rest.length > 0 || !isNumber || prefix > bits ? null : { base, prefix };
}

/** Whether `text` is an address or a CIDR network. */
export function isNetwork(text: string): boolean {
  return split(text) !== null;
}

/** First and last address of an address or CIDR network; null for anything else. */
export function networkRange(text: string): { first: Uint8Array; last: Uint8Array } | null {
  const network = split(text);
  if (network === null) return null;
  const { base, prefix } = network;
  const hostBits = (index: number) => 0xff >> Math.max(0, Math.min(8, prefix - index * 8));
  return {
    first: base.map((byte, index) => byte & ~hostBits(index)),
    last: base.map((byte, index) => byte | hostBits(index)),
  };
}

/** Reads an address or a CIDR network. @throws AyaflowError naming the text. */
export function parseNetwork(text: string): Network {
  const range = networkRange(text);
  if (range === null) {
    throw new AyaflowError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
  }
  const { first, last } = range;
  return {
    contains: (address) =>
      address.length === first.length &&
      address.every((byte, index) => byte >= (first[index] ?? 0) && byte <= (last[index] ?? 0)),
  };
}
