import { AyaflowError, errorMessage } from "../errors.ts";
import { formatEndpoint, isLoopback } from "./addresses.ts";
import { createApi } from "./app.ts";
import type { StreamState } from "./stream.ts";
import type { ApiDeps } from "./types.ts";

const IDLE_SECONDS = 30;
/** Open requests get this long to finish when the agent stops. */
const STOP_GRACE_MS = 500;
/** Bun's own refusal of a larger body has no JSON, so ours (64 KiB) must come first; bodies are never read. */
const BUN_BODY_LIMIT = Number.MAX_SAFE_INTEGER;

export interface RunningApi {
  /** `http://address:port`, without a slash at the end. */
  url: string;
  port: number;
  /** Who may ask has changed in the configuration: open streams end, and an open API is warned of. */
  accessChanged(): void;
  /** Stops listening, ends streams and open requests; resolves within a second. */
  stop(): Promise<void>;
}

const FIXES: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use, perhaps by another ayaflow; stop that program or choose another --port",
  EACCES: "not permitted; choose a --port from 1024 up, or grant CAP_NET_BIND_SERVICE",
  EADDRNOTAVAIL: "this host does not have that address; choose another --listen",
  EAFNOSUPPORT: "this host does not have that address family; choose another --listen",
};

function listenError(error: unknown, endpoint: string): AyaflowError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fix = FIXES[code] ?? errorMessage(error);
  return new AyaflowError(`cannot listen on ${endpoint}: ${fix}`, { cause: error });
}

function warnIfOpen({ config, log }: ApiDeps, url: string): void {
  if (config.apiToken !== null || config.allowedIps.length > 0 || isLoopback(config.listen)) return;
  log.warn("the API answers everyone who reaches it; set allowed_ips or api_token_file", { url });
}

/**
 * Serves the API on `config.listen` and `config.port` (0 lets the system choose). Rejects with AyaflowError naming
 * address and fix when it cannot listen.
 */
export async function startApi(deps: ApiDeps): Promise<RunningApi> {
  const { listen, port } = deps.config;
  let boundPort = port;
  const api = createApi(deps, () => boundPort);
  const serve = () => {
    try {
      return Bun.serve<StreamState>({
        hostname: listen,
        port,
        // Otherwise a second agent would share the port unnoticed and take half of the requests.
        reusePort: false,
        development: false,
        idleTimeout: IDLE_SECONDS,
        maxRequestBodySize: BUN_BODY_LIMIT,
        fetch: (request, server) => api.fetch(request, server),
        websocket: api.websocket,
      });
    } catch (error) {
      throw listenError(error, formatEndpoint(listen, port));
    }
  };
  const server = serve();
  boundPort = server.port ?? port;
  const url = `http://${formatEndpoint(listen, boundPort)}`;
  warnIfOpen(deps, url);
  return {
    url,
    port: boundPort,
    accessChanged() {
      api.endStreams("the configuration has changed; connect again");
      warnIfOpen(deps, url);
    },
    async stop() {
      api.close();
      const finished = server.stop(false);
      const { promise: graceOver, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_GRACE_MS);
      await Promise.race([finished, graceOver]);
      clearTimeout(timer);
      await server.stop(true);
    },
  };
}
