import { errorMessage, UsageError } from "../errors.ts";
import type { HistoryPage, HistoryQuery } from "../history/types.ts";
import { registerAgentMetrics, type Snapshot } from "./agent-metrics.ts";
import { ApiError, badRequest } from "./errors.ts";
import type { Access } from "./guards.ts";
import { createLiveResponder } from "./live-answer.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { emptyQuerySchema, parseHistoryQuery, parseLiveQuery, parseQuery } from "./query.ts";
import { ROUTES } from "./routes.ts";
import type { StreamHub } from "./stream.ts";
import type { ApiDeps, HistoryView } from "./types.ts";
import { allLosses, healthView, runtimeView, statsView } from "./views.ts";

/** What a handler is told of its request; `query` is the query string without `?`. */
export interface Asked {
  query: string;
  access: Access;
}

function askHistory(history: HistoryView | null, query: HistoryQuery): HistoryPage {
  if (history === null) {
    throw new ApiError(
      503,
      "history_unavailable",
      "history could not be opened; see the log of the agent for why",
    );
  }
  try {
    return history.query(query);
  } catch (error) {
    if (error instanceof UsageError) throw badRequest(error.problems);
    throw new ApiError(503, "history_unavailable", `history cannot be read: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function healthReasons({ agent, history }: ApiDeps): string[] {
  const reasons = [...agent.degradedReasons()];
  if (history === null) return [...reasons, "history: could not be opened"];
  const { failing } = history.status();
  const isSaid = failing === null || reasons.some((reason) => reason.includes(failing));
  return isSaid ? reasons : [...reasons, `history: ${failing}`];
}

/** One function a route, from what was asked to the response; throws ApiError. `port` is the one listened on. */
export function createHandlers(deps: ApiDeps, hub: StreamHub, port: () => number) {
  const { agent, history, config, metrics, version } = deps;
  const liveResponse = createLiveResponder();
  const runtime = () => runtimeView(config, port());

  const takeSnapshot = (): Snapshot => {
    const stats = agent.stats();
    const status = history?.status() ?? null;
    return {
      stats,
      history: status,
      losses: allLosses(stats.losses, status, hub.slowReadersDropped()),
      streamClients: hub.clients(),
      inspection: deps.inspection?.() ?? { domainsResolved: 0, packets: 0 },
    };
  };
  let scraped: Snapshot | null = null;
  registerAgentMetrics(metrics.registry, version, () => (scraped ??= takeSnapshot()));
  registerProcessMetrics(metrics.registry);

  return {
    index({ query }: Asked): Response {
      parseQuery(emptyQuerySchema, query);
      return Response.json({ name: "ayaflow", ...version, routes: ROUTES });
    },
    health({ query, access }: Asked): Response {
      parseQuery(emptyQuerySchema, query);
      const shown = access === "full" ? runtime() : null;
      return Response.json(healthView(agent.stats(), healthReasons(deps), shown));
    },
    stats({ query }: Asked): Response {
      parseQuery(emptyQuerySchema, query);
      const { stats, history: status, losses } = takeSnapshot();
      return Response.json(statsView(stats, status, losses, runtime(), hub.clients()));
    },
    live({ query }: Asked): Response {
      const { connections, matched } = agent.live(parseLiveQuery(query));
      const { total } = agent.stats();
      return liveResponse({ connections, matched, totalPackets: total.packets, totalBytes: total.bytes });
    },
    history({ query }: Asked): Response {
      return Response.json(askHistory(history, parseHistoryQuery(query, deps.now())));
    },
    async metrics({ query }: Asked): Promise<Response> {
      parseQuery(emptyQuerySchema, query);
      scraped = takeSnapshot();
      const text = await metrics.registry.metrics();
      return new Response(text, { headers: { "content-type": metrics.registry.contentType } });
    },
    async openapi({ query }: Asked): Promise<Response> {
      parseQuery(emptyQuerySchema, query);
      // Loaded when first asked for: most agents never are, and it costs megabytes.
      const { openApiDocument } = await import("./openapi.ts");
      return Response.json(openApiDocument(version.version, config.apiToken !== null));
    },
  };
}
