import { formatEndpoint } from "../api/addresses.ts";
import type { LiveConnection, LookupRow, Story } from "./answers.ts";
import { formatBytes, formatDuration, formatExact, formatMs, formatRate, formatTime } from "./numbers.ts";
import { fitLine, type Span, span } from "./spans.ts";
import type { TopState } from "./state.ts";
import { safeText, wrap } from "./text.ts";

const LABEL_WIDTH = 12;
/** TCP flags from the lowest bit on (RFC 9293 3.1). */
const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
const SOURCES: Record<string, string> = {
  sni: "asked for in the TLS handshake",
  quic: "asked for in the QUIC handshake",
  http: "asked for in an HTTP request",
  dns: "a DNS lookup had the address",
  ptr: "by reverse lookup of the address",
};

/** A label and what it says; one without a label goes on. */
type Fact = readonly [label: string, text: string];

function flagNames(flags: number): string {
  const names = FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0);
  return names.length === 0 ? "" : `; flags ${names.join(" ")}`;
}

function nameText({ domain, domain_source, ech }: LiveConnection): string {
  if (domain === null) return "not known";
  const source = domain_source === null ? "" : `, ${SOURCES[domain_source] ?? domain_source}`;
  return `${domain}${source}${ech ? "; Encrypted Client Hello was offered: it may be the provider's" : ""}`;
}

function handshakeFacts({ tls_version, alpn, ja4 }: LiveConnection): Fact[] {
  const parts = [tls_version ?? "", alpn.length === 0 ? "" : `offers ${alpn.join(", ")}`];
  const text = parts.filter((part) => part !== "").join("; ");
  return [
    ...(text === "" ? [] : [["Handshake", text] as const]),
    ...(ja4 === null ? [] : [["JA4", ja4] as const]),
  ];
}

function roundTripText({ stats }: LiveConnection): string {
  const { rtt_ms, rtt_client_ms, rtt_server_ms } = stats;
  const parts = [
    rtt_client_ms === null ? "" : `${formatMs(rtt_client_ms)} to the client`,
    rtt_server_ms === null ? "" : `${formatMs(rtt_server_ms)} to the server`,
  ].filter((part) => part !== "");
  if (rtt_ms === null && parts.length === 0) return "its handshake was not seen";
  const split = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  return `${formatMs(rtt_ms)}${split}, at the handshake`;
}

function ago(when: string, nowMs: number): string {
  const ms = nowMs - Date.parse(when);
  return `${formatTime(when)}, ${formatDuration(ms / 1000)} ago`;
}

function trafficText(
  bytes: number,
  packets: number,
  retransmits: number,
  outOfOrder: number,
  flags: number,
): string {
  const sum = `${formatBytes(bytes)} (${formatExact(bytes)} bytes) in ${formatExact(packets)} packets`;
  return `${sum}; ${formatExact(retransmits)} retransmitted, ${formatExact(outOfOrder)} out of order${flagNames(flags)}`;
}

/** The interfaces that see it besides the first, and how the client's packets cross each. */
function furtherPoints({ observation_points }: LiveConnection): Fact[] {
  const further = observation_points.slice(1);
  if (further.length === 0) return [];
  const words = further.map(
    (point) => `${point.interface} (${point.direction === "ingress" ? "in" : "out"})`,
  );
  return [["Also on", words.join(", ")]];
}

function connectionFacts(connection: LiveConnection, nowMs: number): Fact[] {
  const { stats, protocol, state, direction } = connection;
  const way = direction === "ingress" ? "come in" : "go out";
  return [
    ["Client", formatEndpoint(connection.client_ip, connection.client_port)],
    ["Server", formatEndpoint(connection.server_ip, connection.server_port)],
    ["Name", nameText(connection)],
    ...handshakeFacts(connection),
    ["Protocol", state === "none" ? protocol : `${protocol}, ${state.replace("_", " ")}`],
    ["Interface", `${connection.interface}; the client's packets ${way}`],
    ...furtherPoints(connection),
    ["First seen", ago(stats.first_seen, nowMs)],
    ["Last seen", ago(stats.last_seen, nowMs)],
    [
      "Rate",
      `${formatRate(stats.bytes_per_second)}, ${formatExact(Math.round(stats.packets_per_second))} packets/s`,
    ],
    [
      "Sent",
      trafficText(
        stats.bytes_sent,
        stats.packets_sent,
        stats.retransmits_sent,
        stats.out_of_order_sent,
        stats.tcp_flags_sent,
      ),
    ],
    [
      "Received",
      trafficText(
        stats.bytes_received,
        stats.packets_received,
        stats.retransmits_received,
        stats.out_of_order_received,
        stats.tcp_flags_received,
      ),
    ],
    ["Round trip", roundTripText(connection)],
  ];
}

function lookupText({ time, type, name, rcode, answers, latency_ms }: LookupRow): string {
  const took = latency_ms === null ? "" : ` (${formatMs(latency_ms)})`;
  return `${formatTime(time)} ${type} ${name}: ${rcode ?? "no answer"} ${answers.join(" ")}${took}`;
}

function historyText(row: Story["history"]["items"][number]): string {
  const { timestamp, bytes_sent, bytes_received, packets_sent, packets_received, retransmits, rtt_ms } = row;
  const retransmitted = retransmits === 0 ? "" : `, ${formatExact(retransmits)} retransmitted`;
  const rtt = rtt_ms === null ? "" : `, round trip ${formatMs(rtt_ms)}`;
  const packets = formatExact(packets_sent + packets_received);
  const sums = `sent ${formatBytes(bytes_sent)}, received ${formatBytes(bytes_received)}, ${packets} packets`;
  return `${formatTime(timestamp)} ${sums}${retransmitted}${rtt}`;
}

/** Facts under one label, which stands before the first. */
const listed = (label: string, texts: readonly string[]): Fact[] =>
  texts.map((text, index) => [index === 0 ? label : "", text]);

function storyFacts({ connection, history, lookups }: Story, nowMs: number): Fact[] {
  const windows = history.items.map(historyText);
  return [
    ...(connection === null ? [["State", "it has ended"] as const] : connectionFacts(connection, nowMs)),
    ...listed("Lookups", lookups.map(lookupText)),
    ...listed("History", windows.length === 0 ? ["nothing yet: the first window is still open"] : windows),
  ];
}

function factLines([label, text]: Fact, state: TopState): Span[][] {
  const { looks, size } = state;
  const pieces = wrap(safeText(text, looks.ascii), size.columns - LABEL_WIDTH);
  return pieces.map((piece, index) =>
    fitLine(
      [span((index === 0 ? label : "").padEnd(LABEL_WIDTH), "bold"), span(piece)],
      size.columns,
      looks.ascii,
    ),
  );
}

/** Everything about the connection looked at, in lines; more of them than the screen has, perhaps. */
export function detailLines(state: TopState, nowMs: number): Span[][] {
  const { details } = state;
  if (details === null) return [];
  const { story, problem } = details;
  const facts: Fact[] = [
    ...(problem === null ? [] : [["", problem] as const]),
    ...(story === null ? [] : storyFacts(story, nowMs)),
  ];
  return (facts.length === 0 ? [["", "..."] as const] : facts).flatMap((fact) => factLines(fact, state));
}
