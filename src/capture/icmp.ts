import { type DecodedPacket, decodePacket } from "./decode.ts";
import { ETHER_TYPE_IPV4, ETHER_TYPE_IPV6 } from "./link.ts";

const ICMP = 1;
const ICMPV6 = 58;
/** Type, code, checksum and four bytes that depend on the type. */
const HEADER = 8;
/** Longer than any packet that can be quoted: the quote's own header tells its length. */
const MAX_QUOTED = 65_535 + 40;
/** A quote whose length is told is padded to this (RFC 4884 section 4); less is a field that had another use. */
const MIN_SAID = 128;

/** Where an error message may say how long its quote is, and in units of how many bytes (RFC 4884 section 4). */
interface QuoteLength {
  at: number;
  unit: number;
}

const NO_LENGTH = null;
const LENGTH_V4: QuoteLength = { at: 5, unit: 4 };
const LENGTH_V6: QuoteLength = { at: 4, unit: 8 };

/** Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792). */
const ERRORS_V4: ReadonlyMap<number, QuoteLength | null> = new Map([
  [3, LENGTH_V4],
  [4, NO_LENGTH],
  [5, NO_LENGTH],
  [11, LENGTH_V4],
  [12, LENGTH_V4],
]);

/** Destination unreachable, packet too big, time exceeded, parameter problem (RFC 4443 section 3). */
const ERRORS_V6: ReadonlyMap<number, QuoteLength | null> = new Map([
  [1, LENGTH_V6],
  [2, NO_LENGTH],
  [3, LENGTH_V6],
  [4, NO_LENGTH],
]);

/** The quote in an error message, without extensions behind it. */
function quoteOf(message: Uint8Array, length: QuoteLength | null): Uint8Array {
  const quote = message.subarray(HEADER);
  const said = length === null ? 0 : (message[length.at] ?? 0) * length.unit;
  return said >= MIN_SAID ? quote.subarray(0, said) : quote;
}

/**
 * The packet that an ICMP (RFC 792) or ICMPv6 (RFC 4443) error message quotes, as much of it as is there; null when
 * `packet` is no such message, a later fragment, or quotes nothing that can be read.
 */
export function quotedPacket(
  packet: Pick<DecodedPacket, "ipv6" | "protocol" | "payload" | "fragment">,
): DecodedPacket | null {
  const { ipv6, protocol, payload, fragment } = packet;
  if (protocol !== (ipv6 ? ICMPV6 : ICMP) || fragment?.isFirst === false) return null;
  const length = (ipv6 ? ERRORS_V6 : ERRORS_V4).get(payload[0] ?? 0);
  if (length === undefined) return null;
  const quote = quoteOf(payload, length);
  const quoted = decodePacket(ipv6 ? ETHER_TYPE_IPV6 : ETHER_TYPE_IPV4, quote, 0, MAX_QUOTED);
  return typeof quoted === "string" ? null : quoted;
}
