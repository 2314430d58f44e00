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
/** Bits of the upper half of a /proc/PID/pagemap entry: in memory; swapped out; of a file or shared, so never written to. */
const PRESENT = 0x80000000;
const SWAPPED = 0x40000000;
const OF_FILE = 0x20000000;
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (r[w-])[x-]p ([0-9a-f]+) \S+ [1-9]\d* +(\/.*)$/;
/** Where Bun keeps our own sources and bytecode: in a writable mapping, though nothing ever writes there. */
const PROGRAM_SECTION = ".bun";
/** Libraries that were loaded later. */
const MEMFD = "/memfd:";

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
    .filter(({ isWritable }) => isWritable)
    .filter(({ start, end: last, offset }) => offset <= section.offset && offset + last - start >= end)
    .map(({ start, offset }) => ({
      start: start + Math.ceil((section.offset - offset) / pageSize) * pageSize,
      end: start + Math.floor((end - offset) / pageSize) * pageSize,
    }))
    .filter(({ start, end: last }) => start < last);
}

/**
 * Code and constants of the executable and the C library, as far as they are in memory. They are pages of a file that the kernel holds
 * anyway and, as a rule, gives again from its cache when they are touched; but what was needed only at the start, and
 * what lies around what is needed, counts as resident memory of this process until it is handed back.
 */
export class ResidentFiles {
  private readonly ranges: readonly Range[];
  /** Where the first piece of each window that was cut begins. */
  private readonly narrowed = new Set<number>();

  constructor() {
    // These stay for as long as the process lives: nothing else can ever be at their addresses.
    const mappings = fileMappings().filter(({ path }) => !path.startsWith(MEMFD));
    const own = mappings.filter(({ path }) => path === process.execPath);
    this.ranges = [...mappings.filter(({ isWritable }) => !isWritable), ...programRange(own)];
  }

  /** Hands all of it back. What is touched from now on comes back by itself. */
  giveBack(): void {
    this.handBack(() => undefined);
  }

  /** ... and from now on only what is touched comes back, as far as that was in memory now, not all that lies around it. */
  narrow(): void {
    this.handBack((range, address) => this.split(range, address));
  }

  /** Where /proc does not tell which pages are in memory, nothing is ever handed back. */
  private handBack(present: (range: Range, address: number) => void): void {
    withPagemap((pagemap) => {
      for (const range of this.ranges) {
        const { start, end } = range;
        const pages = presentPages(pagemap, range);
        for (const page of pages ?? []) present(range, start + page * pageSize);
        if (pages !== null) adviseMemory(start, end - start, "dontneed");
      }
    });
  }

  /** Cuts the window around an address in pieces: a hint that differs from that of the next piece keeps them apart. */
  private split({ start, end }: Range, address: number): void {
    const window = address - (address % WINDOW_BYTES);
    const first = Math.max(window, start);
    if (this.narrowed.has(first) || this.narrowed.size >= MAX_NARROWED || pageSize > PIECE_BYTES) return;
    this.narrowed.add(first);
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
 * Pages of a range that are in memory, if all of it can be read again from its file. Null where something was written
 * to it: relocations by the loader before it was made read-only, a breakpoint or a probe later.
 */
function presentPages(pagemap: number, { start, end }: Range): number[] | null {
  const entries = (end - start) / pageSize;
  const bytes = new Uint8Array(entries * PAGEMAP_ENTRY);
  if (readSync(pagemap, bytes, 0, bytes.length, (start / pageSize) * PAGEMAP_ENTRY) < bytes.length)
    return null;
  const words = new Uint32Array(bytes.buffer);
  const pages: number[] = [];
  for (let page = 0; page < entries; page++) {
    const state = words[page * 2 + 1] ?? 0;
    if ((state & SWAPPED) !== 0 || ((state & PRESENT) !== 0 && (state & OF_FILE) === 0)) return null;
    if ((state & PRESENT) !== 0) pages.push(page);
  }
  return pages;
}
