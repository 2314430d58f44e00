import { dlopen, type Pointer, read, toArrayBuffer } from "bun:ffi";
import { constants as os } from "node:os";
import { AyaflowError } from "../errors.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = -1n;
/** Of <linux/mman.h>. */
const ADVICE = { random: 1, dontneed: 4 } as const;
const MFD_CLOEXEC = 1;
const MFD_EXEC = 0x10;
const LOCK_EX = 2;
const LOCK_NB = 4;
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;

const libc = dlopen("libc.so.6", {
  __errno_location: { args: [], returns: "ptr" },
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: "i64" },
  madvise: { args: ["u64", "usize", "i32"], returns: "i32" },
  munmap: { args: ["ptr", "usize"], returns: "i32" },
  sysconf: { args: ["i32"], returns: "i64" },
  if_nametoindex: { args: ["ptr"], returns: "u32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  memcpy: { args: ["ptr", "ptr", "usize"], returns: "ptr" },
  vasprintf: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  free: { args: ["ptr"], returns: "void" },
});
const { symbols } = libc;

const SC_PAGESIZE = 30;

/** The kernel's page size in bytes; 4096 on x86_64, up to 65536 on arm64. */
export const pageSize = Number(symbols.sysconf(SC_PAGESIZE));

/** errno of the call just made: read it before anything else runs. */
export function errno(): number {
  const location = symbols.__errno_location();
  return location === null ? 0 : read.i32(location, 0);
}

const ERRNO_NAMES = new Map(Object.entries(os.errno).map(([name, value]) => [value, name]));

/** `EPERM` for 1; the number where it has no name. Takes -1 as well as 1. */
export function errnoName(code: number): string {
  return ERRNO_NAMES.get(Math.abs(code)) ?? `error ${Math.abs(code)}`;
}

/** `text` as a NUL-terminated buffer; keep it referenced while C holds it. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** An anonymous in-memory file, ready to be dlopened through /proc/self/fd. Needs no writable directory. */
export function memfd(name: string): number {
  const label = cString(name);
  // Kernels before 6.3 do not know MFD_EXEC; newer ones may insist on it (vm.memfd_noexec).
  let fd = symbols.memfd_create(label, MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0) fd = symbols.memfd_create(label, MFD_CLOEXEC);
  if (fd < 0) throw new AyaflowError(`memfd_create(${name}): ${errnoName(errno())}`);
  return fd;
}

/** Closes a file descriptor that libbpf gave. */
export function closeFd(fd: number): void {
  symbols.close(fd);
}

/** Copies `length` bytes of C's memory into `target`, which has room for them. */
export function copyFrom(source: Pointer, length: number, target: Uint8Array): void {
  symbols.memcpy(target, source, length);
}

/** A shared mapping of a file. `buffer` must not be used after `unmap`. */
export interface Mapping {
  buffer: ArrayBuffer;
  unmap: () => void;
}

/** Maps `length` bytes of `fd` from `offset` (a multiple of the page size). */
export function mapShared(fd: number, length: number, offset: number, writable: boolean): Mapping {
  const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const address = symbols.mmap(null, length, protection, MAP_SHARED, fd, offset);
  if (address === MAP_FAILED) throw new AyaflowError(`mmap of ${length} bytes: ${errnoName(errno())}`);
  const pointer = Number(address) as Pointer;
  return {
    buffer: toArrayBuffer(pointer, 0, length),
    unmap: () => {
      symbols.munmap(pointer, length);
    },
  };
}

/** Tells the kernel how memory is used, by address and bytes. It may not heed it. */
export function adviseMemory(address: number, length: number, advice: keyof typeof ADVICE): void {
  symbols.madvise(address, length, ADVICE[advice]);
}

/** Index of a network interface in this namespace, 0 where there is none of that name. */
export function interfaceIndex(name: string): number {
  return symbols.if_nametoindex(cString(name));
}

/** Takes an exclusive lock on an open file without waiting. False where another process holds it. */
export function tryLock(fd: number): boolean {
  return symbols.flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/**
 * Takes a name that one process of this network namespace can have (an abstract unix socket).
 * Returns its descriptor, to be closed to give it back, or null where another process has it.
 */
export function claimName(name: string): number | null {
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) throw new AyaflowError(`socket: ${errnoName(errno())}`);
  // struct sockaddr_un: the family, then a NUL and the name.
  const address = new Uint8Array([AF_UNIX, 0, 0, ...new TextEncoder().encode(name)]);
  if (symbols.bind(fd, address, address.length) === 0) return fd;
  symbols.close(fd);
  return null;
}

/** Kept of one message: its end, where a verifier's log says why. */
const MESSAGE_BYTES = 16384;

/** What C's vasprintf makes of `format` and a va_list that C passed on; of a long text the end. */
export function formatVaList(format: Pointer, list: Pointer): string {
  const made = new BigUint64Array(1);
  const length = symbols.vasprintf(made, format, list);
  if (length < 0) return "";
  const address = Number(made[0]);
  const kept = new Uint8Array(Math.min(length, MESSAGE_BYTES));
  copyFrom((address + length - kept.length) as Pointer, kept.length, kept);
  symbols.free(address as Pointer);
  return new TextDecoder().decode(kept);
}
