/** Messages of NETLINK_ROUTE (<linux/netlink.h>, <linux/rtnetlink.h>), in the machine's byte order, which is little-endian. */

/** A network interface as the kernel tells it. */
export interface Link {
  name: string;
  ifindex: number;
  /** ARPHRD_* of <linux/if_arp.h>. */
  hardwareType: number;
}

export type RouteMessage =
  /** An interface appeared or changed, or one of a dump. */
  | { kind: "link"; link: Link }
  /** An interface was removed or left this network namespace. */
  | { kind: "gone"; ifindex: number }
  /** A qdisc or filter of an interface was removed. */
  | { kind: "filters"; ifindex: number }
  /** A default route came or went. */
  | { kind: "route" }
  | { kind: "done" }
  /** `errno`, 0 for an acknowledgement. */
  | { kind: "error"; errno: number };

export interface Parsed {
  messages: RouteMessage[];
  /** NLM_F_DUMP_INTR: something changed while a dump was under way, it may not be consistent. */
  isInterrupted: boolean;
  /** A length that does not fit: what followed was not read. */
  isBroken: boolean;
}

const HEADER_BYTES = 16;
const MESSAGE = {
  error: 2,
  done: 3,
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newRoute: 24,
  delRoute: 25,
} as const;
const TRAFFIC_CONTROL = { delQdisc: 37, delFilter: 45 } as const;
const FLAG = { request: 1, interrupted: 0x10, dump: 0x300 } as const;

const IFINFO_BYTES = 16;
const TCMSG_BYTES = 20;
const RTMSG_BYTES = 12;
const ATTRIBUTE_BYTES = 4;
const ATTRIBUTE_TYPE = 0x3fff;
const IFLA_IFNAME = 3;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
/** RTM_DELLINK of another family says that a port left its bridge, not that the interface is gone. */
const AF_UNSPEC = 0;
const ALIGNMENT = 4;

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** The messages in `bytes`. Never throws: what is cut short ends it. */
export function parseRouteMessages(bytes: Uint8Array): Parsed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parsed: Parsed = { messages: [], isInterrupted: false, isBroken: false };
  let at = 0;
  while (at < bytes.length) {
    const room = bytes.length - at;
    const length = room < HEADER_BYTES ? 0 : view.getUint32(at, true);
    if (length < HEADER_BYTES || length > room) {
      parsed.isBroken = true;
      break;
    }
    if ((view.getUint16(at + 6, true) & FLAG.interrupted) !== 0) parsed.isInterrupted = true;
    const type = view.getUint16(at + 4, true);
    const message = parseBody(type, bytes.subarray(at + HEADER_BYTES, at + length));
    if (message !== null) parsed.messages.push(message);
    at += aligned(length);
  }
  return parsed;
}

function parseBody(type: number, body: Uint8Array): RouteMessage | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  switch (type) {
    case MESSAGE.done:
      return { kind: "done" };
    case MESSAGE.error:
      return body.length < 4 ? null : { kind: "error", errno: Math.abs(view.getInt32(0, true)) };
    case MESSAGE.newLink:
    case MESSAGE.delLink:
      return parseLink(type, body, view);
    case TRAFFIC_CONTROL.delQdisc:
    case TRAFFIC_CONTROL.delFilter:
      return body.length < TCMSG_BYTES ? null : { kind: "filters", ifindex: view.getInt32(4, true) };
    case MESSAGE.newRoute:
    case MESSAGE.delRoute:
      // Its destination has no bits: the default route.
      return body.length >= RTMSG_BYTES && body[1] === 0 ? { kind: "route" } : null;
    default:
      return null;
  }
}

function parseLink(type: number, body: Uint8Array, view: DataView): RouteMessage | null {
  if (body.length < IFINFO_BYTES || body[0] !== AF_UNSPEC) return null;
  const ifindex = view.getInt32(4, true);
  if (ifindex <= 0) return null;
  if (type === MESSAGE.delLink) return { kind: "gone", ifindex };
  const name = nameAttribute(body, view);
  return name === ""
    ? null
    : { kind: "link", link: { name, ifindex, hardwareType: view.getUint16(2, true) } };
}

/** IFLA_IFNAME up to its NUL; empty where there is none. */
function nameAttribute(body: Uint8Array, view: DataView): string {
  for (let at = IFINFO_BYTES; at + ATTRIBUTE_BYTES <= body.length; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_BYTES || at + length > body.length) return "";
    if ((view.getUint16(at + 2, true) & ATTRIBUTE_TYPE) === IFLA_IFNAME) {
      const value = body.subarray(at + ATTRIBUTE_BYTES, at + length);
      const end = value.indexOf(0);
      return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
    }
    at += aligned(length);
  }
  return "";
}

/** The question for all interfaces of the namespace, without their statistics. */
export function linkDumpRequest(sequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + IFINFO_BYTES + ATTRIBUTE_BYTES + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, MESSAGE.getLink, true);
  view.setUint16(6, FLAG.request | FLAG.dump, true);
  view.setUint32(8, sequence, true);
  view.setUint16(HEADER_BYTES + IFINFO_BYTES, ATTRIBUTE_BYTES + 4, true);
  view.setUint16(HEADER_BYTES + IFINFO_BYTES + 2, IFLA_EXT_MASK, true);
  view.setUint32(HEADER_BYTES + IFINFO_BYTES + ATTRIBUTE_BYTES, RTEXT_FILTER_SKIP_STATS, true);
  return bytes;
}
