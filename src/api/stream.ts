import type { Server, ServerWebSocket, WebSocketHandler } from "bun";
import type { Connection, SweepChange } from "../flow/types.ts";
import { ApiError } from "./errors.ts";
import { MAX_STREAM_BUFFER_BYTES, MAX_STREAM_MESSAGE_BYTES, MAX_STREAMS, RETRY_SOON } from "./limits.ts";
import type { StreamTopic } from "./query.ts";
import { acceptedSubprotocol } from "./token.ts";
import type { ApiDeps } from "./types.ts";
import { connectionView, totalsView } from "./views.ts";

/** Close codes: RFC 6455 7.4.1, and 1013 (try again later) of the IANA registry. */
const CLOSE_GOING_AWAY = 1001;
const CLOSE_TRY_LATER = 1013;
/** A silent peer is pinged before this and dropped after it. */
const IDLE_SECONDS = 60;
/** How long a reader that was told to go may take to read the rest. */
const CLOSE_GRACE_MS = 2000;

export interface StreamState {
  topics: ReadonlySet<StreamTopic>;
}
type Client = ServerWebSocket<StreamState>;

const viewsOf = (connections: readonly Connection[]) => connections.map(connectionView);

function statsMessage(stats: SweepChange["stats"]): string {
  return JSON.stringify({ topic: "stats", ...totalsView(stats) });
}

function connectionsMessage(change: SweepChange): string {
  return JSON.stringify({
    topic: "connections",
    opened: viewsOf(change.opened),
    updated: viewsOf(change.updated),
    retired: viewsOf(change.retired),
    truncated: change.truncated,
  });
}

export interface StreamHub {
  /** Turns the request into a stream; throws ApiError 426 or 503. */
  upgrade(request: Request, server: Server<StreamState>, topics: ReadonlySet<StreamTopic>): void;
  handlers: WebSocketHandler<StreamState>;
  clients(): number;
  /** Readers dropped because they did not keep up. */
  slowReadersDropped(): number;
  close(): void;
  /** Ends the streams that are open: who opened them may not do so any more. */
  endAll(reason: string): void;
}

/** The open streams: fed by the agent's sweeps, which it listens to only while there is a reader. */
export function createStreamHub({ agent, log }: Pick<ApiDeps, "agent" | "log">): StreamHub {
  const clients = new Set<Client>();
  let slowReadersDropped = 0;
  let unsubscribe: (() => void) | null = null;

  const end = (client: Client, code: number, reason: string): void => {
    clients.delete(client);
    client.close(code, reason);
    setTimeout(() => client.terminate(), CLOSE_GRACE_MS).unref();
  };

  const send = (client: Client, message: string): void => {
    if (client.getBufferedAmount() <= MAX_STREAM_BUFFER_BYTES) {
      client.send(message);
      return;
    }
    slowReadersDropped += 1;
    log.warn("a stream was dropped: its reader is too slow", { peer: client.remoteAddress });
    end(client, CLOSE_TRY_LATER, "reader too slow");
  };

  const onSweep = (change: SweepChange): void => {
    const texts = new Map<StreamTopic, string>();
    const textOf = (topic: StreamTopic): string => {
      const text =
        texts.get(topic) ?? (topic === "stats" ? statsMessage(change.stats) : connectionsMessage(change));
      texts.set(topic, text);
      return text;
    };
    for (const client of clients) {
      for (const topic of client.data.topics) if (clients.has(client)) send(client, textOf(topic));
    }
  };

  const listenWhileNeeded = (): void => {
    if (clients.size > 0) unsubscribe ??= agent.onSweep(onSweep);
    else {
      unsubscribe?.();
      unsubscribe = null;
    }
  };

  const endAll = (reason: string): void => {
    for (const client of clients) end(client, CLOSE_GOING_AWAY, reason);
    listenWhileNeeded();
  };

  return {
    upgrade(request, server, topics) {
      if (clients.size >= MAX_STREAMS) {
        throw new ApiError(
          503,
          "overloaded",
          `${MAX_STREAMS} streams are open already; close one or try later`,
          {
            headers: RETRY_SOON,
          },
        );
      }
      const protocol = acceptedSubprotocol(request.headers.get("sec-websocket-protocol"));
      const headers = protocol === undefined ? {} : { "sec-websocket-protocol": protocol };
      if (server.upgrade(request, { data: { topics }, headers })) return;
      throw new ApiError(426, "upgrade_required", "this route is a WebSocket; open it as ws://", {
        headers: { upgrade: "websocket" },
      });
    },
    handlers: {
      open(client) {
        clients.add(client);
        if (client.data.topics.has("stats")) send(client, statsMessage(agent.stats()));
        listenWhileNeeded();
      },
      close(client) {
        clients.delete(client);
        listenWhileNeeded();
      },
      // What a reader says is not asked for; the limit below bounds it.
      message() {},
      idleTimeout: IDLE_SECONDS,
      sendPings: true,
      perMessageDeflate: false,
      maxPayloadLength: MAX_STREAM_MESSAGE_BYTES,
    },
    clients: () => clients.size,
    slowReadersDropped: () => slowReadersDropped,
    close: () => endAll("the agent is stopping"),
    endAll,
  };
}
