import { allTests } from "../filter/parameters.ts";
import type { FilterTest } from "../filter/types.ts";
import { parseAddress } from "../flow/address.ts";
import { parseProtocol } from "../flow/protocol.ts";
import type { AgentView, Connection } from "../flow/types.ts";
import type { HistoryItem, HistoryQuery } from "../history/types.ts";
import { ApiError } from "./errors.ts";
import { historyError } from "./history-access.ts";
import type { ApiDeps, HistoryView } from "./types.ts";
import { connectionView, lookupView } from "./views.ts";

const MAX_ROWS = 500;
const MAX_LOOKUPS = 50;
/** Pages of history that are asked for; each takes 10 ms at most. */
const MAX_PAGES = 50;
/** A row begins with its window, before the connection that it is about. */
const BEFORE_MS = 60_000;
/** `connection_id` of a row of history, as far as its form goes. */
const STORED_ID = /^h\d{1,15}-\d{1,5}$/;

/** The two ends of a connection. */
interface Ends {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
  protocol: number;
  interface: string;
}

type Reader = Pick<HistoryView, "query">;

const endsOfLive = (connection: Connection): Ends => ({
  client: connection.clientAddress,
  clientPort: connection.clientPort,
  server: connection.serverAddress,
  serverPort: connection.serverPort,
  protocol: connection.protocol,
  interface: connection.interface,
});

/** Of a row whose client's port is known; a packet of the server's has it as its destination. */
function endsOfItem(item: HistoryItem): Ends {
  const isReversed = item.row_type === "raw" && item.packets_received > 0;
  const { src_ip, src_port, dst_ip, dst_port } = item;
  const [client, clientPort, server, serverPort] = isReversed
    ? [dst_ip, dst_port, src_ip, src_port]
    : [src_ip, src_port, dst_ip, dst_port];
  return {
    client,
    clientPort,
    server,
    serverPort,
    protocol: parseProtocol(item.protocol) ?? 0,
    interface: item.interface,
  };
}

function testsOf(ends: Ends): FilterTest[] {
  const one = (end: "client" | "server", text: string): FilterTest[] => {
    const address = parseAddress(text);
    return address === null ? [] : [{ kind: "address", end, first: address, last: address }];
  };
  return [
    ...one("client", ends.client),
    ...one("server", ends.server),
    { kind: "port", end: "client", low: ends.clientPort, high: ends.clientPort },
    { kind: "port", end: "server", low: ends.serverPort, high: ends.serverPort },
    { kind: "protocol", protocol: ends.protocol },
  ];
}

/** Rows of history, newest first, and whether there are older ones besides. */
interface Rows {
  items: HistoryItem[];
  hasMore: boolean;
}

const NO_ROWS: Rows = { items: [], hasMore: false };

/** The newest rows that match. Throws ApiError. */
async function rowsOf(history: Reader, query: HistoryQuery, signal?: AbortSignal): Promise<Rows> {
  const items: HistoryItem[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MAX_PAGES && items.length < MAX_ROWS; pages++) {
    const asked = { ...query, limit: MAX_ROWS - items.length, ...(cursor === null ? {} : { cursor }) };
    try {
      const page = history.query(asked);
      items.push(...page.items);
      cursor = page.next_cursor;
    } catch (error) {
      throw historyError(error);
    }
    if (cursor === null || signal?.aborted === true) break;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return { items, hasMore: cursor !== null };
}

function queryOf(ends: Ends, sinceMs: number): HistoryQuery {
  const { client, clientPort, protocol, interface: name } = ends;
  const filter = allTests(testsOf(ends));
  // The plain fields are the ones that indexes are looked up by.
  return {
    limit: MAX_ROWS,
    sinceMs,
    ip: client,
    port: clientPort,
    protocol,
    interface: name,
    ...(filter === null ? {} : { filter }),
  };
}

function findLive(agent: AgentView, ends: Ends): Connection | null {
  const filter = allTests(testsOf(ends));
  const { connections } = agent.live({
    limit: 1,
    sort: "last_seen",
    interface: ends.interface,
    ...(filter === null ? {} : { filter }),
  });
  return connections[0] ?? null;
}

/** Makes the answers of `/api/connections/:id`. Rejects with ApiError, 404 for an id of no connection. */
export function createConnectionResponder(
  deps: Pick<ApiDeps, "agent" | "history" | "dns">,
): (id: string, signal?: AbortSignal) => Promise<Response> {
  const { agent, history, dns } = deps;

  const stored = async (id: string, signal?: AbortSignal): Promise<Rows> =>
    history === null || !STORED_ID.test(id)
      ? NO_ROWS
      : rowsOf(history, { limit: MAX_ROWS, connectionId: id }, signal);

  const ofLive = async (connection: Connection, signal?: AbortSignal): Promise<Rows> => {
    if (history === null) return NO_ROWS;
    return rowsOf(history, queryOf(endsOfLive(connection), connection.firstSeenMs - BEFORE_MS), signal);
  };

  return async (id, signal) => {
    const named = agent.find(id);
    const { items, hasMore } = named === null ? await stored(id, signal) : await ofLive(named, signal);
    const [newest] = items;
    const ends = named !== null ? endsOfLive(named) : newest === undefined ? null : endsOfItem(newest);
    if (ends === null) {
      throw new ApiError(404, "not_found", `there is no connection ${id}, neither live nor in history`);
    }
    const connection = named ?? findLive(agent, ends);
    const name = connection?.naming.domain ?? newest?.domain ?? null;
    const lookups = name === null ? [] : (dns?.recent({ limit: MAX_LOOKUPS, name, ip: ends.client }) ?? []);
    return Response.json({
      connection: connection === null ? null : connectionView(connection),
      live: connection !== null,
      history: { items, has_more: hasMore },
      lookups: lookups.map(lookupView),
    });
  };
}
