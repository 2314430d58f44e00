import { canonicalAddress, createAllowList, isLoopback } from "./addresses.ts";
import { ApiError } from "./errors.ts";
import { bearerToken, createTokenCheck, decodeSubprotocolToken, subprotocolToken } from "./token.ts";
import type { ApiConfig } from "./types.ts";

/**
 * How a request was let in: `public` only because health is public, so it is told nothing of the configuration;
 * `page` for the page's files alone, which are the same for all.
 */
export type Access = "full" | "public" | "page";

export const HEALTH_PATH = "/api/health";

const CHALLENGE = { "www-authenticate": 'Bearer realm="ayaflow"' };

type Headers_ = Pick<Headers, "get">;

/** The host of a Host header (RFC 9110 7.2) without port and brackets, in lower case. */
export function hostName(header: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(header);
  return (bracketed?.[1] ?? header.replace(/:\d*$/, "")).toLowerCase();
}

function isUpgrade(headers: Headers_): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

function isSameOrigin(origin: string, host: string | null): boolean {
  return origin.replace(/^https?:\/\//, "").toLowerCase() === host?.toLowerCase();
}

/** `make` of the latest argument, made again when that is another one. */
function remembered<T, R>(make: (of: T) => R): (of: T) => R {
  let last: { of: T; made: R } | null = null;
  return (of) => {
    if (last === null || last.of !== of) last = { of, made: make(of) };
    return last.made;
  };
}

/**
 * Decides on every request before anything else does: the peer's own address against `allowedIps`, the name it was
 * asked by (DNS rebinding), where a browser's WebSocket comes from, and the token. Forwarded-for headers are never
 * believed. The configuration is read at each request, as a reload may change it. `isPage` tells the requests that need no token. The function returned throws ApiError 401 or 403.
 */
export function createGuard(
  config: Pick<ApiConfig, "allowedIps" | "apiToken" | "healthPublic" | "listen">,
  isPage: (path: string, headers: Headers_) => boolean = () => false,
): (path: string, headers: Headers_, peer: string | undefined) => Access {
  const allowList = remembered(createAllowList);
  const tokenCheck = remembered((token: string | null) => (token === null ? null : createTokenCheck(token)));
  // What is not a CIDR is an error now, not at the first request.
  allowList(config.allowedIps);
  const isOnLoopback = isLoopback(config.listen);
  const ownNames = new Set(["localhost", "localhost.", config.listen.toLowerCase()]);

  const checkAddress = (peer: string | undefined): void => {
    if (peer !== undefined && allowList(config.allowedIps)(peer)) return;
    const shown = canonicalAddress(peer ?? "") ?? "this address";
    throw new ApiError(403, "forbidden", `${shown} is not in allowed_ips of this agent`);
  };

  const checkHost = (host: string | null): void => {
    if (config.apiToken !== null || !isOnLoopback || host === null) return;
    const name = hostName(host);
    if (ownNames.has(name) || canonicalAddress(name) !== undefined) return;
    throw new ApiError(
      403,
      "forbidden",
      `the Host header "${host}" is refused, as a web page could use that name to read this agent (DNS rebinding); ` +
        `ask by address or as localhost, or configure an API token`,
    );
  };

  const checkOrigin = (headers: Headers_): void => {
    const origin = headers.get("origin");
    if (config.apiToken !== null || origin === null || !isUpgrade(headers)) return;
    if (isSameOrigin(origin, headers.get("host"))) return;
    throw new ApiError(
      403,
      "forbidden",
      `a page of ${origin} may not open this stream; open it from the agent's own address, or configure an API token`,
    );
  };

  const checkToken = (headers: Headers_): void => {
    const isToken = tokenCheck(config.apiToken);
    if (isToken === null) return;
    const bearer = bearerToken(headers.get("authorization"));
    if (bearer !== undefined && isToken(bearer)) return;
    const offered = isUpgrade(headers) ? subprotocolToken(headers.get("sec-websocket-protocol")) : undefined;
    if (offered !== undefined && (isToken(offered) || isToken(decodeSubprotocolToken(offered)))) return;
    const found = bearer === undefined && offered === undefined ? "is missing" : "is wrong";
    throw new ApiError(
      401,
      "unauthorized",
      `the API token ${found}; send it as "Authorization: Bearer <token>"`,
      { headers: CHALLENGE },
    );
  };

  return (path, headers, peer) => {
    const isPublic = config.healthPublic && path === HEALTH_PATH;
    checkHost(headers.get("host"));
    try {
      checkAddress(peer);
      checkOrigin(headers);
      if (isPage(path, headers)) return "page";
      checkToken(headers);
      return "full";
    } catch (error) {
      if (isPublic && error instanceof ApiError) return "public";
      throw error;
    }
  };
}
