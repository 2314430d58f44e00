import type { Server, WebSocketHandler } from "bun";
import { Elysia } from "elysia";
import { errorMessage } from "../errors.ts";
import { ApiError, errorResponse } from "./errors.ts";
import { createGuard } from "./guards.ts";
import { type Asked, createHandlers } from "./handlers.ts";
import { checkLimits, MAX_IN_FLIGHT, RETRY_SOON } from "./limits.ts";
import { parseStreamQuery } from "./query.ts";
import { createPageServer } from "./page.ts";
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

/** A body over this is not measured for a HEAD. */
const MAX_MEASURED_BYTES = 1024 * 1024;

export interface Api {
  /** Answers one request; undefined after it became a stream. Never throws. */
  fetch(request: Request, server: Server<StreamState>): Promise<Response | undefined>;
  websocket: WebSocketHandler<StreamState>;
  /** Ends all streams. */
  close(): void;
  /** Ends all streams, as those who opened them may not be allowed to any more. */
  endStreams(reason: string): void;
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

const NOTHING_ASKED: Asked = { query: "", access: "public", parameter: "" };

/** The routes as an Elysia app; `askedBy` holds what the guard and the limits found out about each request. */
function createRoutes(deps: ApiDeps, hub: StreamHub, port: () => number, askedBy: WeakMap<Request, Asked>) {
  const handlers = createHandlers(deps, hub, port);
  const asked = (request: Request): Asked => askedBy.get(request) ?? NOTHING_ASKED;
  // Without aot Elysia neither generates code at run time nor reads function sources, which minifying changes.
  return new Elysia({ strictPath: true, systemRouter: false, aot: false })
    .onError(({ error, request }) => toResponse(error, targetOf(request.url).path, deps))
    .get("/", ({ request }) => handlers.index(asked(request)))
    .get("/api/health", ({ request }) => handlers.health(asked(request)))
    .get("/api/stats", ({ request }) => handlers.stats(asked(request)))
    .get("/api/live", ({ request }) => handlers.live(asked(request)))
    .get("/api/history", ({ request }) => handlers.history(asked(request)))
    .get("/api/top", ({ request }) => handlers.top(asked(request)))
    .get("/api/timeseries", ({ request }) => handlers.timeseries(asked(request)))
    .get("/api/connections/:id", ({ request }) => handlers.connection(asked(request)))
    .get("/api/suggest", ({ request }) => handlers.suggest(asked(request)))
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

/**
 * The answer to a HEAD: RFC 9110 section 9.3.2, the headers of a GET. The length is among them unless the body is
 * long: that is not made as a whole to be measured.
 */
async function headOf(response: Response): Promise<Response> {
  const { status, headers } = response;
  const reader = response.body?.getReader();
  let length = 0;
  for (let isOver = reader === undefined; !isOver; ) {
    const read = await reader?.read();
    length += read?.value?.byteLength ?? 0;
    isOver = read === undefined || read.done;
    if (length <= MAX_MEASURED_BYTES) continue;
    await reader?.cancel();
    // Bun sends the headers of a body of unknown length and never begins it.
    return new Response(new ReadableStream(), { status, headers });
  }
  headers.set("content-length", String(length));
  return new Response(null, { status, headers });
}

/** The API over its dependencies, for a server to call. `port` is the one listened on. */
export function createApi(deps: ApiDeps, port: () => number = () => deps.config.port): Api {
  const hub = createStreamHub(deps);
  const page = createPageServer(deps.page);
  const guard = createGuard(deps.config, (path, headers) => page.serves(path, headers));
  const askedBy = new WeakMap<Request, Asked>();
  const routes = createRoutes(deps, hub, port, askedBy);
  let inFlight = 0;

  const answer = async (request: Request, server: Server<StreamState>, { path, query }: Target) => {
    const access = guard(path, request.headers, server.requestIP(request)?.address);
    checkLimits(path, query, request.headers);
    const { route, parameter } = matchRoute(request.method, path);
    if (access === "page" || route === "/assets/:name") return page.respond(path, request.headers);
    if (route === "/api/stream") {
      hub.upgrade(request, server, parseStreamQuery(query));
      return undefined;
    }
    const inner = new Request(ORIGIN + route);
    askedBy.set(inner, { query, access, parameter, signal: request.signal });
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
      deps.metrics.countRequest(findRoute(target.path)?.route ?? "other", method, response?.status ?? 101);
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
        if (response?.headers.has(name) === false) response.headers.set(name, value);
      }
      return response === undefined || request.method !== "HEAD" ? response : headOf(response);
    },
    websocket: hub.handlers,
    close: () => hub.close(),
    endStreams: (reason) => hub.endAll(reason),
  };
}
