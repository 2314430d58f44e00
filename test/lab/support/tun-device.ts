/** Run in a namespace: makes the tun device that its argument names, and answers every ping that is sent into it. */
import { dlopen } from "bun:ffi";
import { openSync, readSync, writeSync } from "node:fs";

const TUNSETIFF = 0x4004_54ca;
/** IFF_TUN | IFF_NO_PI: packets start with the IP header. */
const FLAGS = 0x1001;
const ICMP = 1;
const ECHO_REQUEST = 8;

const [name = ""] = process.argv.slice(2);
const { symbols } = dlopen("libc.so.6", { ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" } });
const fd = openSync("/dev/net/tun", "r+");
const request = new Uint8Array(40);
request.set(new TextEncoder().encode(name));
new DataView(request.buffer).setUint16(16, FLAGS, true);
if (symbols.ioctl(fd, TUNSETIFF, request) < 0) throw new Error(`cannot make ${name}`);
console.log("ready");

const packet = new Uint8Array(65_536);
for (;;) {
  const length = readSync(fd, packet);
  const view = new DataView(packet.buffer, 0, length);
  if (packet[0] !== 0x45 || packet[9] !== ICMP || packet[20] !== ECHO_REQUEST) continue;
  const source = view.getUint32(12);
  view.setUint32(12, view.getUint32(16));
  view.setUint32(16, source);
  packet[20] = 0;
  // RFC 1624: the type is 0x0800 less, so the one's complement sum is as much more.
  const sum = view.getUint16(22) + (ECHO_REQUEST << 8);
  view.setUint16(22, (sum & 0xffff) + (sum >>> 16));
  writeSync(fd, packet, 0, length);
}
