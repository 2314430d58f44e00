import { addressBytes, concat, fields } from "./bytes.ts";

/** Part of a record's data: bytes as they are, or a domain name, which `compress` makes shorter. */
type Part = Uint8Array | string;

export interface Question {
  name: string;
  type: number;
  class?: number;
}

export interface Record extends Question {
  ttl?: number;
  data: readonly Part[];
}

export interface Message {
  id?: number;
  /** The second 16 bits of the header: 0x0100 for a usual query, 0x8180 for a usual answer. */
  flags?: number;
  questions?: readonly Question[];
  answers?: readonly Record[];
  authorities?: readonly Record[];
  additionals?: readonly Record[];
  /** Point to earlier names (RFC 1035 section 4.1.4); the default. */
  compress?: boolean;
}

const text = new TextEncoder();
const ROOT = new Uint8Array(1);
const EDNS = 41;

/** One label with its length. */
export function label(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? text.encode(value) : value;
  return concat(Uint8Array.of(bytes.length), bytes);
}

/** A name of labels parted by dots, uncompressed; `.` is the root. */
export function wireName(name: string): Uint8Array {
  return name === "." ? ROOT : concat(...name.split(".").map(label), ROOT);
}

/** A name whose longest known suffix is a pointer; adds to `seen` where each of its suffixes starts. */
function compressed(name: string, at: number, seen: Map<string, number>): Uint8Array {
  const parts: Uint8Array[] = [];
  let offset = at;
  for (let rest = name === "." ? "" : name; rest !== ""; ) {
    const known = seen.get(rest);
    if (known !== undefined) return concat(...parts, fields([0xc000 | known, 2]));
    seen.set(rest, offset);
    const [first = "", ...others] = rest.split(".");
    parts.push(label(first));
    offset += first.length + 1;
    rest = others.join(".");
  }
  return concat(...parts, ROOT);
}

/** A DNS message (RFC 1035 section 4.1). */
export function dnsMessage(message: Message): Uint8Array {
  const { questions = [], answers = [], authorities = [], additionals = [] } = message;
  const seen = new Map<string, number>();
  const counts = [questions, answers, authorities, additionals].map(({ length }) => [length, 2] as const);
  let out = fields([message.id ?? 0, 2], [message.flags ?? 0x0100, 2], ...counts);
  const named = (part: Part, ahead: number) => {
    if (typeof part !== "string") return part;
    return message.compress === false ? wireName(part) : compressed(part, out.length + ahead, seen);
  };
  for (const question of questions) {
    out = concat(out, named(question.name, 0), fields([question.type, 2], [question.class ?? 1, 2]));
  }
  for (const record of [...answers, ...authorities, ...additionals]) {
    out = concat(out, named(record.name, 0));
    let data: Uint8Array = new Uint8Array();
    for (const part of record.data) data = concat(data, named(part, 10 + data.length));
    const head = fields([record.type, 2], [record.class ?? 1, 2], [record.ttl ?? 300, 4], [data.length, 2]);
    out = concat(out, head, data);
  }
  return out;
}

/** A query for one name. */
export function dnsQuery(name: string, type = 1, id = 7): Uint8Array {
  return dnsMessage({ id, questions: [{ name, type }] });
}

/** The answer without error to `dnsQuery`. */
export function dnsAnswer(name: string, answers: readonly Record[], type = 1, id = 7): Uint8Array {
  return dnsMessage({ id, flags: 0x8180, questions: [{ name, type }], answers });
}

/** An A or AAAA record. */
export function addressRecord(name: string, address: string, ttl = 300): Record {
  return { name, type: address.includes(":") ? 28 : 1, ttl, data: [addressBytes(address)] };
}

/** A record whose data is one name: NS 2, CNAME 5, PTR 12, DNAME 39. */
export function nameRecord(name: string, type: number, target: string, ttl = 300): Record {
  return { name, type, ttl, data: [target] };
}

/** An OPT record with the upper 8 bits of the response code (RFC 6891 section 6.1.3). */
export function ednsRecord(extendedRcode = 0): Record {
  return { name: ".", type: EDNS, class: 1232, ttl: extendedRcode * 0x1000000, data: [] };
}
