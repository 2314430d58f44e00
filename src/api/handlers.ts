import type { HistoryPage, HistoryQuery } from "../history/types.ts";
import { registerAgentMetrics, type Snapshot } from "./agent-metrics.ts";
import { createDomainsResponder } from "./domains-answer.ts";
import type { Access } from "./guards.ts";
import { historyError, requireHistory } from "./history-access.ts";
import { NO_INSPECTION, registerInspectionMetrics } from "./inspection-metrics.ts";
import { createLiveResponder } from "./live-answer.ts";
import { parseDnsQuery, parseDomainsQuery } from "./names-query.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { parseQuery } from "./query-string.ts";
import { emptyQuerySchema, parseHistoryQuery, parseLiveQuery } from "./query.ts";
import { ROUTES } from "./routes.ts";
import type { StreamHub } from "./stream.ts";
import type { ApiDeps, HistoryView } from "./types.ts";
import { allLosses, healthView, lookupView, runtimeView, statsView } from "./views.ts";

/** What a handler is told of its request; `query` is the query string without `?`. */
export interface Asked {
  query: string;
  access: Access;
  /** Aborted when the client has gone. */
  signal?: AbortSignal;
}

function askHistory(history: HistoryView | null, query: HistoryQuery): HistoryPage {
  try {
    return requireHistory(history).query(query);
  } catch (error) {
    throw historyError(error);
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
  const domainsResponse = createDomainsResponder();
  const runtime = () => runtimeView(config, port());

  const takeSnapshot = (): Snapshot => {
    const stats = agent.stats();
    const status = history?.status() ?? null;
    return {
      stats,
      history: status,
      losses: allLosses(stats.losses, status, hub.slowReadersDropped()),
      streamClients: hub.clients(),
    };
  };
  let scraped: Snapshot | null = null;
  registerAgentMetrics(metrics.registry, version, () => (scraped ??= takeSnapshot()));
  registerInspectionMetrics(metrics.registry, () => deps.inspection ?? NO_INSPECTION);
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
    async domains({ query, signal }: Asked): Promise<Response> {
      const asked = parseDomainsQuery(query, deps.now());
      try {
        return await domainsResponse(requireHistory(history), asked, signal);
      } catch (error) {
        throw historyError(error);
      }
    },
    dns({ query }: Asked): Response {
      const asked = parseDnsQuery(query);
      const lookups = deps.dns?.recent(asked) ?? [];
      return Response.json({ enabled: deps.dns !== undefined, lookups: lookups.map(lookupView) });
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
