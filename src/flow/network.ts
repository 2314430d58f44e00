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

/** Reads an address or a CIDR network. @throws AyaflowError naming the text. */
export function parseNetwork(text: string): Network {
  const network = split(text);
  if (network === null) {
    throw new AyaflowError(`"${text}" is neither an IP address nor a network such as 10.0.0.0/8`);
  }
  const { base, prefix } = network;
  const whole = prefix >> 3;
  const rest = prefix & 7;
  const mask = (0xff00 >> rest) & 0xff;
  return {
    contains: (candidate) => {
      if (candidate.length !== base.length) return false;
      for (let index = 0; index < whole; index++) if (candidate[index] !== base[index]) return false;
      return rest === 0 || (((candidate[whole] ?? 0) ^ (base[whole] ?? 0)) & mask) === 0;
    },
  };
}
