/** Who talks to whom in made traffic and in made history: the same names, addresses and habits in both. */
import type { DomainSource } from "../../../src/flow/naming.ts";

/** One service that clients use. */
export interface Role {
  /** Null where nothing tells the name. */
  name: string | null;
  source: DomainSource | null;
  server: string;
  port: number;
  protocol: "tcp" | "udp";
  /** How many of the clients use it. */
  clients: number;
  /** Bytes that a client sends and receives in an hour of usual use. */
  sent: number;
  received: number;
  /** Milliseconds of the handshake's round trip; null for UDP. */
  rttMs: number | null;
}

const MB = 1e6;
const tls = { source: "sni", port: 443, protocol: "tcp" } as const;
const quic = { source: "quic", port: 443, protocol: "udp", rttMs: null } as const;

/** Example names and addresses alone (RFC 2606, RFC 5737), and the clients' own network. */
export const CAST: readonly Role[] = [
  {
    ...quic,
    name: "video.example.org",
    server: "203.0.113.21",
    clients: 5,
    sent: 4 * MB,
    received: 210 * MB,
  },
  {
    ...tls,
    name: "cdn.example.net",
    server: "203.0.113.8",
    clients: 8,
    sent: 3 * MB,
    received: 96 * MB,
    rttMs: 8.4,
  },
  {
    ...tls,
    name: "www.example.com",
    server: "198.51.100.10",
    clients: 8,
    sent: 2 * MB,
    received: 31 * MB,
    rttMs: 23,
  },
  {
    ...tls,
    name: "backup.example.org",
    server: "198.51.100.77",
    clients: 2,
    sent: 180 * MB,
    received: 5 * MB,
    rttMs: 41,
  },
  {
    ...tls,
    name: "git.example.net",
    server: "203.0.113.40",
    clients: 4,
    sent: 9 * MB,
    received: 40 * MB,
    rttMs: 17,
  },
  {
    ...tls,
    name: "api.shop.example",
    server: "198.51.100.25",
    clients: 6,
    sent: 7 * MB,
    received: 12 * MB,
    rttMs: 31,
  },
  {
    ...tls,
    name: "registry.example.com",
    server: "198.51.100.31",
    clients: 3,
    sent: MB,
    received: 64 * MB,
    rttMs: 12,
  },
  {
    ...tls,
    name: "chat.example.com",
    server: "198.51.100.12",
    clients: 7,
    sent: MB,
    received: 3 * MB,
    rttMs: 26,
  },
  {
    name: "deb.example.org",
    source: "http",
    server: "203.0.113.90",
    port: 80,
    protocol: "tcp",
    clients: 3,
    sent: MB,
    received: 27 * MB,
    rttMs: 14,
  },
  {
    name: "db.internal.example",
    source: "dns",
    server: "10.20.0.5",
    port: 5432,
    protocol: "tcp",
    clients: 3,
    sent: 14 * MB,
    received: 44 * MB,
    rttMs: 0.31,
  },
  {
    name: null,
    source: null,
    server: "192.0.2.140",
    port: 22,
    protocol: "tcp",
    clients: 1,
    sent: 2 * MB,
    received: 6 * MB,
    rttMs: 88,
  },
  {
    name: null,
    source: null,
    server: "10.20.0.53",
    port: 53,
    protocol: "udp",
    clients: 8,
    sent: 0.4 * MB,
    received: 0.9 * MB,
    rttMs: null,
  },
  {
    name: "time.example.net",
    source: "dns",
    server: "203.0.113.123",
    port: 123,
    protocol: "udp",
    clients: 8,
    sent: 0.02 * MB,
    received: 0.02 * MB,
    rttMs: null,
  },
];

export const RESOLVER = "10.20.0.53";

/** Client number `index` of those that a service has. */
export function clientAddress(index: number): string {
  return `10.20.1.${11 + index * 7}`;
}

/** Client port of number `index` of a role's connections. */
export function clientPort(role: Role, index: number): number {
  return 40_000 + CAST.indexOf(role) * 64 + index;
}

const HOUR_MS = 3_600_000;
const WAVES_MS = [83_000, 247_000, 611_000];
const USUAL_PEAK_MS = Date.UTC(2000, 0, 1, 14);

/** How busy people are at a time, about 1 at the busiest of a working day: at 14:00 UTC, or at the time of day of `peakMs`. */
export function busyness(timeMs: number, peakMs = USUAL_PEAK_MS): number {
  const hours = (timeMs - peakMs) / HOUR_MS;
  const fromPeak = ((((hours + 12) % 24) + 24) % 24) - 12;
  const isWeekend = new Date(timeMs).getUTCDay() % 6 === 0;
  // It goes up and down by the minute too.
  const waves = 1 + WAVES_MS.reduce((sum, length) => sum + Math.sin((timeMs / length) * 2 * Math.PI) / 7, 0);
  return (Math.exp(-((fromPeak / 5) ** 2)) + 0.12) * (isWeekend ? 0.35 : 1) * waves;
}
