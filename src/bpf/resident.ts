import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { findSection } from "./elf.ts";
import { adviseMemory, pageSize } from "./libc.ts";

/** The kernel maps this much of a file around each page that is touched (fault_around_bytes). */
const WINDOW_BYTES = 64 * 1024;
/** Pieces of a window that stay in use. Each is a mapping of its own, so that touching one leaves the others out. */
const PIECE_BYTES = 8 * 1024;
/** A mapping takes some 200 bytes of the kernel's memory; a process may have 65,530 of them. */
const MAX_NARROWED = 1024;
const PAGEMAP_ENTRY = 8;
/** Bits of the upper half of a /proc/PID/pagemap entry: in memory; of a file or shared, so never written to. */
const PRESENT = 0x80000000;
const OF_FILE = 0x20000000;
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (r[w-])[x-]p ([0-9a-f]+) \S+ [1-9]\d* +(\/.*)$/;
/** Where Bun keeps our own sources and bytecode: in a writable mapping, though nothing ever writes there. */
const PROGRAM_SECTION = ".bun";

interface Range {
  start: number;
  end: number;
}

interface FileMapping extends Range {
  isWritable: boolean;
  offset: number;
  path: string;
}

function fileMappings(): FileMapping[] {
  return readFileSync("/proc/self/maps", "latin1")
    .split("\n")
    .flatMap((line) => {
      const [, start = "", end = "", access, offset = "", path = ""] = MAPPING.exec(line) ?? [];
      if (access === undefined) return [];
      const number = (text: string) => Number.parseInt(text, 16);
      const isWritable = access === "rw";
      return [{ start: number(start), end: number(end), isWritable, offset: number(offset), path }];
    });
}

/** Whole pages of our own sources, where this is the executable. */
function programRange(mappings: readonly FileMapping[]): Range[] {
  const executable = openSync("/proc/self/exe", "r");
  const section = findSection(executable, PROGRAM_SECTION);
  closeSync(executable);
  if (section === null) return [];
  const end = section.offset + section.size;
  return mappings
    .filter(({ path, isWritable }) => isWritable && path === process.execPath)
    .filter(({ start, end: last, offset }) => offset <= section.offset && offset + last - start >= end)
    .map(({ start, offset }) => ({
      start: start + Math.ceil((section.offset - offset) / pageSize) * pageSize,
      end: start + Math.floor((end - offset) / pageSize) * pageSize,
    }))
    .filter(({ start, end: last }) => start < last);
}

/**
 * The program's own code and constants, as far as they are in memory. They are pages of files that the kernel holds
 * anyway and gives again when they are touched; but what was needed only at the start, and what lies around what is
 * needed, counts as resident memory of this process until it is handed back.
 */
export class ResidentFiles {
  private readonly ranges: Range[] = [];
  private readonly narrowed = new Set<number>();

  /** Where /proc does not tell which pages are in memory, nothing is ever handed back. */
  constructor() {
    withPagemap((pagemap) => {
      const mappings = fileMappings();
      const readOnly = mappings.filter(({ isWritable }) => !isWritable);
      this.ranges.push(
        ...[...readOnly, ...programRange(mappings)].filter((range) => isOfFile(pagemap, range)),
      );
    });
  }

  /** Hands all of it back. What is touched from now on comes back by itself, without reading from the disk. */
  giveBack(): void {
    for (const { start, end } of this.ranges) adviseMemory(start, end - start, "dontneed");
  }

  /** ... and from now on only what is touched comes back, as far as that was in memory now, not all that lies around it. */
  narrow(): void {
    withPagemap((pagemap) => {
      for (const range of this.ranges) {
        eachPresent(pagemap, range, (page) => this.split(range, range.start + page * pageSize));
      }
    });
    this.giveBack();
  }

  /** Cuts the window around an address in pieces: a hint that differs from that of the next piece keeps them apart. */
  private split({ start, end }: Range, address: number): void {
    const window = address - (address % WINDOW_BYTES);
    if (this.narrowed.has(window) || this.narrowed.size >= MAX_NARROWED || pageSize > PIECE_BYTES) return;
    this.narrowed.add(window);
    for (let piece = window; piece < window + WINDOW_BYTES; piece += 2 * PIECE_BYTES) {
      const from = Math.max(piece, start);
      const to = Math.min(piece + PIECE_BYTES, end);
      if (from < to) adviseMemory(from, to - from, "random");
    }
  }
}

/** Does `work` with this process's pagemap(5) open; nothing where it cannot be opened. */
function withPagemap(work: (pagemap: number) => void): void {
  let pagemap: number;
  try {
    pagemap = openSync("/proc/self/pagemap", "r");
  } catch {
    return;
  }
  try {
    work(pagemap);
  } finally {
    closeSync(pagemap);
  }
}

/**
 * Whether all of a range that is in memory can be read again from its file. What the loader wrote to before it was
 * made read-only (relocations) cannot.
 */
function isOfFile(pagemap: number, range: Range): boolean {
  let isWritten = false;
  eachPresent(pagemap, range, (_page, state) => {
    isWritten ||= (state & OF_FILE) === 0;
  });
  return !isWritten;
}

/** Calls `found` with the index of each page of a range that is in memory, and its state. */
function eachPresent(
  pagemap: number,
  { start, end }: Range,
  found: (page: number, state: number) => void,
): void {
  const entries = (end - start) / pageSize;
  const bytes = new Uint8Array(entries * PAGEMAP_ENTRY);
  const read = readSync(pagemap, bytes, 0, bytes.length, (start / pageSize) * PAGEMAP_ENTRY);
  const words = new Uint32Array(bytes.buffer);
  for (let page = 0; page < read / PAGEMAP_ENTRY; page++) {
    const state = words[page * 2 + 1] ?? 0;
    if ((state & PRESENT) !== 0) found(page, state);
  }
}
