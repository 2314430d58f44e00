import { dlopen } from "bun:ffi";
import { AyaflowError } from "../errors.ts";
import { closeFd, errno, errnoName } from "./libc.ts";
import { type Link, linkDumpRequest, type Parsed, parseRouteMessages } from "./netlink-messages.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
/** SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC. */
const SOCKET_TYPE = 3 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const MEMBERSHIP = { add: 1, drop: 2 } as const;
/** RTNLGRP_* of <linux/rtnetlink.h>. */
const GROUP = { link: 1, trafficControl: 4, routes4: 7, routes6: 11 } as const;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EAGAIN = 11;

/** struct sockaddr_nl: family, padding, port id, groups. */
const ADDRESS_BYTES = 12;
/** The kernel fills up to so much of a dump at a time. */
const BUFFER_BYTES = 32 * 1024;
/** What may wait between two looks: some thousand messages. */
const RECEIVE_BYTES = 2 * 1024 * 1024;
/** Datagrams of one look; the rest is read at the next. */
const MAX_DATAGRAMS = 256;
/** Datagrams of one dump: some 100,000 interfaces. */
const MAX_DUMP_DATAGRAMS = 4096;
/** How often a dump is begun again because something changed meanwhile. */
const DUMP_ATTEMPTS = 3;

const { symbols } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i32" },
  recvfrom: { args: ["i32", "ptr", "usize", "i32", "ptr", "ptr"], returns: "i32" },
});

function failure(what: string): AyaflowError {
  const reason = errnoName(errno());
  return new AyaflowError(
    `cannot follow the interfaces: ${what}: ${reason}. Let the agent use AF_NETLINK sockets` +
      " (RestrictAddressFamilies of a systemd unit, the seccomp profile of a container).",
  );
}

function kernelAddress(): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES);
  address[0] = AF_NETLINK;
  return address;
}

function openSocket(): number {
  const fd = symbols.socket(AF_NETLINK, SOCKET_TYPE, NETLINK_ROUTE);
  if (fd < 0) throw failure("socket");
  if (symbols.bind(fd, kernelAddress(), ADDRESS_BYTES) === 0) return fd;
  const error = failure("bind");
  closeFd(fd);
  throw error;
}

/** What happened since the last look. */
export interface NetworkChanges {
  /** Interfaces came, went or changed. */
  isChanged: boolean;
  /** Default routes came or went. */
  hasRoutesChanged: boolean;
  /** Indexes of interfaces that went since; one of the same index may be there again. */
  gone: Set<number>;
  /** Indexes of interfaces that lost a qdisc or a filter, whosever. */
  filters: Set<number>;
  /** Messages were lost: anything may have changed. */
  isLost: boolean;
}

/** What the kernel tells of the interfaces of this network namespace. */
export class RouteSocket {
  private readonly events = openSocket();
  private readonly asking: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private readonly sender = new Uint8Array(ADDRESS_BYTES);
  private readonly senderLength = new Uint32Array(1);
  private sequence = 0;
  private followsRoutes = false;

  constructor() {
    try {
      this.asking = openSocket();
    } catch (error) {
      closeFd(this.events);
      throw error;
    }
    const size = new Uint32Array([RECEIVE_BYTES]);
    const forced = symbols.setsockopt(this.events, SOL_SOCKET, SO_RCVBUFFORCE, size, size.byteLength);
    if (forced < 0) symbols.setsockopt(this.events, SOL_SOCKET, SO_RCVBUF, size, size.byteLength);
    for (const group of [GROUP.link, GROUP.trafficControl]) this.member(group, true);
  }

  /** Whether changes of default routes are told as well: a router's other routes come with them. */
  followRoutes(on: boolean): void {
    if (on === this.followsRoutes) return;
    this.followsRoutes = on;
    for (const group of [GROUP.routes4, GROUP.routes6]) this.member(group, on);
  }

  /** What happened since the last call. One system call where nothing did. */
  poll(): NetworkChanges {
    const changes: NetworkChanges = {
      isChanged: false,
      hasRoutesChanged: false,
      gone: new Set(),
      filters: new Set(),
      isLost: false,
    };
    for (let count = 0; count < MAX_DATAGRAMS; count++) {
      const received = this.receive(this.events);
      if (received === null) break;
      if (received === "lost" || received.isBroken) {
        changes.isLost = true;
        continue;
      }
      for (const message of received.messages) {
        if (message.kind === "filters") changes.filters.add(message.ifindex);
        if (message.kind === "gone") changes.gone.add(message.ifindex);
        if (message.kind === "gone" || message.kind === "link") changes.isChanged = true;
        if (message.kind === "route") changes.hasRoutesChanged = true;
      }
    }
    return changes;
  }

  /** All interfaces there are. @throws AyaflowError when the kernel does not answer. */
  links(): Link[] {
    for (let attempt = 1; ; attempt++) {
      const { links, isInterrupted } = this.dump();
      if (!isInterrupted || attempt === DUMP_ATTEMPTS) return links;
    }
  }

  close(): void {
    closeFd(this.events);
    closeFd(this.asking);
  }

  private dump(): { links: Link[]; isInterrupted: boolean } {
    const request = linkDumpRequest(++this.sequence);
    if (symbols.sendto(this.asking, request, request.length, 0, kernelAddress(), ADDRESS_BYTES) < 0)
      throw failure("asking for them");
    const links: Link[] = [];
    let isInterrupted = false;
    for (let count = 0; count < MAX_DUMP_DATAGRAMS; count++) {
      const received = this.receive(this.asking);
      if (received === null || received === "lost") return { links, isInterrupted: true };
      isInterrupted ||= received.isInterrupted || received.isBroken;
      for (const message of received.messages) {
        if (message.kind === "link") links.push(message.link);
        if (message.kind === "error")
          throw new AyaflowError(`cannot list the interfaces: ${errnoName(message.errno)}`);
        if (message.kind === "done") return { links, isInterrupted };
      }
    }
    return { links, isInterrupted: true };
  }

  /** The next datagram; null where none waits, `lost` where there were some that are not to be had. */
  private receive(fd: number): Parsed | "lost" | null {
    for (;;) {
      this.senderLength[0] = ADDRESS_BYTES;
      const length = symbols.recvfrom(
        fd,
        this.buffer,
        BUFFER_BYTES,
        MSG_TRUNC,
        this.sender,
        this.senderLength,
      );
      if (length < 0) {
        const code = errno();
        if (code === EINTR) continue;
        return code === EAGAIN ? null : "lost";
      }
      if (length > BUFFER_BYTES) return "lost";
      // Port id 0 is the kernel; another process could send as well.
      if (new DataView(this.sender.buffer).getUint32(4, true) !== 0) continue;
      return parseRouteMessages(this.buffer.subarray(0, length));
    }
  }

  private member(group: number, on: boolean): void {
    const option = on ? MEMBERSHIP.add : MEMBERSHIP.drop;
    const value = new Uint32Array([group]);
    symbols.setsockopt(this.events, SOL_NETLINK, option, value, value.byteLength);
  }
}
