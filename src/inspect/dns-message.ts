import { HEADER_BYTES, readName } from "./dns-name.ts";
import { readData, type RecordData } from "./dns-records.ts";
import { isKnownClass, isKnownType, TYPE } from "./dns-types.ts";
import { Reader } from "./reader.ts";

export interface DnsQuestion {
  /** As readName makes it. */
  name: string;
  type: number;
  class: number;
}

export interface DnsRecord extends DnsQuestion, RecordData {
  /** Seconds; 0 where the top bit is set (RFC 2181 section 8). */
  ttl: number;
}

export interface DnsMessage {
  id: number;
  isResponse: boolean;
  opcode: number;
  /** 12 bits where the message has EDNS (RFC 6891 section 6.1.3), else 4. */
  rcode: number;
  /** TC bit: the sender cut the message. */
  truncated: boolean;
  questions: DnsQuestion[];
  /** The answer section without OPT. */
  answers: DnsRecord[];
  /** Has an OPT record (RFC 6891). */
  edns: boolean;
  /** A section could not be read to its end, and not because the packet was cut. */
  isDamaged: boolean;
  /** The packet was cut before a section's end. */
  isCut: boolean;
}

const MAX_QUESTIONS = 64;
const MAX_RECORDS = 256;
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RESERVED = 0x0040;
/** Query, inverse query, status, notify, update (RFC 6895 section 2.2). */
const OPCODES: ReadonlySet<number> = new Set([0, 1, 2, 4, 5]);
/** QU of a question, cache-flush of a record (RFC 6762 sections 5.4 and 10.2). */
const MULTICAST_BIT = 0x8000;
/** Where the messages of the NetBIOS name service, like those of DNS else, have their NB type (RFC 1002 section 4.2.1.3). */
const NIMLOC = 32;

/** A message while it is read: what is missing is in `isBroken` and `reader.ok`. */
interface Sections {
  reader: Reader;
  /** Questions that the header promises. */
  promised: number;
  questions: DnsQuestion[];
  answers: DnsRecord[];
  extendedRcode: number | null;
  /** A section ended early. */
  isBroken: boolean;
  /** Records past the bound were left alone. */
  isPartial: boolean;
  /** Every type and class so far is one in use. */
  isKnown: boolean;
}

/** The class without the bit that multicast DNS puts on top of it. */
function readClass(reader: Reader): number {
  const value = reader.u16();
  const masked = value & ~MULTICAST_BIT;
  return isKnownClass(masked) ? masked : value;
}

function readQuestion(reader: Reader): DnsQuestion | null {
  const name = readName(reader);
  if (name === null) return null;
  const question = { name, type: reader.u16(), class: readClass(reader) };
  return reader.ok ? question : null;
}

function readQuestions(sections: Sections): void {
  for (let index = 0; index < sections.promised && !sections.isBroken; index++) {
    const question = index < MAX_QUESTIONS ? readQuestion(sections.reader) : null;
    if (question === null) {
      sections.isBroken = true;
      return;
    }
    sections.questions.push(question);
    sections.isKnown &&= isKnownType(question.type) && isKnownClass(question.class);
  }
}

/** One record of any section (RFC 1035 section 4.1.3); its data is looked at in answers and OPT alone. */
function readRecord(sections: Sections, isAnswer: boolean): void {
  const { reader } = sections;
  const owner = readQuestion(reader);
  if (owner === null) {
    sections.isBroken = true;
    return;
  }
  const ttl = reader.u32();
  const data = reader.sub(reader.u16());
  if (!reader.ok) {
    sections.isBroken = true;
    return;
  }
  if (owner.type === TYPE.OPT) {
    sections.extendedRcode = ttl >>> 24;
    return;
  }
  sections.isKnown &&= isKnownType(owner.type) && isKnownClass(owner.class);
  if (!isAnswer) return;
  const seconds = ttl > 0x7fffffff ? 0 : ttl;
  sections.answers.push({ ...owner, ttl: seconds, ...readData(data, owner.type, owner.class) });
}

/** NB and NBSTAT have the numbers of a type that nobody uses and of SRV, whose names start with an underscore (RFC 2782). */
function isNetbios(sections: Sections): boolean {
  const first = sections.questions[0] ?? sections.answers[0];
  return first?.type === NIMLOC || (first?.type === TYPE.SRV && !first.name.startsWith("_"));
}

/** Whether nobody but a DNS program would send this. */
function isCertain(sections: Sections, flags: number, isCut: boolean): boolean {
  const { reader, questions, answers } = sections;
  if (!OPCODES.has((flags >> 11) & 0xf) || (flags & RESERVED) !== 0 || !sections.isKnown) return false;
  const isResponse = (flags & RESPONSE) !== 0;
  if (questions.length === 0 && (!isResponse || answers.length === 0)) return false;
  // NOERROR is the one response code of a request.
  if ((!isResponse && (flags & 0xf) !== 0) || isNetbios(sections)) return false;
  if (sections.isBroken) return isCut && !reader.ok && questions.length === sections.promised;
  return !sections.isPartial && reader.left === 0;
}

/**
 * A DNS message (RFC 1035 section 4.1), also one of multicast DNS (RFC 6762) and LLMNR (RFC 4795): the same header and
 * sections. At most 64 questions and 256 records are looked at. Null when shorter than a header.
 *
 * `strict` is for ports that are not those of DNS: null, too, unless every byte is accounted for, and every opcode, type
 * and class is in use. Else damage ends the reading and what came before it counts.
 * `isCut` says that `bytes` is the start of a longer message: that it ends early is then no damage.
 */
export function parseDns(
  bytes: Uint8Array,
  { strict, isCut }: { strict: boolean; isCut: boolean },
): DnsMessage | null {
  if (bytes.length < HEADER_BYTES) return null;
  const reader = new Reader(bytes);
  const id = reader.u16();
  const flags = reader.u16();
  const promised = reader.u16();
  const answers = reader.u16();
  const records = answers + reader.u16() + reader.u16();
  const sections: Sections = {
    reader,
    promised,
    questions: [],
    answers: [],
    extendedRcode: null,
    isBroken: false,
    isPartial: records > MAX_RECORDS,
    isKnown: true,
  };
  readQuestions(sections);
  for (let index = 0; index < Math.min(records, MAX_RECORDS) && !sections.isBroken; index++) {
    readRecord(sections, index < answers);
  }
  if (strict && !isCertain(sections, flags, isCut)) return null;
  const isCutShort = sections.isBroken && isCut && !reader.ok;
  return {
    id,
    isResponse: (flags & RESPONSE) !== 0,
    opcode: (flags >> 11) & 0xf,
    rcode: ((sections.extendedRcode ?? 0) << 4) | (flags & 0xf),
    truncated: (flags & TRUNCATED) !== 0,
    questions: sections.questions,
    answers: sections.answers,
    edns: sections.extendedRcode !== null,
    isDamaged: sections.isBroken && !isCutShort,
    isCut: isCutShort,
  };
}
