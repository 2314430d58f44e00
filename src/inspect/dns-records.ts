import { formatAddress } from "../flow/address.ts";
import { readName } from "./dns-name.ts";
import { CLASS_IN, TYPE, typeName } from "./dns-types.ts";
import type { Reader } from "./reader.ts";

/** What a record holds, apart from whose it is. */
export interface RecordData {
  /** Presentation form, at most MAX_DATA characters; `DNSKEY \# 264` (type, bytes) where this program knows none. */
  data: string;
  /** Of an A (4 bytes) or AAAA (16 bytes) record of class IN. */
  address: Uint8Array | null;
  /** The other name that CNAME, DNAME, NS, PTR, MX, SRV and the alias mode of SVCB and HTTPS lead to. */
  target: string | null;
  /** Addresses that SVCB and HTTPS give for the service (RFC 9460 section 7.3), 4 or 16 bytes each. */
  hints: readonly Uint8Array[];
}

/** Characters of a record's data that are kept. */
export const MAX_DATA = 256;
const MAX_HINTS = 16;
const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const NO_HINTS: readonly Uint8Array[] = [];

/** Service parameters with a meaning here (RFC 9460 section 14.3.2). */
const PARAMETERS = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"];

function clip(text: string): string {
  return text.length <= MAX_DATA ? text : `${text.slice(0, MAX_DATA - 1).toWellFormed()}…`;
}

/** A character string (RFC 1035 section 5.1) without its quotes: printable ASCII as it is, the rest as `\DDD`. */
function characters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, MAX_DATA)) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

function nameOnly(reader: Reader): RecordData | null {
  const name = readName(reader);
  return name === null ? null : { data: name, address: null, target: name, hints: NO_HINTS };
}

/** `count` 16-bit numbers, then a name: MX (RFC 1035 section 3.3.9) and SRV (RFC 2782). */
function numbersAndName(reader: Reader, count: number): RecordData | null {
  const numbers = Array.from({ length: count }, () => reader.u16());
  const name = readName(reader);
  if (name === null) return null;
  return { data: `${numbers.join(" ")} ${name}`, address: null, target: name, hints: NO_HINTS };
}

function plain(data: string): RecordData {
  return { data, address: null, target: null, hints: NO_HINTS };
}

function addressOnly(reader: Reader, length: number): RecordData | null {
  if (reader.left !== length) return null;
  const address = reader.take(length).slice();
  return { data: formatAddress(address), address, target: null, hints: NO_HINTS };
}

/** One or more character strings: TXT and its like (RFC 1035 section 3.3.14). */
function strings(reader: Reader): RecordData | null {
  let text = "";
  while (reader.left > 0 && text.length <= MAX_DATA) {
    const string = reader.take(reader.u8());
    if (!reader.ok) return null;
    text += `${text === "" ? "" : " "}"${characters(string)}"`;
  }
  return plain(text);
}

/** Primary server, mailbox and serial; the timers (RFC 1035 section 3.3.13) say nothing about who talks to whom. */
function startOfAuthority(reader: Reader): RecordData | null {
  const primary = readName(reader);
  const mailbox = primary === null ? null : readName(reader);
  const serial = reader.u32();
  return mailbox === null || !reader.ok ? null : plain(`${primary} ${mailbox} ${serial}`);
}

/** Who may issue certificates (RFC 8659 section 4.1). */
function certificateAuthority(reader: Reader): RecordData | null {
  const flags = reader.u8();
  const tag = reader.take(reader.u8());
  const value = reader.take(reader.left);
  return reader.ok ? plain(`${flags} ${characters(tag)} "${characters(value)}"`) : null;
}

function addresses(value: Uint8Array, length: number): Uint8Array[] | null {
  if (value.length === 0 || value.length % length !== 0) return null;
  const count = Math.min(value.length / length, MAX_HINTS);
  return Array.from({ length: count }, (_, index) => value.slice(index * length, (index + 1) * length));
}

/** Protocols that the service speaks, at least one (RFC 9460 section 7.1.1). */
function protocols(reader: Reader): string | null {
  const ids: string[] = [];
  do ids.push(characters(reader.take(reader.u8())));
  while (reader.left > 0 && ids.length < MAX_DATA);
  return reader.ok && !ids.includes("") ? ids.join(",") : null;
}

/** The text of one service parameter, whose hints are added to `hints`; null if malformed. */
function serviceParameter(key: number, value: Reader, hints: Uint8Array[]): string | null {
  const name = PARAMETERS[key] ?? `key${key}`;
  if (name === "port") return value.left === 2 ? `port=${value.u16()}` : null;
  if (name === "ipv4hint" || name === "ipv6hint") {
    const list = addresses(value.take(value.left), name === "ipv4hint" ? IPV4_BYTES : IPV6_BYTES);
    if (list === null) return null;
    hints.push(...list);
    return `${name}=${list.map(formatAddress).join(",")}`;
  }
  if (name !== "alpn") return name;
  const ids = protocols(value);
  return ids === null ? null : `alpn=${ids}`;
}

/** SVCB and HTTPS (RFC 9460 section 2.2): keys rise strictly; parameters of the alias mode are ignored (2.4.2). */
function service(reader: Reader): RecordData | null {
  const priority = reader.u16();
  const name = readName(reader);
  if (name === null) return null;
  let data = `${priority} ${name}`;
  if (priority === 0) return { data, address: null, target: name === "." ? null : name, hints: NO_HINTS };
  const hints: Uint8Array[] = [];
  for (let last = -1; reader.left > 0; ) {
    const key = reader.u16();
    const value = reader.sub(reader.u16());
    const text = reader.ok && key > last ? serviceParameter(key, value, hints) : null;
    if (text === null) return null;
    if (data.length <= MAX_DATA) data += ` ${text}`;
    last = key;
  }
  return { data, address: null, target: null, hints };
}

function readKnown(reader: Reader, type: number): RecordData | null {
  switch (type) {
    case TYPE.A:
      return addressOnly(reader, IPV4_BYTES);
    case TYPE.AAAA:
      return addressOnly(reader, IPV6_BYTES);
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.PTR:
    case TYPE.DNAME:
      return nameOnly(reader);
    case TYPE.MX:
      return numbersAndName(reader, 1);
    case TYPE.SRV:
      return numbersAndName(reader, 3);
    case TYPE.SOA:
      return startOfAuthority(reader);
    case TYPE.TXT:
    case TYPE.SPF:
    case TYPE.HINFO:
      return strings(reader);
    case TYPE.CAA:
      return certificateAuthority(reader);
    case TYPE.SVCB:
    case TYPE.HTTPS:
      return service(reader);
    default:
      return null;
  }
}

/**
 * The data of a record of `type` and `recordClass`, which `reader` holds exactly; `reader.bytes` is the whole message.
 * Data that its type does not allow, and data of other classes than IN, is given by its length alone.
 */
export function readData(reader: Reader, type: number, recordClass: number): RecordData {
  const length = reader.left;
  const known = recordClass === CLASS_IN || type === TYPE.TXT ? readKnown(reader, type) : null;
  if (known === null) return plain(`${typeName(type)} \\# ${length}`);
  return { ...known, data: clip(known.data) };
}
