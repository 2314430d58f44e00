const SUMS = {
  bytes: 5_312_400,
  packets: 4210,
  bytes_sent: 212_400,
  bytes_received: 5_100_000,
  packets_sent: 1400,
  packets_received: 2810,
  retransmits: 3,
  rtt_ms: 18.4,
  rows: 36,
};
const NOTHING = {
  bytes: 0,
  packets: 0,
  bytes_sent: 0,
  bytes_received: 0,
  packets_sent: 0,
  packets_received: 0,
  retransmits: 0,
  rtt_ms: null,
  rows: 0,
};
const SERIES = { bytes: [1200, 900], packets: [10, 8], bytes_sent: [200, 100], bytes_received: [1000, 800] };
const NO_SERIES = { bytes: [0, 0], packets: [0, 0], bytes_sent: [0, 0], bytes_received: [0, 0] };
const COVERAGE = [
  { level: "raw", since: "2026-01-30T12:00:00.000Z", until: null },
  { level: "minute", since: "2026-01-24T12:00:00.000Z", until: "2026-01-31T11:59:00.000Z" },
  { level: "hour", since: null, until: "2026-01-31T11:00:00.000Z" },
  { level: "day", since: null, until: "2026-01-31T00:00:00.000Z" },
];
const ABOUT = {
  since: "2026-01-31T11:00:00.000Z",
  until: "2026-01-31T12:00:00.000Z",
  level: "minute",
  parts: [
    { level: "minute", since: "2026-01-31T11:00:00.000Z", until: "2026-01-31T11:59:00.000Z" },
    { level: "raw", since: "2026-01-31T11:59:00.000Z", until: "2026-01-31T12:00:00.000Z" },
  ],
  coverage: COVERAGE,
  scanned: 214,
  notes: [],
};

/** Answers as the document shows them. */
export const EXAMPLES = {
  rows: {
    items: [
      {
        timestamp: 1_769_860_790_000,
        src_ip: "192.0.2.9",
        dst_ip: "198.51.100.7",
        src_port: 40_122,
        dst_port: 443,
        protocol: "TCP",
        length: 31_000,
        direction: "egress",
        interface: "veth1",
        observation_points: ["veth1", "br0", "eth0"],
        row_type: "aggregated",
        packet_count: 30,
        bytes_sent: 1000,
        bytes_received: 30_000,
        packets_sent: 10,
        packets_received: 20,
        tcp_flags: 27,
        rtt_ms: 18.4,
        retransmits: 0,
        domain: "www.example.org",
        domain_source: "sni",
        connection_id: "h17-40122",
      },
    ],
    limit: 1,
    offset: 0,
    returned: 1,
    has_more: true,
    next_cursor: "MS4xMjM0NTY3ODkwLjA",
    coverage: COVERAGE,
  },
  top: {
    groups: [{ key: { domain: "www.example.org" }, ...SUMS }],
    other: NOTHING,
    total: SUMS,
    group_count: 1,
    pruned: false,
    ...ABOUT,
  },
  timeseries: {
    points: ["2026-01-31T11:00:00.000Z", "2026-01-31T11:30:00.000Z"],
    step: 1800,
    series: [{ key: { protocol: "TCP" }, ...SERIES }],
    other: NO_SERIES,
    total: SERIES,
    group_count: 1,
    pruned: false,
    ...ABOUT,
  },
  suggest: { field: "domain", values: ["www.example.org", "www.example.net"] },
};
