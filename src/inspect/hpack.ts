import { decodeHuffman } from "./hpack-huffman.ts";
import { STATIC_TABLE } from "./hpack-static.ts";
import { latin1 } from "./http-text.ts";
import { Reader } from "./reader.ts";

/** RFC 9113 section 6.5.2: the size of the table until the other side's settings say otherwise. */
const INITIAL_TABLE_BYTES = 4096;
/** The settings are the other side's, unseen here: a table as large as browsers allow is believed. */
const MAX_TABLE_BYTES = 65_536;
/** RFC 7541 section 4.1: what an entry counts besides its name and value. */
const ENTRY_OVERHEAD = 32;
const INDEXED = 0x80;
const LITERAL_INDEXED = 0x40;
const SIZE_UPDATE = 0x20;
const SIZE_UPDATE_MASK = 0xe0;
const HUFFMAN = 0x80;
/** Four bytes of seven bits behind the prefix: nothing that fits a block is larger. */
const MAX_INTEGER_SHIFT = 28;

/** One field of a header block. The value may be a view of the block. */
export interface HeaderField {
  /** One character a byte. */
  readonly name: string;
  readonly value: Uint8Array;
}

const STATIC_FIELDS: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) => ({
  name,
  value: new TextEncoder().encode(value),
}));

/** An integer with a prefix of `bits` bits (RFC 7541 section 5.1); the reader fails when it is absurdly large. */
function readInteger(reader: Reader, bits: number): number {
  const mask = 2 ** bits - 1;
  let value = reader.u8() & mask;
  if (value < mask) return value;
  for (let shift = 0; shift < MAX_INTEGER_SHIFT; shift += 7) {
    const byte = reader.u8();
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  reader.ok = false;
  return 0;
}

/** A string literal (RFC 7541 section 5.2). */
function readString(reader: Reader): Uint8Array {
  const isCoded = ((reader.bytes[reader.at] ?? 0) & HUFFMAN) !== 0;
  const bytes = reader.take(readInteger(reader, 7));
  const decoded = isCoded ? decodeHuffman(bytes) : bytes;
  if (decoded === null) reader.ok = false;
  return decoded ?? bytes;
}

function entryBytes({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

/** What an entry takes besides its characters, measured: an object, a string and an array. */
const ENTRY_MEMORY = 160;

/** Decodes the header blocks of one direction of a connection, in order (RFC 7541). */
export class HpackDecoder {
  /** Newest last. */
  private readonly entries: HeaderField[] = [];
  private bytes = 0;

  /** @param limit most bytes of the dynamic table until the encoder changes it (RFC 7541 section 4.2). */
  constructor(private limit = INITIAL_TABLE_BYTES) {}

  /** Bytes of memory that its table takes. */
  get memory(): number {
    return this.bytes + this.entries.length * (ENTRY_MEMORY - ENTRY_OVERHEAD);
  }

  /**
   * Calls `onField` for each field of a header block. False when the block is cut or malformed: the fields before that
   * place were told, and later blocks cannot be decoded.
   */
  decode(block: Uint8Array, onField: (field: HeaderField) => void): boolean {
    const reader = new Reader(block);
    while (reader.ok && reader.left > 0) {
      const first = block[reader.at] ?? 0;
      if ((first & SIZE_UPDATE_MASK) === SIZE_UPDATE) {
        this.resize(reader);
        continue;
      }
      const field =
        first >= INDEXED ? this.lookUp(reader, readInteger(reader, 7)) : this.literal(reader, first);
      if (reader.ok) onField(field);
    }
    return reader.ok;
  }

  /** RFC 7541 section 2.3.3: one index for both tables, the static one first, then the dynamic one from its newest. */
  private lookUp(reader: Reader, index: number): HeaderField {
    const field =
      index <= STATIC_FIELDS.length
        ? STATIC_FIELDS[index - 1]
        : this.entries[this.entries.length - (index - STATIC_FIELDS.length)];
    if (field === undefined) reader.ok = false;
    return field ?? { name: "", value: new Uint8Array() };
  }

  /** RFC 7541 section 6.2. */
  private literal(reader: Reader, first: number): HeaderField {
    const isIndexed = first >= LITERAL_INDEXED;
    const index = readInteger(reader, isIndexed ? 6 : 4);
    const name = index === 0 ? latin1(readString(reader)) : this.lookUp(reader, index).name;
    const field = { name, value: readString(reader) };
    if (isIndexed && reader.ok) this.add(field);
    return field;
  }

  private add({ name, value }: HeaderField): void {
    // A copy: a view would keep the whole packet alive.
    const entry = { name, value: value.slice() };
    this.evict(this.limit - entryBytes(entry));
    if (entryBytes(entry) > this.limit) return;
    this.entries.push(entry);
    this.bytes += entryBytes(entry);
  }

  /** RFC 7541 section 6.3. */
  private resize(reader: Reader): void {
    const limit = readInteger(reader, 5);
    if (limit > MAX_TABLE_BYTES) reader.ok = false;
    if (!reader.ok) return;
    this.limit = limit;
    this.evict(limit);
  }

  /** Drops the oldest entries until the others take no more than `limit` bytes, all of them if it is negative. */
  private evict(limit: number): void {
    while (this.bytes > Math.max(limit, 0)) {
      const oldest = this.entries.shift();
      if (oldest !== undefined) this.bytes -= entryBytes(oldest);
    }
  }
}
