import type { Server, WebSocketHandler } from "bun";
import { Elysia } from "elysia";
import { errorMessage } from "../errors.ts";
import { ApiError, errorResponse } from "./errors.ts";
import { createGuard } from "./guards.ts";
import { type Asked, createHandlers } from "./handlers.ts";
import { checkLimits, MAX_IN_FLIGHT, RETRY_SOON } from "./limits.ts";
import { parseStreamQuery } from "./query.ts";
import { findRoute, METHODS, matchRoute } from "./routes.ts";
import { createStreamHub, type StreamHub, type StreamState } from "./stream.ts";
import type { ApiDeps } from "./types.ts";

const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/** Elysia finds the path by counting characters, which a short or absent Host header would upset. */
const ORIGIN = "http://ayaflow.internal";

export interface Api {
  /** Answers one request; undefined after it became a stream. Never throws. */
  fetch(request: Request, server: Server<StreamState>): Promise<Response | undefined>;
  websocket: WebSocketHandler<StreamState>;
  /** Ends all streams. */
  close(): void;
}

interface Target {
  path: string;
  query: string;
}

/** Path and query of a request's URL, which has no origin when the Host header is absent or unusable. */
function targetOf(url: string): Target {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  const target = start === -1 ? "/" : url.slice(start);
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** The routes as an Elysia app; `askedBy` holds what the guard and the limits found out about each request. */
function createRoutes(deps: ApiDeps, hub: StreamHub, port: () => number, askedBy: WeakMap<Request, Asked>) {
  const handlers = createHandlers(deps, hub, port);
  const asked = (request: Request): Asked => askedBy.get(request) ?? { query: "", access: "public" };
  // Without aot Elysia neither generates code at run time nor reads function sources, which minifying changes.
  return new Elysia({ strictPath: true, systemRouter: false, aot: false })
    .onError(({ error, request }) => toResponse(error, targetOf(request.url).path, deps))
    .get("/", ({ request }) => handlers.index(asked(request)))
    .get("/api/health", ({ request }) => handlers.health(asked(request)))
    .get("/api/stats", ({ request }) => handlers.stats(asked(request)))
    .get("/api/live", ({ request }) => handlers.live(asked(request)))
    .get("/api/history", ({ request }) => handlers.history(asked(request)))
    .get("/api/domains", ({ request }) => handlers.domains(asked(request)))
    .get("/api/dns", ({ request }) => handlers.dns(asked(request)))
    .get("/metrics", ({ request }) => handlers.metrics(asked(request)))
    .get("/openapi.json", ({ request }) => handlers.openapi(asked(request)));
}

/** The response to anything thrown; what is not an ApiError is logged, and the client told nothing of it. */
function toResponse(error: unknown, path: string, { log }: Pick<ApiDeps, "log">): Response {
  if (error instanceof ApiError) {
    if (error.cause !== undefined) log.warn(error.message, { path });
    return errorResponse(error);
  }
  log.error("a request failed", { path, error: errorMessage(error) });
  const stack = error instanceof Error ? error.stack : undefined;
  log.debug("its stack", { stack });
  return errorResponse(new ApiError(500, "internal_error", "the agent failed to answer; its log says why"));
}

/** The API over its dependencies, for a server to call. `port` is the one listened on. */
export function createApi(deps: ApiDeps, port: () => number = () => deps.config.port): Api {
  const hub = createStreamHub(deps);
  const guard = createGuard(deps.config);
  const askedBy = new WeakMap<Request, Asked>();
  const routes = createRoutes(deps, hub, port, askedBy);
  let inFlight = 0;

  const answer = async (request: Request, server: Server<StreamState>, { path, query }: Target) => {
    const access = guard(path, request.headers, server.requestIP(request)?.address);
    checkLimits(path, query, request.headers);
    const route = matchRoute(request.method, path);
    if (route === "/api/stream") {
      hub.upgrade(request, server, parseStreamQuery(query));
      return undefined;
    }
    const inner = new Request(ORIGIN + path);
    askedBy.set(inner, { query, access, signal: request.signal });
    return routes.handle(inner);
  };

  const admit = async (request: Request, server: Server<StreamState>, target: Target) => {
    if (inFlight >= MAX_IN_FLIGHT) {
      throw new ApiError(503, "overloaded", `${MAX_IN_FLIGHT} requests are being answered; try again`, {
        headers: RETRY_SOON,
      });
    }
    inFlight += 1;
    try {
      return await answer(request, server, target);
    } finally {
      inFlight -= 1;
    }
  };

  return {
    async fetch(request, server) {
      const target = targetOf(request.url);
      const response = await admit(request, server, target).catch((error: unknown) =>
        toResponse(error, target.path, deps),
      );
      const method = METHODS.find((known) => known === request.method) ?? "other";
      deps.metrics.countRequest(findRoute(target.path) ?? "other", method, response?.status ?? 101);
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response?.headers.set(name, value);
      if (response === undefined || request.method !== "HEAD") return response;
      // RFC 9110 section 9.3.2: the headers of a GET, its length among them.
      const { byteLength } = await response.arrayBuffer();
      response.headers.set("content-length", String(byteLength));
      return new Response(null, { status: response.status, headers: response.headers });
    },
    websocket: hub.handlers,
    close: () => hub.close(),
  };
}
