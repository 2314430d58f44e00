import { readSync } from "node:fs";

/** Offsets within an ELF64 header and a section header (System V ABI, chapter 4). */
const HEADER = { bytes: 64, sectionOffset: 40, sectionSize: 58, sections: 60, namesIndex: 62 } as const;
const SECTION = { name: 0, offset: 24, size: 32 } as const;
const NAME_BYTES = 32;
/** 0x7f and "ELF", as a big-endian number. */
const MAGIC = 0x7f454c46;

export interface FileRange {
  /** In bytes from the start of the file. */
  offset: number;
  size: number;
}

function readAt(fd: number, offset: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  readSync(fd, bytes, 0, length, offset);
  return new DataView(bytes.buffer);
}

/** Where a section of an open ELF64 file lies in it (little endian); null where it has none of that name, or is no ELF file. */
export function findSection(fd: number, name: string): FileRange | null {
  const header = readAt(fd, 0, HEADER.bytes);
  if (header.getUint32(0) !== MAGIC) return null;
  const start = Number(header.getBigUint64(HEADER.sectionOffset, true));
  const size = header.getUint16(HEADER.sectionSize, true);
  const section = (index: number) => readAt(fd, start + index * size, size);
  const range = (view: DataView): FileRange => ({
    offset: Number(view.getBigUint64(SECTION.offset, true)),
    size: Number(view.getBigUint64(SECTION.size, true)),
  });
  const names = range(section(header.getUint16(HEADER.namesIndex, true)));
  for (let index = 0; index < header.getUint16(HEADER.sections, true); index++) {
    const view = section(index);
    const bytes = readAt(fd, names.offset + view.getUint32(SECTION.name, true), NAME_BYTES);
    const text = new TextDecoder().decode(bytes.buffer);
    if (text.slice(0, text.indexOf("\0")) === name) return range(view);
  }
  return null;
}
