const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
const MAX_TEXT = 45;

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function group(bytes: Uint8Array, index: number): number {
  return ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0);
}

/** RFC 5952 section 5: ::ffff:0:0/96 shows its IPv4 address. */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Where `::` goes (RFC 5952 section 4.2): the first longest run of two or more zero groups. */
function longestZeroRun(bytes: Uint8Array): { start: number; length: number } {
  let start = -1;
  let length = 1;
  let run = 0;
  for (let index = 0; index < IPV6_GROUPS; index++) {
    run = group(bytes, index) === 0 ? run + 1 : 0;
    if (run > length) {
      length = run;
      start = index - run + 1;
    }
  }
  return { start, length };
}

function formatIpv6(bytes: Uint8Array): string {
  if (isMapped(bytes)) return `::ffff:${formatIpv4(bytes, 12)}`;
  const { start, length } = longestZeroRun(bytes);
  let text = "";
  for (let index = 0; index < IPV6_GROUPS; index++) {
    if (index === start) {
      text += "::";
      index += length - 1;
      continue;
    }
    if (text !== "" && !text.endsWith("::")) text += ":";
    text += group(bytes, index).toString(16);
  }
  return text;
}

/**
 * The text of an address of 4 bytes (IPv4) or 16 bytes (IPv6, RFC 5952), network order.
 * @throws RangeError for any other length.
 */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return formatIpv4(bytes, 0);
  if (bytes.length === IPV6_BYTES) return formatIpv6(bytes);
  throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
}

/** Writes a dotted quad into `out` at `at`; false if `text` is not one (no leading zeros: they mean octal to some). */
function writeIpv4(text: string, out: Uint8Array, at: number): boolean {
  const parts = text.split(".");
  if (parts.length !== IPV4_BYTES) return false;
  return parts.every((part, index) => {
    const value = Number(part);
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || value > 255) return false;
    out[at + index] = value;
    return true;
  });
}

/** The bytes of colon-separated groups, the last of which may be a dotted quad; null if malformed. */
function parseGroups(text: string): Uint8Array | null {
  if (text === "") return new Uint8Array(0);
  const parts = text.split(":");
  if (parts.length > IPV6_GROUPS) return null;
  const isDotted = parts.at(-1)?.includes(".") ?? false;
  const bytes = new Uint8Array((parts.length + (isDotted ? 1 : 0)) * 2);
  for (const [index, part] of parts.entries()) {
    if (isDotted && index === parts.length - 1) return writeIpv4(part, bytes, index * 2) ? bytes : null;
    if (!/^[0-9a-f]{1,4}$/i.test(part)) return null;
    const value = Number.parseInt(part, 16);
    bytes[index * 2] = value >> 8;
    bytes[index * 2 + 1] = value & 0xff;
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const gap = text.indexOf("::");
  if (gap === -1) {
    const whole = parseGroups(text);
    return whole?.length === IPV6_BYTES ? whole : null;
  }
  const headText = text.slice(0, gap);
  const tail = parseGroups(text.slice(gap + 2));
  const head = parseGroups(headText);
  if (head === null || tail === null || headText.includes(".")) return null;
  if (head.length + tail.length > IPV6_BYTES - 2) return null;
  const bytes = new Uint8Array(IPV6_BYTES);
  bytes.set(head);
  bytes.set(tail, IPV6_BYTES - tail.length);
  return bytes;
}

/** The 4 or 16 bytes of an IPv4 or IPv6 literal (RFC 4291 section 2.2), network order; null for anything else. */
export function parseAddress(text: string): Uint8Array | null {
  if (text.length > MAX_TEXT) return null;
  if (text.includes(":")) return parseIpv6(text);
  const bytes = new Uint8Array(IPV4_BYTES);
  return writeIpv4(text, bytes, 0) ? bytes : null;
}
