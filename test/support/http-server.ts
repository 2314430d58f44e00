/** A web server for the lab and the demo: `bun http-server.ts PORT`. `GET /bytes/N` answers N bytes; any family. */
export const HTTP_SERVER = import.meta.path;

if (import.meta.main) {
  Bun.serve({
    hostname: "::",
    port: Number(process.argv[2]),
    fetch(request) {
      const length = /^\/bytes\/(\d{1,9})$/.exec(new URL(request.url).pathname)?.[1];
      return length === undefined
        ? new Response("not found\n", { status: 404 })
        : new Response(Buffer.alloc(Number(length)));
    },
  });
}
