import type { DomainSource } from "../../flow/naming.ts";
import { joinPath } from "../../flow/path.ts";
import type { ConnectionAnswer, HistoryItem } from "../data/answers.ts";

/** Who a connection is between and what is known of it by name, wherever that came from. */
export interface Known {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
  protocol: string;
  /** The interfaces that saw it, as a path (see flow/path.ts). */
  interface: string;
  domain: string | null;
  domainSource: DomainSource | null;
  alpn: readonly string[];
  tlsVersion: string | null;
  ja4: string | null;
  ech: boolean;
}

export function pathOf({ observation_points }: ConnectionAnswer): string {
  return joinPath(observation_points.map((point) => point.interface));
}

export function knownOfLive(connection: ConnectionAnswer): Known {
  return {
    client: connection.client_ip,
    clientPort: connection.client_port,
    server: connection.server_ip,
    serverPort: connection.server_port,
    protocol: connection.protocol,
    interface: pathOf(connection),
    domain: connection.domain,
    domainSource: connection.domain_source,
    alpn: connection.alpn,
    tlsVersion: connection.tls_version,
    ja4: connection.ja4,
    ech: connection.ech,
  };
}

/** Of a row of history; a single packet of the server's has the server as its source. */
export function knownOfItem(item: HistoryItem): Known {
  const isReversed = item.row_type === "raw" && item.packets_received > 0;
  const [client, clientPort, server, serverPort] = isReversed
    ? [item.dst_ip, item.dst_port, item.src_ip, item.src_port]
    : [item.src_ip, item.src_port, item.dst_ip, item.dst_port];
  return {
    client,
    clientPort,
    server,
    serverPort,
    protocol: item.protocol,
    interface: joinPath(item.observation_points),
    domain: item.domain ?? null,
    domainSource: item.domain_source ?? null,
    alpn: item.alpn ?? [],
    tlsVersion: item.tls_version ?? null,
    ja4: item.ja4 ?? null,
    ech: item.ech ?? false,
  };
}
