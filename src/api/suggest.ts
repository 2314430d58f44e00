import { protocolName } from "../flow/protocol.ts";
import type { AgentView, Connection } from "../flow/types.ts";
import type { SuggestField } from "./query.ts";

/** Connections looked at, those of the most bytes: some milliseconds of the event loop. */
const LOOKED_AT = 2000;

/** What of a connection is a value of each field. */
const VALUES: Readonly<Record<SuggestField, (connection: Connection) => readonly (string | null)[]>> = {
  domain: ({ naming }) => [naming.domain],
  address: ({ clientAddress, serverAddress }) => [clientAddress, serverAddress],
  port: ({ serverPort }) => [String(serverPort)],
  interface: ({ observationPoints }) => observationPoints.map((point) => point.interface),
  protocol: ({ protocol }) => [protocolName(protocol)],
  alpn: ({ naming }) => naming.alpn,
  ja4: ({ naming }) => [naming.ja4],
};

/** Values of the live connections that begin with `prefix` in any case, those of the most bytes first. */
export function suggest(agent: AgentView, field: SuggestField, prefix: string, limit: number): string[] {
  const { connections } = agent.live({ limit: LOOKED_AT, sort: "bytes" });
  const start = prefix.toLowerCase();
  const bytes = new Map<string, number>();
  for (const connection of connections) {
    const moved = connection.sent.bytes + connection.received.bytes;
    for (const value of VALUES[field](connection)) {
      if (value?.toLowerCase().startsWith(start) === true) bytes.set(value, (bytes.get(value) ?? 0) + moved);
    }
  }
  return [...bytes]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, limit)
    .map(([value]) => value);
}
