import ipaddr from "ipaddr.js";
import { formatAddress } from "../../../src/flow/address.ts";
import { NO_NAMING, type Naming } from "../../../src/flow/naming.ts";
import { protocolName } from "../../../src/flow/protocol.ts";
import type { HistoryItem, HistoryQuery } from "../../../src/history/types.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { connection, named, row, START_MS } from "./fixture.ts";

/** Rows of makeRows, and the time they spread over. */
export const ROWS = 9000;
export const SPAN_MS = 3_600_000;

/** Numbers that look random and are the same each time (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const NAMINGS: readonly Naming[] = [
  named("example.org"),
  named("www.example.org", {
    domainSource: "quic",
    alpn: ["h3", "h3-29"],
    tlsVersion: "TLS 1.3",
    ja4: "q13d",
    ech: true,
  }),
  named("notexample.org", { domainSource: "dns" }),
  named("org", { domainSource: "ptr" }),
  { ...NO_NAMING, alpn: ["h2"], tlsVersion: "TLS 1.2" },
  named("b\u00fccher.example.org", { domainSource: "http" }),
];

function ipv6(last: number): Uint8Array {
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
}

/** Rows of all kinds, the same each time. */
export function makeRows(): HistoryRow[] {
  const pick = numbers(7);
  const connections = Array.from({ length: 400 }, (_, index) => {
    const isIpv6 = index % 5 === 0;
    return connection(index, {
      ...(isIpv6 ? { client: ipv6(index % 100), server: ipv6(200 + (index % 3)) } : {}),
      clientPort: index % 4 === 0 ? 443 : 40_000 + pick(300),
      serverPort: [443, 53, 8443][index % 3] ?? 0,
      protocol: [6, 17, 132, 47][index % 4] ?? 0,
      interface: `eth${index % 2}`,
      naming: NAMINGS[index % 10] ?? NO_NAMING,
    });
  });
  return Array.from({ length: ROWS }, (_, index) => {
    // Mostly in order of time, now and then far back.
    const progress = pick(50) === 0 ? pick(ROWS) : index;
    const at = START_MS + Math.floor((progress / ROWS) * SPAN_MS);
    const isPacket = pick(3) === 0;
    const isReceived = pick(2) === 0;
    const of = connections[pick(400)] ?? connection(0);
    const direction = pick(2) === 0 ? "ingress" : "egress";
    if (!isPacket) return row(of, { timestampMs: Math.floor(at / 1000) * 1000, direction, bytesSent: index });
    return row(of, {
      kind: "packet",
      timestampMs: at + pick(1000) / 1000,
      direction,
      packetsSent: isReceived ? 0 : 1,
      bytesSent: isReceived ? 0 : index,
      packetsReceived: isReceived ? 1 : 0,
      bytesReceived: isReceived ? index : 0,
      rttNs: null,
    });
  });
}

/** What the API is to show of a row, but for the id of its connection, which the database gives. */
export function expectedItem(of: HistoryRow): Omit<HistoryItem, "connection_id"> {
  const { connection: c } = of;
  const isReversed = of.kind === "packet" && of.packetsReceived > 0;
  const client = [formatAddress(c.client), c.clientPort] as const;
  const server = [formatAddress(c.server), c.serverPort] as const;
  const [source, destination] = isReversed ? [server, client] : [client, server];
  return {
    timestamp: Math.floor(of.timestampMs),
    ...(of.kind === "packet" ? { timestamp_us: Math.round(of.timestampMs * 1000) } : {}),
    src_ip: source[0],
    dst_ip: destination[0],
    src_port: source[1],
    dst_port: destination[1],
    protocol: protocolName(c.protocol),
    length: of.bytesSent + of.bytesReceived,
    direction: of.direction,
    interface: c.interface.split("/")[0] ?? "",
    observation_points: c.interface.split("/"),
    row_type: of.kind === "packet" ? "raw" : "aggregated",
    packet_count: of.packetsSent + of.packetsReceived,
    bytes_sent: of.bytesSent,
    bytes_received: of.bytesReceived,
    packets_sent: of.packetsSent,
    packets_received: of.packetsReceived,
    tcp_flags: of.tcpFlags,
    rtt_ms: of.rttNs === null ? null : of.rttNs / 1e6,
    retransmits: of.retransmits,
    ...(c.naming.domain === null ? {} : { domain: c.naming.domain }),
    ...(c.naming.domainSource === null ? {} : { domain_source: c.naming.domainSource }),
    ...(c.naming.alpn.length === 0 ? {} : { alpn: c.naming.alpn }),
    ...(c.naming.tlsVersion === null ? {} : { tls_version: c.naming.tlsVersion }),
    ...(c.naming.ja4 === null ? {} : { ja4: c.naming.ja4 }),
    ...(c.naming.ech ? { ech: true as const } : {}),
  };
}

function inNetwork(text: string, network: string): boolean {
  const address = ipaddr.parse(text);
  if (!network.includes("/"))
    return ipaddr.parse(network).toNormalizedString() === address.toNormalizedString();
  const [base, bits] = ipaddr.parseCIDR(network);
  return base.kind() === address.kind() && address.match([base, bits] as [ipaddr.IPv4, number]);
}

function isNamed(wanted: string | undefined, domain: string | undefined): boolean {
  if (wanted === undefined) return true;
  const labels = (name: string) => name.split(".").toReversed();
  const [star, ...rest] = wanted.split(".");
  if (star !== "*") return domain === wanted;
  return domain !== undefined && rest.toReversed().every((label, index) => labels(domain)[index] === label);
}

function exactMs(item: Omit<HistoryItem, "connection_id">): number {
  return item.timestamp_us === undefined ? item.timestamp : item.timestamp_us / 1000;
}

/** Whether a row is to be in the answer to a query. */
export function matches(item: Omit<HistoryItem, "connection_id">, q: Omit<HistoryQuery, "limit">): boolean {
  const is = <T>(wanted: T | undefined, ...found: T[]) => wanted === undefined || found.includes(wanted);
  const isIn = (wanted: string | undefined, ...found: string[]) =>
    wanted === undefined || found.some((text) => inNetwork(text, wanted));
  return (
    exactMs(item) >= (q.sinceMs ?? 0) &&
    exactMs(item) <= (q.untilMs ?? Infinity) &&
    isIn(q.ip, item.src_ip, item.dst_ip) &&
    isIn(q.srcIp, item.src_ip) &&
    isIn(q.dstIp, item.dst_ip) &&
    is(q.port, item.src_port, item.dst_port) &&
    is(q.srcPort, item.src_port) &&
    is(q.dstPort, item.dst_port) &&
    is(q.protocol === undefined ? undefined : protocolName(q.protocol), item.protocol) &&
    is(q.interface, item.interface) &&
    is(q.direction, item.direction) &&
    isNamed(q.domain?.toLowerCase(), item.domain) &&
    is(q.kind === undefined ? undefined : q.kind === "packet" ? "raw" : "aggregated", item.row_type)
  );
}
