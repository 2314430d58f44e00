import type { HistoryItem } from "../../../src/history/types.ts";

export const NOW_MS = Date.parse("2026-03-01T12:00:00Z");

export const HISTORY_ITEM: HistoryItem = {
  timestamp: NOW_MS,
  src_ip: "192.0.2.1",
  dst_ip: "2001:db8::1",
  src_port: 40_000,
  dst_port: 443,
  protocol: "TCP",
  length: 31_000,
  direction: "egress",
  interface: "veth0",
  observation_points: ["veth0", "br0"],
  row_type: "aggregated",
  packet_count: 30,
  bytes_sent: 1000,
  bytes_received: 30_000,
  packets_sent: 10,
  packets_received: 20,
  tcp_flags: 27,
  rtt_ms: 1.5,
  retransmits: 3,
  domain: "example.org",
  domain_source: "sni",
  alpn: ["h2"],
  tls_version: "TLS 1.3",
  ja4: "t13d1516h2_8daaf6152771_02713d6af862",
  ech: true,
  connection_id: "h7-40000",
};
