import { registerAgentMetrics, type Snapshot } from "./agent-metrics.ts";
import { createConnectionResponder } from "./connection-answer.ts";
import type { Access } from "./guards.ts";
import { createAsking, requireHistory } from "./history-access.ts";
import { parseHistoryQuery } from "./history-query.ts";
import { NO_INSPECTION, registerInspectionMetrics } from "./inspection-metrics.ts";
import { createLiveResponder } from "./live-answer.ts";
import { parseDnsQuery, parseDomainsQuery } from "./names-query.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { parseQuery, present } from "./query-string.ts";
import { domainsView } from "./question-views.ts";
import { emptyQuerySchema, parseLiveQuery, suggestQuerySchema } from "./query.ts";
import { ROUTES } from "./routes.ts";
import { createRowsResponder } from "./rows-answer.ts";
import type { StreamHub } from "./stream.ts";
import { suggest } from "./suggest.ts";
import { createSumsResponder } from "./sums-answer.ts";
import { parseTimeseriesQuery, parseTopQuery } from "./sums-query.ts";
import type { ApiDeps } from "./types.ts";
import { allLosses, healthView, lookupView, runtimeView, statsView } from "./views.ts";

/** What a handler is told of its request; `query` is the query string without `?`. */
export interface Asked {
  query: string;
  access: Access;
  /** What the path has for the parameter of its route; '' without one. */
  parameter: string;
  /** Aborted when the client has gone. */
  signal?: AbortSignal;
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
  const rowsResponse = createRowsResponder(history);
  const asking = createAsking();
  const sums = createSumsResponder(history, asking);
  const connectionResponse = createConnectionResponder(deps);
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
      // Who prefers HTML gets the page there.
      return Response.json({ name: "ayaflow", ...version, routes: ROUTES }, { headers: { vary: "Accept" } });
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
      const asked = parseLiveQuery(query);
      const { connections, matched } = agent.live(asked);
      const { total } = agent.stats();
      const { offset = 0 } = asked;
      const totals = { totalPackets: total.packets, totalBytes: total.bytes };
      return liveResponse({ connections, matched, offset, ...totals });
    },
    async history({ query, signal }: Asked): Promise<Response> {
      const asked = parseHistoryQuery(query, deps.now());
      return asked.kind === "rows"
        ? rowsResponse(asked.query, asked.format)
        : sums.groups(asked.question, asked.format, signal);
    },
    async top({ query, signal }: Asked): Promise<Response> {
      return sums.groups(parseTopQuery(query, deps.now()), "json", signal);
    },
    async timeseries({ query, signal }: Asked): Promise<Response> {
      return sums.timeseries(
        parseTimeseriesQuery(query, deps.now(), () => history?.coverage() ?? []),
        signal,
      );
    },
    async connection({ query, parameter, signal }: Asked): Promise<Response> {
      parseQuery(emptyQuerySchema, query);
      return connectionResponse(parameter, signal);
    },
    suggest({ query }: Asked): Response {
      const { field, prefix, limit } = parseQuery(suggestQuerySchema, query);
      return Response.json({ field, values: suggest(agent, field, prefix, limit) });
    },
    async domains({ query, signal }: Asked): Promise<Response> {
      const asked = parseDomainsQuery(query, deps.now());
      const ask = async () => requireHistory(history).domains({ ...asked, ...present({ signal }) });
      return Response.json(domainsView(await asking(ask, signal)));
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
