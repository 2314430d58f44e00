import { dlopen } from "bun:ffi";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** A service manager that does not read is not waited for. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
/** `sun_path` of <linux/un.h>. */
const MAX_PATH = 108;

const { symbols } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
});

/** CLOCK_MONOTONIC in microseconds, as sd_notify(3) wants it. */
export function monotonicUsec(): bigint {
  const time = new BigInt64Array(2);
  symbols.clock_gettime(CLOCK_MONOTONIC, time);
  return (time[0] ?? 0n) * 1_000_000n + (time[1] ?? 0n) / 1000n;
}

/** `struct sockaddr_un` of $NOTIFY_SOCKET: a path, or an abstract name after `@`. Null for what is neither. */
export function socketAddress(name: string): Uint8Array | null {
  const path = new TextEncoder().encode(name);
  if (!/^[/@]./s.test(name) || path.length > MAX_PATH || path.includes(0)) return null;
  if (name.startsWith("@")) path[0] = 0;
  const address = new Uint8Array(2 + path.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(path, 2);
  return address;
}

/** Sends one datagram to a service manager (sd_notify(3)). Never throws; false where it did not get there. */
export function sendNotification(name: string, text: string): boolean {
  const address = socketAddress(name);
  if (address === null) return false;
  const fd = symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = new TextEncoder().encode(text);
  const sent = symbols.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
  symbols.close(fd);
  return Number(sent) === bytes.length;
}
