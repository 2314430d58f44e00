/** The reverse zones: the names that addresses have there, and asking for what they point to. */
import { Resolver } from "node:dns/promises";
import { parseAddress } from "../flow/address.ts";
import { parseNetwork } from "../flow/network.ts";
import { HEADER_BYTES, readName } from "./dns-name.ts";
import { Reader } from "./reader.ts";

const IPV4_ZONE = "in-addr.arpa";
const IPV6_ZONE = "ip6.arpa";
const IPV4_BYTES = 4;

/** RFC 1035 section 2.3.4. */
const MAX_LABEL = 63;
/** A name of 255 bytes with each of them written as `\DDD`. */
const MAX_PRESENTATION = 4 * 255;
/** A byte as `\DDD`, a quoted character, any other character (RFC 1035 section 5.1). */
const CHARACTER = /\\(\d{3})|\\?./gsu;
/** What would show as nothing. */
const BLANK = /^[. ]*$/;

const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;
/** Bun's resolver reads /etc/resolv.conf once, when it is made. */
const RESOLVER_LIFE_MS = 30_000;

/** Unspecified, loopback, multicast, broadcast, link-local IPv6: no name server knows better than this host. */
const NAMELESS = [
  "0.0.0.0",
  "127.0.0.0/8",
  "224.0.0.0/4",
  "255.255.255.255",
  "::",
  "::1",
  "fe80::/10",
  "ff00::/8",
].map(parseNetwork);

const encoder = new TextEncoder();

/** Whether an address of 4 or 16 bytes can have a name in the reverse zones. */
export function hasReverseName(address: Uint8Array): boolean {
  return !NAMELESS.some((network) => network.contains(address));
}

/** The name of an address of 4 or 16 bytes in the reverse zones (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseZoneName(address: Uint8Array): string {
  const bytes = [...address].toReversed();
  if (bytes.length === IPV4_BYTES) return `${bytes.join(".")}.${IPV4_ZONE}`;
  const nibbles = bytes.flatMap((byte) => [byte & 0xf, byte >> 4]);
  return `${nibbles.map((nibble) => nibble.toString(16)).join(".")}.${IPV6_ZONE}`;
}

/** The labels of a name in presentation form, without the empty one of the root. */
function labelsOf(text: string): number[][] {
  const labels: number[][] = [];
  let label: number[] = [];
  for (const [character, decimal] of text.matchAll(CHARACTER)) {
    if (character === ".") {
      labels.push(label);
      label = [];
    } else if (decimal === undefined) {
      const isQuoted = character.length > 1 && character.startsWith("\\");
      label.push(...encoder.encode(isQuoted ? character.slice(1) : character));
    } else {
      label.push(Number(decimal));
    }
  }
  return label.length === 0 ? labels : [...labels, label];
}

function isHost(name: string): boolean {
  const isInReverseZones = [IPV4_ZONE, IPV6_ZONE].some((zone) => name === zone || name.endsWith(`.${zone}`));
  return !isInReverseZones && !BLANK.test(name) && parseAddress(name) === null;
}

/**
 * What a PTR record points to, from presentation form (which is what c-ares gives) to the text that `readName` makes of
 * the same name on the wire. Null for what names no host: the root, no name at all, nothing but dots and spaces, an address, a
 * name in the reverse zones.
 */
export function pointedName(text: string): string | null {
  const labels = text.length > MAX_PRESENTATION ? [] : labelsOf(text);
  const isName = labels.every(
    (label) => label.length > 0 && label.length <= MAX_LABEL && label.every((byte) => byte <= 0xff),
  );
  if (labels.length === 0 || !isName) return null;
  const wire = labels.flatMap((label) => [label.length, ...label]);
  // Read as from a message, so that a name looks the same wherever it comes from.
  const name = readName(
    new Reader(Uint8Array.from([...new Uint8Array(HEADER_BYTES), ...wire, 0]), HEADER_BYTES),
  );
  return name !== null && isHost(name) ? name : null;
}

/**
 * Asks the name servers of /etc/resolv.conf for the PTR records of an address, and follows changes of that file. The
 * names are in presentation form; the promise is rejected with `code` ENOTFOUND (no such name or no such record),
 * ETIMEOUT, ESERVFAIL, EREFUSED or another of c-ares. `/etc/hosts` is not asked.
 */
export function systemResolver(): (address: string) => Promise<string[]> {
  let resolver: Resolver | null = null;
  let madeMs = 0;
  return async (address) => {
    const bytes = parseAddress(address);
    if (bytes === null) throw new RangeError(`"${address}" is not an address`);
    const nowMs = performance.now();
    if (resolver === null || nowMs - madeMs >= RESOLVER_LIFE_MS) {
      resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
      madeMs = nowMs;
    }
    // Not `reverse`: in Bun every failure of it is ENOTFOUND.
    return await resolver.resolvePtr(reverseZoneName(bytes));
  };
}
