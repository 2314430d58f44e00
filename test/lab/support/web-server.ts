/**
 * HTTP/2 and HTTP/1.1 over TLS: `bun web-server.ts PORT KEY CERTIFICATE`; HTTP/2 without TLS: `bun web-server.ts PORT`. Any
 * address family. Answers each request with a page that says how it was asked.
 */
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";

export const WEB_SERVER = import.meta.path;

function answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
  response.setHeader("content-type", "text/html");
  response.end(`<title>page</title><p>HTTP/${request.httpVersion} ${request.url}</p>`);
}

if (import.meta.main) {
  const [port, key, certificate] = process.argv.slice(2);
  const server =
    key === undefined || certificate === undefined
      ? createServer(answer)
      : createSecureServer(
          { key: readFileSync(key), cert: readFileSync(certificate), allowHTTP1: true },
          answer,
        );
  server.listen(Number(port), "::");
}
