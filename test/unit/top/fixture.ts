import * as fc from "fast-check";
import type { LiveConnection, StatsAnswer, Story } from "../../../src/top/answers.ts";
import { onPress } from "../../../src/top/control.ts";
import { NAMED_KEYS, type Press } from "../../../src/top/presses.ts";
import { screenLines } from "../../../src/top/screen.ts";
import { textOf } from "../../../src/top/spans.ts";
import { initialState, type Size, type Table, type TopState } from "../../../src/top/state.ts";

/** Text as names on the wire can be: any code points, those that do harm among them. */
export const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\u001b",
      "\u009b",
      "\n",
      "\r",
      "\t",
      "\u202e",
      "\u2066",
      "\u200b",
      "\u0301",
      "\ufe0f",
      "\u200d",
    ),
    fc.constantFrom("世", "🇩", "🏽", "👩", "ﷺ", "א", "ᄀ", "ᅡ", "\ud800", "é", "ｱ"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export const STATS: StatsAnswer = {
  uptime_seconds: 182,
  active_connections: 2,
  bytes_per_second: 1000,
  packets_per_second: 10,
  coverage: 1,
  interfaces: (["ingress", "egress"] as const).map((direction) => ({
    interface: "veth0",
    direction,
    packets: 10,
    bytes: 1000,
    attributed_packets: 9,
    overflow_packets: 0,
    not_ip_packets: 1,
    malformed_packets: 0,
  })),
  losses: [{ stage: "table", reason: "full", count: 0 }],
};

export const CONNECTION: LiveConnection = {
  id: "1-1",
  client_ip: "10.77.0.1",
  client_port: 40000,
  server_ip: "10.77.0.2",
  server_port: 443,
  protocol: "TCP",
  interface: "veth0",
  observation_points: [
    { interface: "veth0", direction: "ingress" },
    { interface: "br0", direction: "ingress" },
    { interface: "up0", direction: "egress" },
  ],
  direction: "ingress",
  state: "established",
  domain: "example.com",
  domain_source: "sni",
  alpn: ["h2", "http/1.1"],
  tls_version: "TLS 1.3",
  ja4: "t13d1516h2_8daaf6152771_b186095e22b6",
  ech: false,
  stats: {
    bytes_sent: 1234,
    bytes_received: 1_234_567,
    packets_sent: 20,
    packets_received: 900,
    packets_per_second: 12,
    bytes_per_second: 2000,
    rtt_ms: 12.5,
    rtt_client_ms: 0.5,
    rtt_server_ms: 12,
    retransmits_sent: 1,
    retransmits_received: 2,
    out_of_order_sent: 0,
    out_of_order_received: 3,
    first_seen: new Date(NOW - 65_000).toISOString(),
    last_seen: new Date(NOW - 1000).toISOString(),
    tcp_flags_sent: 0x12,
    tcp_flags_received: 0x10,
  },
};

export const STORY: Story = {
  connection: CONNECTION,
  history: {
    items: [
      {
        timestamp: NOW - 60_000,
        bytes_sent: 600,
        bytes_received: 700_000,
        packets_sent: 10,
        packets_received: 500,
        retransmits: 1,
        rtt_ms: 12.5,
      },
    ],
  },
  lookups: [
    {
      time: new Date(NOW - 66_000).toISOString(),
      transport: "udp",
      client: "10.77.0.1",
      server: "10.77.0.2",
      name: "example.com",
      type: "A",
      rcode: "NOERROR",
      latency_ms: 1.5,
      answers: ["10.77.0.2"],
    },
  ],
};

/** A state on a terminal of 80x24 unless given, with figures. */
export function stateOf(change: Partial<TopState> = {}, size: Size = { columns: 80, rows: 24 }): TopState {
  const figures = { stats: STATS, reasons: [], bytesInPerSecond: 1200, bytesOutPerSecond: 34_000 };
  const state = initialState("http://127.0.0.1:3000", { ascii: false, color: true }, size, "");
  return { ...state, figures, throughput: [1, 2, 3], ...change };
}

/** A table of connections whose servers are called `names`, `offset` rows before it. */
export function tableOf(names: readonly string[], offset = 0, total = offset + names.length): Table {
  const rows = names.map((server, index) => ({
    cells: { client: "10.77.0.1:40000", server, rate: "1.00 kB/s" },
    target: { kind: "connection" as const, id: `1-${offset + index}` },
  }));
  return { view: "connections", rows, offset, total, isCut: false, values: { domain: names }, note: null };
}

/** Keys as words: names of keys, `^c` for Ctrl-C, else the characters of the word. */
export function pressed(state: TopState, ...words: string[]): TopState {
  return words.flatMap(pressesIn).reduce(onPress, state);
}

function pressesIn(word: string): Press[] {
  const key = NAMED_KEYS.find((name) => name === word);
  if (key !== undefined) return [{ kind: "key", key }];
  if (/^\^[a-z]$/.test(word)) return [{ kind: "ctrl", letter: word.slice(1) }];
  return Array.from(word, (text) => ({ kind: "text", text }));
}

/** The screen as text, without the spaces at the ends of lines. */
export function shown(state: TopState): string[] {
  return screenLines(state, NOW).map((line) => textOf(line).trimEnd());
}
