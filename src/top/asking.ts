import { formatEndpoint } from "../api/addresses.ts";
import type { CompletionValues } from "../filter/complete.ts";
import { joinPath } from "../flow/path.ts";
import { quoted } from "../filter/format.ts";
import type { AgentClient } from "./client.ts";
import {
  dnsSchema,
  liveSchema,
  type LiveConnection,
  type LookupRow,
  type StatsAnswer,
  topSchema,
  type TopGroup,
} from "./answers.ts";
import { formatBytes, formatCount, formatMs, formatRate, formatShare, formatTime } from "./numbers.ts";
import type { InterfaceRates } from "./rates.ts";
import type { Table, TableQuestion } from "./state.ts";
import type { Row } from "./views.ts";

/** What names and talkers are summed over. */
const SINCE = "-5m";
/** Most that the agent answers of groups and of lookups. */
const MAX_LISTED = 1000;

/** An address with its port, where the protocol has ports. */
function endText(address: string, port: number, { client_port, server_port }: LiveConnection): string {
  return client_port === 0 && server_port === 0 ? address : formatEndpoint(address, port);
}

/** The server as a person calls it: its name, if it has one, and its port. */
function serverText(connection: LiveConnection): string {
  const { domain, server_ip, server_port } = connection;
  return domain === null ? endText(server_ip, server_port, connection) : `${domain}:${server_port}`;
}

function connectionRow(connection: LiveConnection): Row {
  const { stats } = connection;
  return {
    cells: {
      client: endText(connection.client_ip, connection.client_port, connection),
      server: serverText(connection),
      protocol: connection.protocol,
      rate: formatRate(stats.bytes_per_second),
      sent: formatBytes(stats.bytes_sent),
      received: formatBytes(stats.bytes_received),
      rtt: formatMs(stats.rtt_ms),
      packets: formatCount(stats.packets_sent + stats.packets_received),
      retransmits: formatCount(stats.retransmits_sent + stats.retransmits_received),
      state: connection.state === "none" ? "-" : connection.state,
      interface: joinPath(connection.observation_points.map((point) => point.interface)),
    },
    target: { kind: "connection", id: connection.id },
  };
}

function valuesOf(connections: readonly LiveConnection[]): CompletionValues {
  const distinct = (values: readonly (string | null)[]) => [
    ...new Set(values.filter((value) => value !== null)),
  ];
  return {
    address: distinct(connections.flatMap(({ client_ip, server_ip }) => [client_ip, server_ip])),
    port: distinct(connections.map(({ server_port }) => String(server_port))),
    domain: distinct(connections.map(({ domain }) => domain)),
  };
}

async function askConnections(
  agent: AgentClient,
  question: TableQuestion,
  signal: AbortSignal,
): Promise<Table> {
  const { view, offset, limit, filter, sort, isAscending } = question;
  const parameters = {
    limit,
    offset,
    ...(sort === null ? {} : { sort, order: isAscending ? "asc" : "desc" }),
    ...(filter === "" ? {} : { q: filter }),
  };
  const answer = await agent.ask("/api/live", parameters, liveSchema, signal);
  const { connections, matched } = answer;
  const rows = connections.map(connectionRow);
  return { view, offset, rows, total: matched, isCut: false, values: valuesOf(connections), note: null };
}

function groupRow(by: string, group: TopGroup): Row {
  const value = group.key[by] ?? null;
  const name = value === null ? null : String(value);
  return {
    cells: {
      name: name ?? "(no name)",
      bytes: formatBytes(group.bytes),
      sent: formatBytes(group.bytes_sent),
      received: formatBytes(group.bytes_received),
      packets: formatCount(group.packets),
      retransmits: formatCount(group.retransmits),
      rtt: formatMs(group.rtt_ms),
    },
    target: { kind: "filter", text: `${by} ${name === null ? "none" : quoted(name)}` },
  };
}

async function askGroups(
  agent: AgentClient,
  question: TableQuestion,
  by: string,
  signal: AbortSignal,
): Promise<Table> {
  const { view, offset, limit, filter, sort } = question;
  const parameters = {
    by,
    since: SINCE,
    limit: Math.min(offset + limit, MAX_LISTED),
    ...(sort === null ? {} : { order: sort }),
    ...(filter === "" ? {} : { q: filter }),
  };
  const answer = await agent.ask("/api/top", parameters, topSchema, signal);
  const rows = answer.groups.slice(offset).map((group) => groupRow(by, group));
  const names = answer.groups.map(({ key }) => key[by] ?? null).filter((name) => typeof name === "string");
  const field = by === "domain" ? "domain" : "address";
  return {
    view,
    offset,
    rows,
    total: Math.min(answer.group_count, MAX_LISTED),
    isCut: answer.group_count > MAX_LISTED,
    values: { [field]: names },
    note: null,
  };
}

function lookupRow(lookup: LookupRow): Row {
  return {
    cells: {
      time: formatTime(lookup.time),
      client: lookup.client,
      server: lookup.server,
      name: lookup.name,
      type: lookup.type,
      rcode: lookup.rcode ?? "no answer",
      latency: formatMs(lookup.latency_ms),
      answers: lookup.answers.join(" "),
    },
    target: null,
  };
}

async function askLookups(agent: AgentClient, question: TableQuestion, signal: AbortSignal): Promise<Table> {
  const { view, offset, limit } = question;
  // One more than is shown tells that there are more.
  const asked = Math.min(offset + limit + 1, MAX_LISTED);
  const { enabled, lookups } = await agent.ask("/api/dns", { limit: asked }, dnsSchema, signal);
  const rows = lookups.slice(offset, offset + limit).map(lookupRow);
  const note = enabled ? null : "The agent does not look into DNS: start it with --deep-inspect.";
  return { view, offset, rows, total: lookups.length, isCut: lookups.length === asked, values: {}, note };
}

type InterfaceTotals = StatsAnswer["interfaces"][number];

const INTERFACE_ORDERS: Record<string, (totals: InterfaceTotals, rates: InterfaceRates) => number> = {
  rate: (totals, rates) => rates.of(totals.interface, totals.direction),
  bytes: ({ bytes }) => bytes,
  packets: ({ packets }) => packets,
  overflow: ({ overflow_packets }) => overflow_packets,
  not_ip: ({ not_ip_packets }) => not_ip_packets,
  malformed: ({ malformed_packets }) => malformed_packets,
};

function interfaceRow(totals: InterfaceTotals, rates: InterfaceRates): Row {
  const countable = totals.packets - totals.not_ip_packets;
  return {
    cells: {
      interface: totals.interface,
      direction: totals.direction === "ingress" ? "in" : "out",
      rate: formatRate(rates.of(totals.interface, totals.direction)),
      bytes: formatBytes(totals.bytes),
      packets: formatCount(totals.packets),
      seen: formatShare(countable === 0 ? 1 : totals.attributed_packets / countable),
      overflow: formatCount(totals.overflow_packets),
      not_ip: formatCount(totals.not_ip_packets),
      malformed: formatCount(totals.malformed_packets),
    },
    target: null,
  };
}

/** The table of interfaces, out of figures that are here already. */
function interfaceTable(question: TableQuestion, stats: StatsAnswer, rates: InterfaceRates): Table {
  const { view, offset, limit, sort, isAscending } = question;
  const figure = INTERFACE_ORDERS[sort ?? ""];
  const byName = (a: InterfaceTotals, b: InterfaceTotals) =>
    a.interface.localeCompare(b.interface, "en") || b.direction.localeCompare(a.direction, "en");
  const sorted = stats.interfaces.toSorted((a, b) =>
    figure === undefined ? byName(a, b) : figure(a, rates) - figure(b, rates) || byName(a, b),
  );
  const ordered = isAscending ? sorted : sorted.toReversed();
  const rows = ordered.slice(offset, offset + limit).map((totals) => interfaceRow(totals, rates));
  return { view, offset, rows, total: sorted.length, isCut: false, values: {}, note: null };
}

/** The rows that a question is about. Rejects with AskError; with the signal's reason when aborted. */
export async function askTable(
  agent: AgentClient,
  question: TableQuestion,
  now: { stats: StatsAnswer; rates: InterfaceRates },
  signal: AbortSignal,
): Promise<Table> {
  switch (question.view) {
    case "connections":
      return await askConnections(agent, question, signal);
    case "names":
      return await askGroups(agent, question, "domain", signal);
    case "talkers":
      return await askGroups(agent, question, "client", signal);
    case "interfaces":
      return interfaceTable(question, now.stats, now.rates);
    case "dns":
      return await askLookups(agent, question, signal);
  }
}
