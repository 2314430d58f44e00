import { protocolName } from "../flow/protocol.ts";
import { endText, type FileConnection } from "../inspect/file-connections.ts";
import type { Lookup } from "../inspect/types.ts";

/** Protocols whose connections have ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const WITH_PORTS: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

/** One connection as `ayaflow inspect --json` prints it. */
export function connectionRecord({
  ends,
  client,
  protocol,
  packets,
  bytes,
  naming,
  ...rest
}: FileConnection) {
  const hasPort = WITH_PORTS.has(protocol);
  return {
    client: endText(ends[client], hasPort),
    server: endText(ends[client === 0 ? 1 : 0], hasPort),
    protocol: protocolName(protocol),
    ...(rest.interface === "" ? {} : { interface: rest.interface }),
    packets,
    bytes,
    domain: naming.domain,
    domain_source: naming.domainSource,
    alpn: naming.alpn,
    tls_version: naming.tlsVersion,
    ja4: naming.ja4,
    ech: naming.ech,
  };
}

/** Rows of text in columns as wide as they need; the numbers of `right` are aligned to the right. */
function columns(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const cell = (text: string, column: number) =>
    right.has(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return rows.map((row) => `${row.map(cell).join("  ").trimEnd()}\n`).join("");
}

/** The connections as a table for a person. */
export function connectionTable(connections: readonly FileConnection[]): string {
  const head = ["PROTOCOL", "CLIENT", "SERVER", "PACKETS", "BYTES", "DOMAIN", "SOURCE", "TLS", "ALPN"];
  const rows = connections
    .map(connectionRecord)
    .map((one) => [
      one.protocol,
      one.client,
      one.server,
      one.packets.toLocaleString("en"),
      one.bytes.toLocaleString("en"),
      one.domain === null ? "-" : `${one.domain}${one.ech ? " (outer)" : ""}`,
      one.domain_source ?? "-",
      one.tls_version ?? "-",
      one.alpn.join(",") || "-",
    ]);
  return columns([head, ...rows], new Set([3, 4]));
}

/** The lookups as a table for a person. */
export function lookupTable(lookups: readonly Lookup[]): string {
  const head = ["TIME", "CLIENT", "SERVER", "NAME", "TYPE", "RCODE", "MS", "ANSWERS"];
  const rows = lookups.map((one) => [
    new Date(one.timeMs).toISOString(),
    one.client,
    one.server,
    one.name,
    one.type,
    one.rcode ?? "unanswered",
    one.latencyMs?.toFixed(1) ?? "-",
    one.answers.join(", ") || "-",
  ]);
  return columns([head, ...rows], new Set([6]));
}
