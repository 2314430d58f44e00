import { ApiError } from "./errors.ts";
import { HEALTH_PATH } from "./guards.ts";
import { isAsset } from "./page.ts";

/** Every route of the API; also the only values of the `route` label besides `other`. */
export const ROUTES = [
  "/",
  HEALTH_PATH,
  "/api/stats",
  "/api/live",
  "/api/history",
  "/api/top",
  "/api/timeseries",
  "/api/connections/:id",
  "/api/suggest",
  "/api/domains",
  "/api/dns",
  "/api/stream",
  "/metrics",
  "/openapi.json",
  "/assets/:name",
] as const;
export type Route = (typeof ROUTES)[number];

export const METHODS = ["GET", "HEAD"] as const;

const CONNECTION = /^\/api\/connections\/([\w-]{1,64})$/;

/** What was asked for: a route, and what stands in the path for its parameter. */
export interface Match {
  route: Route;
  /** '' for a route without one. */
  parameter: string;
}

/** The route of a path; undefined if there is none. */
export function findRoute(path: string): Match | undefined {
  const id = CONNECTION.exec(path)?.[1];
  if (id !== undefined) return { route: "/api/connections/:id", parameter: id };
  if (isAsset(path)) return { route: "/assets/:name", parameter: path };
  const route = ROUTES.find((one) => one === path);
  return route === undefined || route.includes(":") ? undefined : { route, parameter: "" };
}

/** The route of a request; throws ApiError 404 or 405. */
export function matchRoute(method: string, path: string): Match {
  const match = findRoute(path);
  if (match === undefined) {
    throw new ApiError(404, "not_found", `there is no ${path}; routes are ${ROUTES.join(", ")}`);
  }
  if (!METHODS.some((known) => known === method)) {
    throw new ApiError(405, "method_not_allowed", `${method} is not allowed here; use GET`, {
      headers: { allow: METHODS.join(", ") },
    });
  }
  return match;
}
