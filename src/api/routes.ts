import { ApiError } from "./errors.ts";
import { HEALTH_PATH } from "./guards.ts";

/** Every route of the API; also the only values of the `route` label besides `other`. */
export const ROUTES = [
  "/",
  HEALTH_PATH,
  "/api/stats",
  "/api/live",
  "/api/history",
  "/api/domains",
  "/api/dns",
  "/api/stream",
  "/metrics",
  "/openapi.json",
] as const;
export type Route = (typeof ROUTES)[number];

export const METHODS = ["GET", "HEAD"] as const;

export function findRoute(path: string): Route | undefined {
  return ROUTES.find((route) => route === path);
}

/** The route of a request; throws ApiError 404 or 405. */
export function matchRoute(method: string, path: string): Route {
  const route = findRoute(path);
  if (route === undefined) {
    throw new ApiError(404, "not_found", `there is no ${path}; routes are ${ROUTES.join(", ")}`);
  }
  if (!METHODS.some((known) => known === method)) {
    throw new ApiError(405, "method_not_allowed", `${method} is not allowed here; use GET`, {
      headers: { allow: METHODS.join(", ") },
    });
  }
  return route;
}
